/** One client's subscription to the rows of a topic: a snapshot or what it missed, then every change as it is committed. */
import type { Database } from '../database/database.ts';
import type { RowChange } from './change.ts';
import { type Cursor, compareCursors, formatCursor, parseCursor, snapshotCursor } from './cursor.ts';
import type { FeedReader } from './feed.ts';
import type { Listener, Place } from './hub.ts';
import { createOutbox, type Outbox, type Waiting } from './outbox.ts';
import { Replay } from './replay.ts';
import { RoundTimer } from './round-timer.ts';
import { covers, parseSnapshot, type Snapshot, sees } from './snapshot.ts';
import { readSnapshotRows } from './snapshot-rows.ts';
import { type Choice, type Chosen, choose, type Topic, whatHappenedTo } from './topic.ts';

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

/** Silence after which a client is told that there was nothing to tell: with a beat of the hub less than a second. */
export const PROGRESS_MS = 650;

interface Item extends Waiting {
  kind: 'UPSERT' | 'DELETE';
  row: unknown;
  at: string;
  xid: number;
  mask: Mask | null;
}

/**
 * What a client's snapshot showed beyond its place, while the feed has not come that far: changes that it sees have been
 * told. Taken at a tick; after another leader's opening it means nothing (see Hub.openedAt).
 */
