/** What goes wrong is said once, not at every attempt. */
import type { Logger } from '../../platform/log.ts';

export interface Troubles {
  /** Says it, unless the same kind was seen a short while ago. Gives whether it was said. */
  note(kind: string, what: string): boolean;
}

/** A kind of trouble that was quiet for this long is news again. */
const QUIET_MS = 600_000; // 10 minutes
/** Kinds are few; should one ever carry an id, memory stays bounded. */
const KIND_LIMIT = 1_000;

export function createTroubles(log: Logger, now: () => number): Troubles {
  const lastSeen = new Map<string, number>();
  return {
    note(kind, what) {
      const seenMs = lastSeen.get(kind) ?? Number.NEGATIVE_INFINITY;
      if (lastSeen.size >= KIND_LIMIT) lastSeen.clear();
      lastSeen.set(kind, now());
      const isNews = now() - seenMs >= QUIET_MS;
      if (isNews) log.warn({ kind }, what);
      return isNews;
    },
  };
}
