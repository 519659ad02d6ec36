/** A table as PostgreSQL would have it, with every state it was ever in, and the feed's ticks of it. */
import type { CapturedTables } from '../../../platform/feed/captured-tables.ts';
import type { Image, RowChange } from '../../../platform/feed/change.ts';
import { parseSnapshot, type Snapshot } from '../../../platform/feed/snapshot.ts';
import { type BroadcastPart, NOTHING } from '../../../platform/feed/tick-broadcast.ts';

export interface Item {
  id: string;
  parentId: string;
  /** Unlike that of every other state of any row. */
  text: string;
  version: number;
}

export const IDS = ['a'] as const;
export const PARENTS = ['p', 'q'] as const;

export type Write = { op: 'put'; id: string; parentId: string } | { op: 'remove'; id: string };

export const TABLES: CapturedTables = new Map([['items', { key: 'id', routes: ['parentId'], instants: [] }]]);

/** Changes in one part of a tick at most, so that small ticks have several. */
const PART_SIZE = 2;

const AT = '2026-01-01T00:00:00Z';

type State = ReadonlyMap<string, Item>;

/** A transaction under way: it has locked what it writes. */
export interface Transaction {
  xid: number;
  changes: RowChange[];
  rows: Map<string, Item | null>;
}

export class ModelDatabase {
  /** What was committed after so many commits, from none on. */
  readonly states: State[] = [new Map()];
  /** All that has been stored for followers, in order. */
  readonly log: BroadcastPart[] = [];
  /** How many commits are in the ticks up to that part, where it ends one. */
  readonly covered: number[] = [];
  private readonly locked = new Set<string>();
  private readonly underWay = new Set<number>();
  private readonly waiting: RowChange[] = [];
  private epoch: string;
  private tick = 0;
  private snapshot = parseSnapshot('1:1:');
  private nextXid = 1;
  private nextSeq = 1;
  private nextText = 1;
  private epochs = 0;

  constructor(epoch: string) {
    this.epoch = epoch;
  }

  get commits(): number {
    return this.states.length - 1;
  }

  get last(): BroadcastPart {
    return this.log.at(-1) as BroadcastPart;
  }

  /** Rows that another transaction has locked are left as they are. */
  begin(writes: readonly Write[]): Transaction {
    const xid = this.nextXid++;
    this.underWay.add(xid);
    const transaction: Transaction = { xid, changes: [], rows: new Map() };
    for (const write of writes) {
      if (this.locked.has(write.id) && !transaction.rows.has(write.id)) continue;
      this.locked.add(write.id);
      this.write(transaction, write);
    }
    return transaction;
  }

  /** Gives the number of commits with it. */
  commit(transaction: Transaction): number {
    const state = new Map(this.states.at(-1));
    for (const [id, row] of transaction.rows) {
      if (row) state.set(id, row);
      else state.delete(id);
    }
    this.end(transaction);
    this.waiting.push(...transaction.changes);
    return this.states.push(state) - 1;
  }

  rollback(transaction: Transaction): void {
    this.end(transaction);
  }

  /** What a statement would find now. */
  row(id: string): Item | null {
    return rowIn(this.states.at(-1) as State, id);
  }

  list(parentId: string): Item[] {
    return listIn(this.states.at(-1) as State, parentId);
  }

  /** Whether that was so after any number of commits from `since` on. */
  wasTrue(of: 'row' | 'list', key: string, value: unknown, since: number): boolean {
    const text = JSON.stringify(value);
    const read = of === 'row' ? rowIn : listIn;
    return this.states.slice(since).some((state) => JSON.stringify(read(state, key)) === text);
  }

  /** A leader begins, in a new epoch if the database is to be taken for another one. */
  open(isOther = false): BroadcastPart {
    const previous = this.log.length === 0 || isOther ? NOTHING : this.tick;
    if (isOther) {
      this.epoch = `${this.epoch}-${++this.epochs}`;
      this.waiting.length = 0;
      this.snapshot = this.look();
    }
    this.tick += 1_000;
    const { epoch, tick, snapshot } = this;
    const covered = isOther ? this.commits : (this.covered.at(-1) ?? 0);
    const part = { epoch, tick, since: snapshot, snapshot, at: AT, changes: [], isLast: true, previous, after: 0 };
    this.store(part, covered);
    return part;
  }

  /** The leader looks: what has been committed since is stored as a tick, unless it is nothing. */
  cut(): void {
    if (this.waiting.length === 0) return;
    const changes = this.waiting.splice(0).sort((a, b) => a.seq - b.seq);
    const { epoch, tick: previous, snapshot: since } = this;
    this.snapshot = this.look();
    this.tick++;
    for (let from = 0; from < changes.length; from += PART_SIZE) {
      const { tick, snapshot } = this;
      const isLast = from + PART_SIZE >= changes.length;
      const after = changes[from - 1]?.seq ?? 0;
      const part = { epoch, tick, since, snapshot, at: AT, previous, after, isLast };
      this.store(
        { ...part, changes: changes.slice(from, from + PART_SIZE) },
        isLast ? this.commits : (this.covered.at(-1) ?? 0),
      );
    }
  }

  private store(part: BroadcastPart, covered: number): void {
    this.log.push(part);
    this.covered.push(covered);
  }

  private write({ xid, changes, rows }: Transaction, write: Write): void {
    const { id } = write;
    const known = rows.get(id);
    const before = known === undefined ? this.row(id) : known;
    const common = { seq: this.nextSeq++, xid, relation: 'items', key: id, at: AT, trace: null };
    if (write.op === 'remove') {
      rows.set(id, null);
      if (before) changes.push({ ...common, op: 'D', row: imageOf(before), was: null });
      return;
    }
    const { parentId } = write;
    const row = { id, parentId, text: `${id}${this.nextText++}`, version: (before?.version ?? 0) + 1 };
    rows.set(id, row);
    const was = before && before.parentId !== parentId ? { parentId: before.parentId } : null;
    changes.push({ ...common, op: before ? 'U' : 'I', row: imageOf(row), was });
  }

  private end({ xid, rows }: Transaction): void {
    this.underWay.delete(xid);
    for (const id of rows.keys()) this.locked.delete(id);
  }

  private look(): Snapshot {
    const underWay = [...this.underWay].sort((a, b) => a - b);
    return parseSnapshot(`${underWay[0] ?? this.nextXid}:${this.nextXid}:${underWay.join()}`);
  }
}

function imageOf(row: Item): Image {
  return { ...row };
}

function rowIn(state: State, id: string): Item | null {
  return state.get(id) ?? null;
}

function listIn(state: State, parentId: string): Item[] {
  return [...state.values()].filter((row) => row.parentId === parentId).sort((a, b) => (a.id < b.id ? -1 : 1));
}
