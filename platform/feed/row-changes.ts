/** One client's subscription to the rows of a topic: a snapshot or what it missed, then every change as it is committed. */
import type { Database } from '../database/database.ts';
import { allOf, identifier, type Sql, sql } from '../database/sql.ts';
import { badInput } from '../errors.ts';
import type { RowChange } from './change.ts';
import { unseenBy } from './change-log.ts';
import { type Cursor, compareCursors, formatCursor, parseCursor, snapshotCursor } from './cursor.ts';
import type { FeedReader } from './feed.ts';
import type { Listener, Place } from './hub.ts';
import { createOutbox, type Outbox, type Waiting } from './outbox.ts';
import { Replay } from './replay.ts';
import { covers, parseSnapshot, type Snapshot, sees } from './snapshot.ts';
import { type Choice, type Chosen, choose, type Topic } from './topic.ts';

export type ChangeKind = 'SNAPSHOT' | 'UPSERT' | 'DELETE' | 'PROGRESS' | 'RESYNC';

/** What a resolver hands on: the fields of `Change`, and the row that its type names. */
export interface ChangeEvent<Row> {
  kind: ChangeKind;
  cursor: string;
  /** When the change was written; of PROGRESS, until when nothing else happened. */
  at: string;
  row: Row | null;
}

export interface RowChangesOptions {
  choice: Choice;
  /** Cursor of the last event that the client has. @default begin with a snapshot */
  after?: string | null | undefined;
  /** Rounds of a conflated topic begin at most so often. @default as fast as the client takes them */
  minIntervalMs?: number;
}

/** Silence after which a client is told that there was nothing to tell. */
const PROGRESS_MS = 900;

/** Rows of a snapshot at most; who needs more chooses less. */
const SNAPSHOT_LIMIT = 10_000;

interface Item extends Waiting {
  kind: 'UPSERT' | 'DELETE';
  row: unknown;
  at: string;
  xid: number;
  /** What its client's snapshot showed beyond its place, as long as the feed had not come that far. */
  mask: string | undefined;
}

const END = { done: true, value: undefined } as const;

/** @throws GraphQLError (bad input) when the choice can fit no row */
export function rowChanges<Row>(
  reader: FeedReader,
  db: Database,
  topic: Topic<Row>,
  options: RowChangesOptions,
): AsyncIterableIterator<ChangeEvent<Row>, undefined> {
  return new RowChanges<Row>(reader, db, topic, choose(topic, options.choice), options);
}

class RowChanges<Row> implements AsyncIterableIterator<ChangeEvent<Row>, undefined>, Listener {
  readonly relation: string;
  readonly route: Listener['route'];
  private readonly reader: FeedReader;
  private readonly db: Database;
  private readonly topic: Topic<Row>;
  private readonly chosen: Chosen;
  private readonly minIntervalMs: number;
  private after: string | null;
  private phase: 'begin' | 'snapshot' | 'replay' | 'live' | 'closed' = 'begin';
  /** Events made already: a snapshot's rows, a RESYNC. */
  private ready: ChangeEvent<Row>[] = [];
  private readonly outbox: Outbox<Item>;
  /** Everything up to here has been put into the outbox or concerns nobody. */
  private place: Place = { tick: 0 };
  private mask: Snapshot | null = null;
  private replay: Replay | null = null;
  private isAttached = false;
  private wake: (() => void) | null = null;
  private isProgressDue = false;
  private lastSentAt = 0;
  private lastRoundAt = 0;
  private roundLeft = 0;
  private taken: Promise<unknown> = Promise.resolve();

