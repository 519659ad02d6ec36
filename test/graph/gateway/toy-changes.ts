/** A log of changes of positions as a subgraph would tell it: tests write it, and end or break who reads it. */
import { badInput, unavailable } from '../../../platform/errors.ts';
import {
  type Cursor,
  compareCursors,
  formatCursor,
  parseCursor,
  snapshotCursor,
} from '../../../platform/feed/cursor.ts';

export const CHANGES_SDL = `
  enum ChangeKind { SNAPSHOT UPSERT DELETE PROGRESS RESYNC }
  interface Change { kind: ChangeKind!  cursor: String!  at: String! }
  type PositionChange implements Change { kind: ChangeKind!  cursor: String!  at: String!  position: TradingPosition }
  type Subscription { positionChanges(accountId: ID, after: String): PositionChange }
`;

interface Position {
  positionId: string;
  quantity: string;
  instrument: { symbol: string };
}

export interface ToyChange {
  kind: string;
  cursor: string;
  at: string;
  position: Position | null;
}

interface Logged {
  tick: number;
  /** Number of the change, over all ticks. */
  position: number;
  row: Position;
}

export class ToyChanges {
  epoch = 'a1';
  /** What clients asked to begin after, in order. */
  readonly afters: (string | undefined)[] = [];
  readonly readers = new Set<Reader>();
  /** Whether nobody can subscribe since the domain's database is lost. */
  isAway = false;
  /** Why nobody may subscribe, until set to undefined. */
  refusal: string | undefined;
  #tick = 1;
  #changes = 0;
  #log: Logged[] = [];
  readonly #rows = new Map<string, Position>();

  /** Changes a position. */
  upsert(positionId: string, quantity: number | string): void {
    const row = { positionId, quantity: String(quantity), instrument: { symbol: 'COIN0-USD' } };
    this.#rows.set(positionId, row);
    this.#log.push({ tick: this.#tick, position: ++this.#changes, row });
    this.#wake();
  }

  /** Ends the tick and tells everybody so. */
  progress(): void {
    const at = {
      kind: 'PROGRESS',
      cursor: formatCursor({ epoch: this.epoch, tick: this.#tick }),
      at: NOW,
      position: null,
    };
    this.#tick++;
    for (const reader of this.readers) reader.tell(at);
  }

  /** Tells everybody that nothing has happened since. */
  beat(): void {
    const cursor = formatCursor({ epoch: this.epoch, tick: this.#tick - 1 });
    for (const reader of this.readers) reader.tell({ kind: 'PROGRESS', cursor, at: NOW, position: null });
  }

  /** Forgets what was logged so far: nobody can go on from there. */
  trim(): void {
    this.#log = [];
    this.#tick += 10;
    this.#oldest = this.#tick;
  }
  #oldest = 0;

  /** Breaks every stream off, as a subgraph that is killed. */
  break(): void {
    for (const reader of [...this.readers]) reader.end(Object.assign(new Error('killed'), { code: 'ECONNRESET' }));
  }

  subscribe(after: string | undefined): AsyncIterableIterator<ToyChange> {
    this.afters.push(after);
    if (this.isAway) throw unavailable('trading');
    if (this.refusal) throw badInput(this.refusal);
    const cursor = after === undefined ? null : parseCursor(after);
    const reader =
      cursor?.epoch === this.epoch && cursor.tick >= this.#oldest
        ? new Reader(this, [], this.#indexAfter(cursor), cursor.mask === undefined ? undefined : readMask(cursor))
        : new Reader(this, this.#begin(after !== undefined), this.#log.length, this.#mask());
    this.readers.add(reader);
    return reader;
  }

  /** The change of that index, as a reader is told it. */
  changeAt(index: number, masked: Mask | undefined): ToyChange | undefined {
    const logged = this.#log[index];
    if (!logged) return undefined;
    const { tick, position, row } = logged;
    const mask = masked && tick <= masked.tick ? { mask: `${masked.changes}:${masked.changes}:` } : {};
    return {
      kind: 'UPSERT',
      cursor: formatCursor({ epoch: this.epoch, tick, position, ...mask }),
      at: NOW,
      position: row,
    };
  }

  /** What a snapshot that is read now sees of the tick that is not whole. */
  #mask(): Mask {
    return { tick: this.#tick, changes: this.#changes };
  }

  #indexAfter(cursor: Cursor): number {
    const seen = cursor.mask === undefined ? 0 : readMask(cursor).changes;
    const index = this.#log.findIndex(
      ({ tick, position }) => position > seen && compareCursors({ tick, position }, cursor) > 0,
    );
    return index === -1 ? this.#log.length : index;
  }

  #begin(isResync: boolean): ToyChange[] {
    const cursor = snapshotCursor(this.epoch);
    const { changes } = this.#mask();
    const whole = formatCursor({ epoch: this.epoch, tick: this.#tick - 1, mask: `${changes}:${changes}:` });
    return [
      ...(isResync ? [{ kind: 'RESYNC', cursor, at: NOW, position: null }] : []),
      ...[...this.#rows.values()].map((position) => ({ kind: 'SNAPSHOT', cursor, at: NOW, position })),
      { kind: 'PROGRESS', cursor: whole, at: NOW, position: null },
    ];
  }

  #wake(): void {
    for (const reader of this.readers) reader.wake();
  }
}

/** A snapshot saw so many changes, the last of them in a tick that was not whole. */
interface Mask {
  tick: number;
  changes: number;
}

function readMask({ tick, position, mask = '' }: Cursor): Mask {
  return { tick: position === undefined ? tick + 1 : tick, changes: Number.parseInt(mask, 10) };
}

const NOW = '2026-01-01T00:00:00Z';

function isBefore(a: ToyChange, b: ToyChange): boolean {
  return compareCursors(parseCursor(a.cursor) as Cursor, parseCursor(b.cursor) as Cursor) < 0;
}

/** One stream; it holds no more than it was told and keeps its place in the log. */
class Reader implements AsyncIterableIterator<ToyChange, undefined> {
  readonly #changes: ToyChanges;
  readonly #told: ToyChange[];
  #index: number;
  readonly #masked: Mask | undefined;
  #progress: ToyChange | undefined;
  #isOver = false;
  #error: Error | undefined;
  #resume: (() => void) | undefined;

  constructor(changes: ToyChanges, told: ToyChange[], index: number, masked: Mask | undefined) {
    this.#changes = changes;
    this.#told = told;
    this.#index = index;
    this.#masked = masked;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  tell(progress: ToyChange): void {
    this.#progress = progress;
    this.wake();
  }

  wake(): void {
    this.#resume?.();
  }

  end(error?: Error): void {
    this.#changes.readers.delete(this);
    this.#isOver = true;
    this.#error = error;
    this.wake();
  }

  async next(): Promise<IteratorResult<ToyChange, undefined>> {
    for (;;) {
      if (this.#error) throw this.#error;
      if (this.#isOver) return { done: true, value: undefined };
      const value = this.#told.shift() ?? this.#change() ?? this.#progress;
      if (value) {
        if (value === this.#progress) this.#progress = undefined;
        return { done: false, value };
      }
      await new Promise<void>((resolve) => {
        this.#resume = resolve;
      });
    }
  }

  async return(): Promise<IteratorResult<ToyChange, undefined>> {
    this.end();
    return { done: true, value: undefined };
  }

  #change(): ToyChange | undefined {
    const change = this.#changes.changeAt(this.#index, this.#masked);
    if (!change) return undefined;
    this.#index++;
    if (this.#progress && isBefore(this.#progress, change)) this.#progress = undefined;
    return change;
  }
}
