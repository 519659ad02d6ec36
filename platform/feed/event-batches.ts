/**
 * Everything that a domain has changed, table by table and row by row, for who keeps a record of it. It is read from
 * PostgreSQL in batches, so a reader that comes back after hours misses nothing that is still kept.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { END, inTurn } from '../streams.ts';
import type { RowChange } from './change.ts';
import { readTick } from './change-log.ts';
import { formatCursor, parseCursor } from './cursor.ts';
import type { FeedReader } from './feed.ts';
import { readState } from './feed-state.ts';
import type { Listener, Place } from './hub.ts';
import { Replay } from './replay.ts';
import { PROGRESS_MS } from './row-changes.ts';

export interface EventBatch {
  /** RESYNC: what lies between the reader's cursor and the next batch is no longer kept. */
  kind: 'UPSERT' | 'PROGRESS' | 'RESYNC';
  cursor: string;
  /** Everything committed until then has been told; RFC 3339. */
  at: string;
  epoch: string;
  changes: readonly RowChange[];
}

/** What comes within so long is told together. */
const GATHER_MS = 100;

export interface EventBatchesOptions {
  /** Cursor of the last batch that the reader has. @default everything that is kept */
  after?: string | null | undefined;
  /** Of these tables only changes are told whose trace is to be kept. @default none */
  sampledOnly?: readonly string[] | null | undefined;
}

/** Everything that is kept, or what followed `after`, and then what comes. */
export function eventBatches(
  reader: FeedReader,
  options: EventBatchesOptions = {},
): AsyncIterableIterator<EventBatch, undefined> {
  const batches = new EventBatches(reader, options);
  return inTurn(
    async (): Promise<IteratorResult<EventBatch, undefined>> => {
      const value = await batches.next();
      return value ? { done: false, value } : END;
    },
    () => batches.end(),
  );
}

class EventBatches {
  private readonly reader: FeedReader;
  private readonly listener: Listener;
  private readonly sampledOnly: readonly string[];
  private after: string | null;
  private epoch = '';
  private replay: Replay | null = null;
  /** Whether nothing was stored beyond the replay's place when it was asked last. */
  private isAtEnd = false;
  private isEnded = false;
  private wake: (() => void) | null = null;
  private lastSentAt = Date.now();

  constructor(reader: FeedReader, { after, sampledOnly }: EventBatchesOptions) {
    this.reader = reader;
    this.after = after ?? null;
    this.sampledOnly = sampledOnly ?? [];
    const look = () => this.wake?.();
    // It is only told that there is something; no table has this name.
    this.listener = { relation: '', offer: look, settle: look, beat: look, reset: look, end: () => this.end() };
    reader.hub.attach(this.listener);
  }

  async next(): Promise<EventBatch | null> {
    while (!this.isEnded) {
      const batch = await this.step();
      if (!batch) continue;
      this.lastSentAt = Date.now();
      return batch;
    }
    return null;
  }

  end(): void {
    this.isEnded = true;
    this.reader.hub.detach(this.listener);
    this.wake?.();
  }

  private async step(): Promise<EventBatch | null> {
    const { reader } = this;
    const { hub } = reader;
    if (!this.replay || this.epoch !== hub.epoch) {
      await reader.ready();
      return this.begin();
    }
    if (this.isAtEnd && hub.place.tick <= this.replay.place.tick) return this.quiet();
    const found = await reader.limit(() => (this.replay as Replay).next());
    this.isAtEnd = found === 'end';
    if (found === 'gone') {
      this.replay = null;
      await sleep(GATHER_MS);
      return null;
    }
    if (found === 'end') return this.quiet();
    const changes = found.map(({ change }) => change);
    if (changes.length > 0) return this.batch('UPSERT', changes);
    return this.isProgressDue() ? this.batch('PROGRESS', []) : null; // nothing for this reader, who is further all the same
  }

  private isProgressDue(): boolean {
    return Date.now() - this.lastSentAt >= PROGRESS_MS;
  }

  /** Goes on from the reader's cursor, or from the oldest that is kept. A gap is told. */
  private async begin(): Promise<EventBatch | null> {
    const { reader, after } = this;
    const state = await readState(reader.db);
    const cursor = after === null ? null : parseCursor(after);
    const isOfNow = cursor !== null && cursor.epoch === state.epoch && cursor.tick >= state.oldestTick;
    const place = isOfNow ? await this.placeOf(cursor, state.oldestTick) : { tick: state.oldestTick };
    this.epoch = state.epoch;
    this.isAtEnd = false;
    this.replay = new Replay(reader.db, reader.tables(), { sampledOnly: this.sampledOnly }, place);
    this.after = formatCursor({ epoch: state.epoch, ...place });
    return after !== null && !isOfNow ? this.batch('RESYNC', []) : null;
  }

  /** A crash of the database may have lost the cursor's tick, not the changes in it: they come again with a later one. */
  private async placeOf({ tick, position }: Place, oldestTick: number): Promise<Place> {
    if (!(await readTick(this.reader.db, tick))) return { tick: oldestTick };
    return { tick, ...(position !== undefined && { position }) };
  }

  /** Nothing is stored beyond this place: until the hub has heard of more, or it is time to say so. */
  private async quiet(): Promise<EventBatch | null> {
    const { hub } = this.reader;
    const place = (this.replay as Replay).place;
    while (!this.isEnded && hub.epoch === this.epoch && hub.place.tick <= place.tick) {
      if (this.isProgressDue() && hub.isAlive(Date.now())) return this.batch('PROGRESS', [], this.completeAt());
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
      this.wake = null;
    }
    if (!this.isEnded) await sleep(GATHER_MS);
    return null;
  }

  /** @param at until when everything is told. @default the end of the last tick that was read whole */
  private batch(kind: EventBatch['kind'], changes: readonly RowChange[], at = this.replay?.at): EventBatch {
    const { place } = this.replay as Replay;
    this.after = formatCursor({ epoch: this.epoch, ...place });
    return { kind, cursor: this.after, at: at ?? this.completeAt(), epoch: this.epoch, changes };
  }

  private completeAt(): string {
    return new Date(this.reader.hub.completeAt || Date.now()).toISOString();
  }
}
