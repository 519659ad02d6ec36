/**
 * Reads the changes of a tick from the log, in order, a bounded part at a time. A tick has some ten changes, or a
 * million: of a large one each part must not cost a look at the whole.
 */
import type { CapturedTables } from './captured-tables.ts';
import {
  measure,
  PART_SIZE,
  type ReadChanges,
  readChanges,
  readWindow,
  type Slice,
  type StoredTick,
  type Wanted,
} from './change-log.ts';
import type { Queryable } from './statement.ts';

/** Sequence numbers looked through at once; those of other ticks lie between. */
const WINDOW = 20 * PART_SIZE;

export interface TickReaderOptions extends Wanted {
  /** Sequence number behind which to begin. @default the tick's begin */
  after?: number;
}

export class TickReader {
  readonly tick: StoredTick;
  /** Everything up to this sequence number has been read. */
  reached: number;
  private readonly db: Queryable;
  private readonly tables: CapturedTables;
  private readonly wanted: Wanted;
  private way: 'unknown' | 'by xid' | 'by seq' = 'unknown';
  private last = 0;

  constructor(
    db: Queryable,
    tables: CapturedTables,
    tick: StoredTick,
    { after = 0, ...wanted }: TickReaderOptions = {},
  ) {
    this.db = db;
    this.tables = tables;
    this.tick = tick;
    this.reached = after;
    this.wanted = wanted;
  }

  /** The next part. It may be empty while there is more. */
  async next(): Promise<ReadChanges> {
    if (this.way === 'unknown' && this.reached > 0) await this.chooseWay();
    const until = Math.min(this.reached + WINDOW, this.last);
    const part =
      this.way === 'by seq'
        ? await readWindow(this.db, this.tables, this.slice(), until)
        : await readChanges(this.db, this.tables, this.slice());
    const last = part.changes.at(-1)?.seq ?? this.reached;
    if (this.way !== 'by seq' || part.hasMore) {
      this.reached = last;
      return part;
    }
    this.reached = until;
    return { ...part, hasMore: until < this.last };
  }

  private slice(): Slice {
    const { since, snapshot } = this.tick;
    return { since, snapshot, after: this.reached, ...this.wanted };
  }

  /**
   * By transactions, every part looks at all that is left of the tick; by sequence numbers, all parts together look once
   * at what lies between its first change and its last, which is much when one of its transactions was long under way.
   */
  private async chooseWay(): Promise<void> {
    const { count, last } = await measure(this.db, this.slice());
    this.last = last;
    this.way = (last - this.reached) * PART_SIZE < count * count ? 'by seq' : 'by xid';
  }
}
