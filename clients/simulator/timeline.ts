/** Where recorded instants come to lie when a recording is played from now on. */
import type { Recorded } from './recordings.ts';
import { recordedAtMs } from './recordings.ts';

/** What is replayed is told from the real recording by its source and venue. */
const SUFFIX = '-replay';

export interface Timeline {
  /** When it happens in the replay, in milliseconds since 1970. */
  at(recorded: Recorded): number;
  /** What it is in the replay: at its new instant, under a name and a sequence of its own. */
  place<Kind extends Recorded>(recorded: Kind): Kind;
}

/**
 * A timeline on which `firstMs` happens at `startMs`. Sequences rise, also from one replay to the next that starts later:
 * there are a thousand of them for each millisecond.
 */
export function timelineOf({ firstMs, startMs, speed }: { firstMs: number; startMs: number; speed: number }): Timeline {
  let sequence = BigInt(Math.ceil(startMs)) * 1_000n;
  const at = (recorded: Recorded) => Math.floor(startMs + (recordedAtMs(recorded) - firstMs) / speed);
  return {
    at,
    place(recorded) {
      const moved = { timestamp: new Date(at(recorded)).toISOString(), sequence: String(sequence++) };
      if ('price' in recorded) {
        const { source, ...price } = recorded.price;
        return { ...recorded, price: { ...price, ...moved, source: `${source}${SUFFIX}` } };
      }
      const { venueId, ...book } = recorded.book;
      return { ...recorded, book: { ...book, ...moved, venueId: `${venueId}${SUFFIX}` } };
    },
  };
}