  constructor(reader: FeedReader, db: Database, topic: Topic<Row>, chosen: Chosen, options: RowChangesOptions) {
    this.reader = reader;
    this.db = db;
    this.topic = topic;
    this.relation = topic.table;
    this.chosen = chosen;
    const [first] = chosen.fields;
    this.route = first && { field: first[0], values: [...first[1]] };
    this.outbox = createOutbox(topic.mode);
    this.after = options.after ?? null;
    this.minIntervalMs = options.minIntervalMs ?? 0;
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  next(): Promise<IteratorResult<ChangeEvent<Row>, undefined>> {
    const next = this.taken
      .then(() => this.step())
      .catch((error: unknown) => {
        this.close();
        throw error;
      });
    this.taken = next.catch(() => undefined);
    return next;
  }

  async return(): Promise<IteratorResult<ChangeEvent<Row>, undefined>> {
    this.close();
    return END;
  }

  // What the hub says ------------------------------------------------------------------------------------------------

  offer(change: RowChange, place: Place): void {
    if (compareCursors(place, this.place) <= 0) return;
    const item = this.itemOf(change, place);
    if (item && !this.outbox.put(item)) {
      this.detach(); // what follows is read from the log, when the client gets there
      return;
    }
    this.place = place;
    if (item) this.wakeUp();
  }

  settle(snapshot: Snapshot): void {
    const { place } = this.reader.hub;
    if (compareCursors(place, this.place) > 0) this.place = place;
    if (this.mask && this.phase === 'live' && covers(snapshot, this.mask)) this.mask = null;
  }

  reset(): void {
    this.outbox.clear();
    this.beginAnew();
    this.wakeUp();
  }

  beat(now: number): void {
    if (!this.wake || now - this.lastSentAt < PROGRESS_MS || this.outbox.size > 0) return;
    this.isProgressDue = true;
    this.wakeUp();
  }

  // What the client gets ---------------------------------------------------------------------------------------------

  private async step(): Promise<IteratorResult<ChangeEvent<Row>, undefined>> {
    for (;;) {
      if (this.phase === 'closed') return END;
      const event = this.ready.shift() ?? this.takeChange();
      if (event) return this.sent(event);
      if (this.outbox.size > 0) await this.silence();
      else if (this.phase === 'begin') await this.begin();
      else if (this.phase === 'snapshot') await this.reader.limit(() => this.readSnapshot());
      else if (this.phase === 'replay') await this.catchUp();
      else if (!this.isAttached) this.startReplay();
      else if (this.isProgressDue) return this.sent(this.progress());
      else await this.silence();
    }
  }

  private sent(value: ChangeEvent<Row>): IteratorResult<ChangeEvent<Row>, undefined> {
    this.lastSentAt = Date.now();
    this.isProgressDue = false;
    return { done: false, value };
  }

  private takeChange(): ChangeEvent<Row> | undefined {
    if (this.minIntervalMs > 0 && !this.isRoundDue()) return undefined;
    const item = this.outbox.take();
    if (!item) return undefined;
    const { kind, row, at, place, mask } = item;
    return { kind, cursor: this.cursorAt(place, mask ?? null), at, row: row as Row };
  }

  private isRoundDue(): boolean {
    if (this.roundLeft > 0) {
      this.roundLeft--;
      return true;
    }
    if (this.outbox.size === 0 || Date.now() - this.lastRoundAt < this.minIntervalMs) return false;
    this.lastRoundAt = Date.now();
    this.roundLeft = this.outbox.size - 1;
    return true;
  }

  private silence(): Promise<void> {
    const isHeld = this.outbox.size > 0; // by the interval between rounds
    return new Promise((resolve) => {
      const timer = isHeld ? setTimeout(() => this.wakeUp(), this.lastRoundAt + this.minIntervalMs - Date.now()) : null;
      this.wake = () => {
        if (isHeld && this.phase === 'live' && this.isAttached && Date.now() - this.lastRoundAt < this.minIntervalMs)
          return;
        if (timer) clearTimeout(timer);
        this.wake = null;
        resolve();
      };
    });
  }

  private progress(): ChangeEvent<Row> {
    const { completeAt } = this.reader.hub;
    return { kind: 'PROGRESS', cursor: this.cursorAt(this.place), at: new Date(completeAt).toISOString(), row: null };
  }

  // Beginning --------------------------------------------------------------------------------------------------------

  private async begin(): Promise<void> {
    await this.reader.ready();
    if (this.phase !== 'begin') return;
    if (this.after === null) {
      this.phase = 'snapshot';
      return;
    }
    const cursor = parseCursor(this.after);
    if (!cursor || !(await this.reader.knows(cursor))) return this.beginAnew();
    if (this.phase !== 'begin') return;
    this.place = cursor;
    this.mask = cursor.mask === undefined ? null : parseSnapshot(cursor.mask);
    this.startReplay();
  }

  private beginAnew(): void {
    if (this.phase === 'closed') return;
    this.detach();
    this.replay = null;
    this.mask = null;
    this.phase = 'snapshot';
    const { epoch, completeAt } = this.reader.hub;
    const at = new Date(completeAt).toISOString();
    this.ready = [{ kind: 'RESYNC', cursor: snapshotCursor(epoch), at, row: null }];
  }

  /** Listens first and reads then, so that nothing falls between; what the snapshot sees is not told again. */
  private async readSnapshot(): Promise<void> {
    if (this.phase !== 'snapshot') return;
    const { hub } = this.reader;
    const { epoch, place, snapshot } = hub;
    this.outbox.clear();
    this.place = place;
    this.attach();
    const { rows, seen, isQuiet } = await this.selectRows(snapshot as Snapshot);
    if (this.phase !== 'snapshot' || hub.epoch !== epoch) return;
    if (rows.length > SNAPSHOT_LIMIT) {
      this.close();
      throw badInput(`The snapshot has more than ${SNAPSHOT_LIMIT} rows: choose less.`);
    }
    const at = new Date().toISOString();
    const cursor = snapshotCursor(epoch);
    this.ready = rows.map((row) => ({ kind: 'SNAPSHOT', cursor, at, row }));
    this.mask = isQuiet || (hub.snapshot && covers(hub.snapshot, seen)) ? null : seen;
    this.dropSeen(seen);
    this.phase = 'live';
    this.ready.push({ kind: 'PROGRESS', cursor: this.cursorAt(place), at, row: null });
  }

  /** Changes that came while the snapshot was read and that it shows already. */
  private dropSeen(seen: Snapshot): void {
    const held: Item[] = [];
    for (let item = this.outbox.take(); item; item = this.outbox.take()) held.push(item);
    for (const item of held) if (!sees(seen, item.xid)) this.outbox.put({ ...item, mask: this.mask?.text });
  }

  private async selectRows(since: Snapshot): Promise<{ rows: Row[]; seen: Snapshot; isQuiet: boolean }> {
    const { table, key, snapshot, snapshotOrder, snapshotRows = SNAPSHOT_LIMIT + 1 } = this.topic;
    const { xmax, underWay } = unseenBy(since);
    const conditions = [...this.chosen.conditions, ...(snapshot ? [snapshot] : [])];
    const order: Sql = snapshotOrder ?? identifier(key);
    const found = await this.db.query<Row & { feedSeen: string; feedQuiet: boolean; feedHasRow: boolean | null }>(sql`
      select (select pg_current_snapshot()::text) as feed_seen,
             (select not exists (select from change_log where xid >= ${xmax}::xid8 or xid = any(${underWay}::xid8[]))) as feed_quiet,
             found.*
        from (values (true)) as one
        left join (select true as feed_has_row, chosen.* from ${identifier(table)} as chosen
                    where ${allOf(conditions)} order by ${order} limit ${snapshotRows}) as found on true`);
    const [first] = found;
    const rows = found.flatMap(({ feedSeen: _, feedQuiet: __, feedHasRow, ...row }) =>
      feedHasRow ? [row as Row] : [],
    );
    if (snapshotOrder) rows.reverse();
    return { rows, seen: parseSnapshot(first?.feedSeen ?? ''), isQuiet: first?.feedQuiet === true };
  }

  // Catching up ------------------------------------------------------------------------------------------------------

  private startReplay(): void {
    this.replay = null;
    this.phase = 'replay';
  }

  /** Goes on from its place by what the hub has kept, else by the log, until it stands where the hub stands. */
  private async catchUp(): Promise<void> {
    const { hub } = this.reader;
    const kept = this.replay ? null : hub.since(this.place);
    if (kept) return this.takeKept(kept);
    this.replay ??= new Replay(this.reader.db, this.reader.instants(), this.relation, this.place);
    const { replay } = this;
    const part = await this.reader.limit(() => replay.next());
    if (this.phase !== 'replay' || this.replay !== replay) return;
    for (const { change, place } of part ?? []) this.consider(change, place);
    if (part) this.place = replay.place;
    // At the log's end, or near it: the hub has the rest, or will have it.
    if (part === null || hub.since(this.place)) this.replay = null;
    if (part === null && !hub.since(this.place)) {
      if (await this.reader.knows({ epoch: hub.epoch, ...this.place })) this.goLive();
      else this.beginAnew();
    }
  }

  private takeKept(parts: NonNullable<ReturnType<FeedReader['hub']['since']>>): void {
    for (const { tick, changes } of parts) {
      for (const change of changes) {
        const place = { tick, position: change.seq };
        if (change.relation !== this.relation || compareCursors(place, this.place) <= 0) continue;
        if (!this.consider(change, place)) return; // full: the client takes these first
        this.place = place;
      }
    }
    const { place } = this.reader.hub;
    if (compareCursors(place, this.place) > 0) this.place = place;
    this.goLive();
  }

  private goLive(): void {
    this.replay = null;
    this.phase = 'live';
    this.attach();
    const { snapshot } = this.reader.hub;
    if (snapshot) this.settle(snapshot);
  }

  private consider(change: RowChange, place: Place): boolean {
    const item = this.itemOf(change, place);
    return !item || this.outbox.put(item);
  }

  // Parts ------------------------------------------------------------------------------------------------------------

  private itemOf(change: RowChange, place: Place): Item | null {
    if (this.mask && sees(this.mask, change.xid)) return null;
    const { op, key, row, was, at, xid } = change;
    const isIn = this.fits(row);
    const wasIn = !isIn && was !== null && this.fits({ ...row, ...was });
    if (!isIn && !wasIn) return null;
    const isGone = op === 'D' || wasIn;
    return {
      key,
      place,
      kind: isGone ? 'DELETE' : 'UPSERT',
      row: wasIn ? { ...row, ...was } : row,
      at,
      xid,
      mask: this.mask?.text,
    };
  }

  private fits(row: RowChange['row']): boolean {
    return this.chosen.fields.every(([field, values]) => values.has(String(row[field])));
  }

  private cursorAt({ tick, position }: Place, mask: string | null = this.mask?.text ?? null): string {
    const cursor: Cursor = { epoch: this.reader.hub.epoch, tick };
    if (position !== undefined) cursor.position = position;
    if (mask !== null) cursor.mask = mask;
    return formatCursor(cursor);
  }

  private attach(): void {
    if (this.isAttached) return;
    this.isAttached = true;
    this.reader.hub.attach(this);
  }

  private detach(): void {
    this.isAttached = false;
    this.reader.hub.detach(this);
  }

  private wakeUp(): void {
    this.wake?.();
  }

  private close(): void {
    this.phase = 'closed';
    this.detach();
    this.outbox.clear();
    this.ready = [];
    this.wakeUp();
  }
}