interface Mask {
  seen: Snapshot;
  tick: number;
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
  private readonly after: string | null;
  private phase: 'begin' | 'snapshot' | 'replay' | 'live' | 'closed' = 'begin';
  /** Counts the beginnings: what was awaited in an earlier one is void. */
  private generation = 0;
  /** The hub's breaks that this subscription knows of. */
  private breaks = 0;
  /** Events made already: a snapshot's rows, a RESYNC. */
  private ready: ChangeEvent<Row>[] = [];
  private readonly outbox: Outbox<Item>;
  private readonly rounds: RoundTimer;
  /** Everything up to here has been put into the outbox or concerns nobody. */
  private place: Place = { tick: 0 };
  private mask: Mask | null = null;
  private replay: Replay | null = null;
  private isAttached = false;
  private wake: (() => void) | null = null;
  /** Whether the client waits though there is something for it: the next round is not due. */
  private isHeld = false;
  private isProgressDue = false;
  private last: Pick<ChangeEvent<Row>, 'cursor' | 'at'> | null = null;
  private lastSentAt = 0;
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
    this.rounds = new RoundTimer(options.minIntervalMs ?? 0);
    this.after = options.after ?? null;
  }

  [Symbol.asyncIterator]() {
    return this;
  }

  next(): Promise<IteratorResult<ChangeEvent<Row>, undefined>> {
    const next = this.taken
      .then(() => this.step())
      .catch((error: unknown) => {
        this.end();
        throw error;
      });
    this.taken = next.catch(() => undefined);
    return next;
  }

  async return(): Promise<IteratorResult<ChangeEvent<Row>, undefined>> {
    this.end();
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
    if (item && !this.isHeld) this.wake?.();
  }

  settle(snapshot: Snapshot): void {
    const { place } = this.reader.hub;
    if (compareCursors(place, this.place) > 0) this.place = place;
    if (!this.mask || this.phase !== 'live') return;
    if (this.isOutdated()) this.wake?.();
    else if (covers(snapshot, this.mask.seen)) this.mask = null;
  }

  reset(): void {
    this.beginAnew();
    this.wake?.();
  }

  beat(now: number): void {
    if (!this.wake || now - this.lastSentAt < PROGRESS_MS) return;
    this.isProgressDue = true;
    this.wake();
  }

  end(): void {
    this.phase = 'closed';
    this.generation++;
    this.detach();
    this.outbox.clear();
    this.ready = [];
    this.wake?.();
  }

  // What the client gets ---------------------------------------------------------------------------------------------

  private async step(): Promise<IteratorResult<ChangeEvent<Row>, undefined>> {
    for (;;) {
      if (this.phase === 'closed') return END;
      if (this.isOutdated()) this.beginAnew();
      const event = this.ready.shift() ?? this.takeChange();
      if (event) return this.sent(event);
      if (this.isProgressDue) return this.sent(this.progress());
      if (this.outbox.size > 0) await this.silence();
      else await this.advance();
    }
  }

  private async advance(): Promise<void> {
    if (this.phase === 'live' && this.isAttached) return this.silence();
    await this.reader.ready();
    if (this.phase === 'begin') this.begin();
    else if (this.phase === 'snapshot') await this.reader.limit(() => this.readSnapshot());
    else if (this.phase === 'replay') await this.catchUp();
    else if (this.phase === 'live') this.phase = 'replay';
  }

  private sent(value: ChangeEvent<Row>): IteratorResult<ChangeEvent<Row>, undefined> {
    this.last = value;
    this.lastSentAt = Date.now();
    this.isProgressDue = false;
    return { done: false, value };
  }

  private takeChange(): ChangeEvent<Row> | undefined {
    if (!this.rounds.letsOut(this.outbox.size)) return undefined;
    const item = this.outbox.take();
    if (!item) return undefined;
    const { kind, row, at, place, mask } = item;
    return { kind, cursor: this.cursorAt(place, mask), at, row: row as Row };
  }

  /** Until something is to be told, or the next round is due. */
  private silence(): Promise<void> {
    this.isHeld = this.outbox.size > 0;
    return new Promise((resolve) => {
      const timer = this.isHeld ? setTimeout(() => this.wake?.(), this.rounds.dueInMs()) : undefined;
      this.wake = () => {
        clearTimeout(timer);
        this.wake = null;
        this.isHeld = false;
        resolve();
      };
    });
  }

  /** While changes wait for their round, the client stands where it stood. */
  private progress(): ChangeEvent<Row> {
    if (this.outbox.size > 0 && this.last) return { ...this.last, kind: 'PROGRESS', row: null };
    const at = this.replay?.at ?? this.completeAt();
    return { kind: 'PROGRESS', cursor: this.cursorAt(this.place, this.mask), at, row: null };
  }

  // Beginning --------------------------------------------------------------------------------------------------------

  private begin(): void {
    const { epoch, breaks } = this.reader.hub;
    this.breaks = breaks;
    this.lastSentAt = Date.now();
    if (this.after === null) {
      this.phase = 'snapshot';
      return;
    }
    const cursor = parseCursor(this.after);
    if (cursor?.epoch !== epoch) {
      this.beginAnew();
      return;
    }
    this.place = cursor;
    this.mask = cursor.mask === undefined ? null : { seen: parseSnapshot(cursor.mask), tick: cursor.tick };
    this.phase = 'replay';
  }

  /** Whether what was told, or is masked, does not join on to what the hub brings. */
  private isOutdated(): boolean {
    const { breaks, openedAt } = this.reader.hub;
    return this.phase !== 'begin' && (breaks !== this.breaks || (this.mask !== null && openedAt > this.mask.tick));
  }

  private beginAnew(): void {
    if (this.phase === 'closed') return;
    const { epoch, breaks } = this.reader.hub;
    if (this.phase !== 'snapshot') {
      this.ready = [{ kind: 'RESYNC', cursor: snapshotCursor(epoch), at: this.completeAt(), row: null }];
    }
    this.generation++;
    this.breaks = breaks;
    this.detach();
    this.outbox.clear();
    this.rounds.clear();
    this.replay = null;
    this.mask = null;
    this.isProgressDue = false;
    this.phase = 'snapshot';
  }

  /** Listens first and reads then, so that nothing falls between; what the snapshot sees is not told again. */
  private async readSnapshot(): Promise<void> {
    const { hub } = this.reader;
    const { generation } = this;
    const { epoch, place, snapshot, openedAt } = hub;
    if (this.phase !== 'snapshot' || !hub.isJoined || !snapshot) return;
    this.outbox.clear();
    this.place = place;
    this.attach();
    const { rows, seen, isQuiet, at } = await readSnapshotRows(this.db, this.topic, this.chosen, snapshot);
    if (generation !== this.generation || !hub.isJoined || hub.openedAt !== openedAt) return;
    const mask = isQuiet ? null : { seen, tick: place.tick };
    this.dropSeen(seen, mask);
    this.mask = mask && this.isAttached && hub.snapshot && covers(hub.snapshot, seen) ? null : mask;
    const cursor = this.outbox.size > 0 ? this.cursorAt(place, mask) : this.cursorAt(this.place, this.mask);
    this.ready.push(...rows.map((row) => ({ kind: 'SNAPSHOT' as const, cursor: snapshotCursor(epoch), at, row })));
    this.ready.push({ kind: 'PROGRESS', cursor, at, row: null });
    this.phase = 'live';
  }

  /** Changes that came while the snapshot was read and that it shows already. */
  private dropSeen(seen: Snapshot, mask: Mask | null): void {
    const held: Item[] = [];
    for (let item = this.outbox.take(); item; item = this.outbox.take()) held.push(item);
    for (const item of held) if (!sees(seen, item.xid)) this.outbox.put({ ...item, mask });
  }

  // Catching up ------------------------------------------------------------------------------------------------------

  /** Goes on from its place by what the hub has kept, else by the log, until it stands where the hub stands. */
  private async catchUp(): Promise<void> {
    const { hub } = this.reader;
    const { generation } = this;
    const kept = this.replay ? null : hub.since(this.place);
    if (kept) return this.takeKept(kept);
    const replay = this.replay ?? new Replay(this.reader.db, this.reader.instants(), this.relation, this.place);
    this.replay = replay;
    const part = await this.reader.limit(async () => (generation === this.generation ? replay.next() : 'end'));
    if (generation !== this.generation) return;
    if (part === 'gone') return this.beginAnew();
    if (part === 'end') {
      this.replay = null;
      if (compareCursors(this.place, hub.place) > 0) this.goLive(); // the hub has not come so far, and brings the rest
      return;
    }
    for (const { change, place } of part) this.consider(change, place); // there is room: the outbox was empty
    this.place = replay.place;
    if (hub.since(this.place)) this.replay = null;
    else if (Date.now() - this.lastSentAt >= PROGRESS_MS) this.isProgressDue = true;
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
    this.goLive();
  }

  private goLive(): void {
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
    const { mask } = this;
    if (mask && sees(mask.seen, change.xid)) return null;
    const happened = whatHappenedTo(this.chosen, change);
    return happened && { ...happened, key: change.key, place, at: change.at, xid: change.xid, mask };
  }

  private cursorAt({ tick, position }: Place, mask: Mask | null): string {
    const cursor: Cursor = { epoch: this.reader.hub.epoch, tick };
    if (position !== undefined) cursor.position = position;
    if (mask) cursor.mask = mask.seen.text;
    return formatCursor(cursor);
  }

  private completeAt(): string {
    return new Date(this.reader.hub.completeAt).toISOString();
  }

  private attach(): void {
    this.isAttached = true;
    this.reader.hub.attach(this);
  }

  private detach(): void {
    this.isAttached = false;
    this.reader.hub.detach(this);
  }
}
