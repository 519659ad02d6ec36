/** Reads what followed a place from PostgreSQL, in the order in which it went out, a bounded part at a time. */

import type { RowChange } from './change.ts';
import {
  type Instants,
  PART_SIZE,
  type Queryable,
  readChanges,
  readTick,
  readTicks,
  type StoredTick,
} from './change-log.ts';
import type { Place } from './hub.ts';
import { sees } from './snapshot.ts';

export interface Replayed {
  change: RowChange;
  place: Place;
}

/** Ticks looked at together, while their changes fit into one part. */
const TICKS_AT_ONCE = 200;

export class Replay {
  private readonly db: Queryable;
  private readonly instants: Instants;
  private readonly relation: string;
  private ticks: StoredTick[] = [];
  private window = TICKS_AT_ONCE;
  /** Where the reader has got to. */
  place: Place;

  constructor(db: Queryable, instants: Instants, relation: string, place: Place) {
    this.db = db;
    this.instants = instants;
    this.relation = relation;
    this.place = place;
  }

  /** The next part, in order; null when no stored tick follows. It may be empty. */
  async next(): Promise<Replayed[] | null> {
    const { tick, position } = this.place;
    if (position !== undefined) {
      const current = this.ticks[0]?.tick === tick ? this.ticks[0] : await readTick(this.db, tick);
      if (!current) return null;
      return this.readOne(current, position);
    }
    if (this.ticks.length === 0) this.ticks = await readTicks(this.db, tick, TICKS_AT_ONCE);
    const [first] = this.ticks;
    if (!first) return null;
    const several = this.ticks.slice(0, this.window);
    return several.length === 1 ? this.readOne(first, 0) : this.readSeveral(several);
  }

  private async readOne(tick: StoredTick, after: number): Promise<Replayed[]> {
    const { changes, hasMore } = await readChanges(this.db, this.instants, { ...tick, after, relation: this.relation });
    const last = changes.at(-1);
    if (hasMore && last) {
      this.place = { tick: tick.tick, position: last.seq };
      this.ticks = [tick, ...this.ticks.filter((one) => one.tick > tick.tick)];
    } else {
      this.place = { tick: tick.tick };
      this.ticks = this.ticks.filter((one) => one.tick > tick.tick);
      this.window = Math.min(TICKS_AT_ONCE, this.window * 2);
    }
    return changes.map((change) => ({ change, place: { tick: tick.tick, position: change.seq } }));
  }

  /** Their changes in one statement; each belongs to the first tick that sees it. */
  private async readSeveral(ticks: readonly StoredTick[]): Promise<Replayed[]> {
    const first = ticks[0] as StoredTick;
    const last = ticks.at(-1) as StoredTick;
    const between = { since: first.since, snapshot: last.snapshot, after: 0, relation: this.relation };
    const { changes, hasMore } = await readChanges(this.db, this.instants, between);
    if (hasMore) {
      this.window = Math.max(1, Math.floor(ticks.length / 4));
      return [];
    }
    this.window = changes.length < PART_SIZE / 4 ? TICKS_AT_ONCE : this.window;
    this.place = { tick: last.tick };
    this.ticks = this.ticks.slice(ticks.length);
    const placed = changes.map((change) => {
      const { tick } = ticks.find(({ snapshot }) => sees(snapshot, change.xid)) as StoredTick;
      return { change, place: { tick, position: change.seq } };
    });
    return placed.sort((a, b) => a.place.tick - b.place.tick); // stable: within a tick by seq, as read
  }
}
