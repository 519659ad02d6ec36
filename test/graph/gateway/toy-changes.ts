/** A log of changes of positions as a subgraph would tell it: tests write it, and end or break who reads it. */
import { badInput, unavailable } from '../../../platform/errors.ts';
import { formatCursor, parseCursor, snapshotCursor } from '../../../platform/feed/cursor.ts';

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
    const isKept = cursor?.epoch === this.epoch && cursor.tick >= this.#oldest;
    const begin = isKept ? [] : this.#begin(after !== undefined);
    const first = isKept
      ? this.#log.findIndex(
          ({ tick, position }) =>
            tick > cursor.tick || (tick === cursor.tick && position > (cursor.position ?? Number.POSITIVE_INFINITY)),
        )
      : this.#log.length;
    const reader = new Reader(this, begin, first === -1 ? this.#log.length : first, isKept ? undefined : this.#tick);
    this.readers.add(reader);
    return reader;
  }

  /** The change of that index, as a reader whose snapshot was read in `maskedTick` is told it. */
  changeAt(index: number, maskedTick: number | undefined): ToyChange | undefined {
    const logged = this.#log[index];
    if (!logged) return undefined;
    const { tick, position, row } = logged;
    const mask = tick === maskedTick ? { mask: '5:5:' } : {};
    return {
      kind: 'UPSERT',
      cursor: formatCursor({ epoch: this.epoch, tick, position, ...mask }),
      at: NOW,
      position: row,
    };
  }

  #begin(isResync: boolean): ToyChange[] {
    const cursor = snapshotCursor(this.epoch);
    const whole = formatCursor({ epoch: this.epoch, tick: this.#tick - 1, mask: '5:5:' });
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

const NOW = '2026-01-01T00:00:00Z';

/** One stream; it holds no more than it was told and keeps its place in the log. */
class Reader implements AsyncIterableIterator<ToyChange, undefined> {
  readonly #changes: ToyChanges;
  readonly #told: ToyChange[];
  #index: number;
  readonly #maskedTick: number | undefined;
  #progress: ToyChange | undefined;
  #isOver = false;
  #error: Error | undefined;
  #resume: (() => void) | undefined;

  constructor(changes: ToyChanges, told: ToyChange[], index: number, maskedTick: number | undefined) {
    this.#changes = changes;
    this.#told = told;
    this.#index = index;
    this.#maskedTick = maskedTick;
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
    const change = this.#changes.changeAt(this.#index, this.#maskedTick);
    if (change) this.#index++;
    return change;
  }
}
