/** Reads what followed a place from PostgreSQL, in the order in which it went out, a bounded part at a time. */

import type { CapturedTables } from './captured-tables.ts';
import type { RowChange } from './change.ts';
import { PART_SIZE, readChanges, readTick, readTicks, type StoredTick, type Wanted } from './change-log.ts';
import type { Place } from './hub.ts';
import { sees } from './snapshot.ts';
import type { Queryable } from './statement.ts';
import { TickReader } from './tick-reader.ts';

export interface Replayed {
  change: RowChange;
  place: Place;
}

/** Ticks looked at together, while their changes fit into one part. */
const TICKS_AT_ONCE = 200;

export class Replay {
  private readonly db: Queryable;
  private readonly tables: CapturedTables;
  private readonly wanted: Wanted;
  private ticks: StoredTick[] = [];
  private window = TICKS_AT_ONCE;
  private reader: TickReader | null = null;
  /** Where the reader has got to. */
  place: Place;
  /** Until when everything has been read, RFC 3339; null before the first part. */
  at: string | null = null;

  constructor(db: Queryable, tables: CapturedTables, wanted: Wanted, place: Place) {
    this.db = db;
    this.tables = tables;
    this.wanted = wanted;
    this.place = place;
  }

  /** The next part, in order, which may be empty; `end` when no stored tick follows, `gone` when it is no longer kept. */
  async next(): Promise<Replayed[] | 'end' | 'gone'> {
    const { tick, position } = this.place;
    if (this.at === null) {
      const begun = await readTick(this.db, tick); // which a crash may have lost
      if (!begun) return 'gone';
      this.at = begun.at;
      if (position !== undefined) this.reader = this.readerOf(begun, position);
    }
    if (this.reader) return this.readOne(this.reader);
    if (this.ticks.length === 0) this.ticks = await readTicks(this.db, tick, TICKS_AT_ONCE);
    const [first] = this.ticks;
    if (!first) return 'end';
    if (this.window > 1 && this.ticks.length > 1) return this.readSeveral(first, this.ticks.slice(0, this.window));
    this.reader = this.readerOf(first, 0);
    return this.readOne(this.reader);
  }

  private readerOf(tick: StoredTick, after: number): TickReader {
    return new TickReader(this.db, this.tables, tick, { after, ...this.wanted });
  }

  private async readOne(reader: TickReader): Promise<Replayed[] | 'gone'> {
    const { tick, at } = reader.tick;
    const { changes, hasMore, oldestTick } = await reader.next();
    if (oldestTick >= tick) return 'gone';
    if (hasMore) {
      this.place = { tick, position: reader.reached };
    } else {
      this.reader = null;
      this.place = { tick };
      this.at = at;
      this.ticks = this.ticks.filter((one) => one.tick > tick);
      this.window = Math.min(TICKS_AT_ONCE, this.window * 2);
    }
    return changes.map((change) => ({ change, place: { tick, position: change.seq } }));
  }

  /** Their changes in one statement; each belongs to the first tick that sees it. */
  private async readSeveral(first: StoredTick, ticks: readonly StoredTick[]): Promise<Replayed[] | 'gone'> {
    const last = ticks.at(-1) as StoredTick;
    const between = { since: first.since, snapshot: last.snapshot, after: 0, ...this.wanted };
    const { changes, hasMore, oldestTick } = await readChanges(this.db, this.tables, between);
    if (oldestTick >= first.tick) return 'gone';
    if (hasMore) {
      this.window = Math.max(1, Math.floor(ticks.length / 4));
      return [];
    }
    this.window = changes.length < PART_SIZE / 4 ? TICKS_AT_ONCE : this.window;
    this.place = { tick: last.tick };
    this.at = last.at;
    this.ticks = this.ticks.slice(ticks.length);
    const placed = changes.map((change) => {
      const { tick } = ticks.find(({ snapshot }) => sees(snapshot, change.xid)) as StoredTick;
      return { change, place: { tick, position: change.seq } };
    });
    return placed.sort((a, b) => a.place.tick - b.place.tick); // stable: within a tick by seq, as read
  }
}
