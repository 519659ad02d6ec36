/** Where one subscription stands in the feed: it reads its snapshot or what it missed, and then takes what the hub brings. */
import type { Database } from '../database/database.ts';
import type { RowChange, TickPart } from './change.ts';
import { type Cursor, compareCursors, formatCursor, parseCursor, snapshotCursor } from './cursor.ts';
import type { FeedReader } from './feed.ts';
import type { Hub, Listener, Place } from './hub.ts';
import { createOutbox, type Outbox, type Waiting } from './outbox.ts';
import { Replay } from './replay.ts';
import type { ChangeEvent } from './row-changes.ts';
import { covers, parseSnapshot, type Snapshot, sees } from './snapshot.ts';
import { readSnapshotRows } from './snapshot-rows.ts';
import { type Chosen, type Topic, whatHappenedTo } from './topic.ts';

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

export interface RowFollowerOptions<Row> {
  reader: FeedReader;
  db: Database;
  topic: Topic<Row>;
  chosen: Chosen;
  /** Cursor of the last event that the client has; null to begin with a snapshot. */
  after: string | null;
}

export class RowFollower<Row> implements Listener {
  readonly relation: string;
  readonly route: Listener['route'];
  phase: 'begin' | 'snapshot' | 'replay' | 'live' | 'closed' = 'begin';
  /** Events to be told before any change that waits: a snapshot's rows, a RESYNC. */
  ready: ChangeEvent<Row>[] = [];
  /** Called when a change begins to wait. */
  onChange: () => void = () => undefined;
  /** Called when what waited is void, and when all is over. */
  onBreak: () => void = () => undefined;
  /** Called a few times a second while the feed is alive. */
  onBeat: (now: number) => void = () => undefined;
  private readonly options: RowFollowerOptions<Row>;
  private readonly hub: Hub;
  private readonly outbox: Outbox<Item>;
  /** Counts the beginnings: what was awaited in an earlier one is void. */
  private generation = 0;
  /** The hub's breaks that this subscription knows of. */
  private breaks = 0;
  /** Everything up to here has been put into the outbox or concerns nobody. */
  private place: Place = { tick: 0 };
  private mask: Mask | null = null;
  private replay: Replay | null = null;
  private isAttached = false;

  constructor(options: RowFollowerOptions<Row>) {
    const { reader, topic, chosen } = options;
    this.options = options;
    this.hub = reader.hub;
    this.relation = topic.table;
    const [first] = chosen.fields;
    this.route = first && { field: first[0], values: [...first[1]] };
    this.outbox = createOutbox(topic.mode);
  }

  get waiting(): number {
    return this.outbox.size;
  }

  /** Whether the hub brings what comes. */
  get isLive(): boolean {
    return this.phase === 'live' && this.isAttached;
  }

  /** Whether the log is being read. */
  get isReplaying(): boolean {
    return this.replay?.at != null;
  }

  takeChange(): ChangeEvent<Row> | undefined {
    const item = this.outbox.take();
    if (!item) return undefined;
    const { kind, row, at, place, mask } = item;
    return { kind, cursor: this.cursorAt(place, mask), at, row: row as Row };
  }

  /** The place up to which all is told when nothing waits, and until when nothing else has happened. */
  standing(): { cursor: string; at: string } {
    return { cursor: this.cursorAt(this.place, this.mask), at: this.replay?.at ?? this.completeAt() };
  }

  /** Begins anew when what was told, or is masked, does not join on to what the hub brings. */
  lookForBreak(): void {
    if (this.isOutdated()) this.beginAnew();
  }

  /** The next step towards being live: afterwards something may be ready or wait. */
  async advance(): Promise<void> {
    const { reader } = this.options;
    await reader.ready();
    if (this.phase === 'begin') this.begin();
    else if (this.phase === 'snapshot') await reader.limit(() => this.readSnapshot());
    else if (this.phase === 'replay') await this.catchUp();
    else if (this.phase === 'live') this.phase = 'replay';
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
    if (item) this.onChange();
  }

  settle(snapshot: Snapshot): void {
    if (compareCursors(this.hub.place, this.place) > 0) this.place = this.hub.place;
    if (!this.mask || this.phase !== 'live') return;
    if (this.isOutdated()) this.beginAnew();
    else if (covers(snapshot, this.mask.seen)) this.mask = null;
  }

  reset(): void {
    this.beginAnew();
  }

  beat(now: number): void {
    this.onBeat(now);
  }

  end(): void {
    this.phase = 'closed';
    this.clear();
    this.ready = [];
    this.onBreak();
  }

  // Beginning --------------------------------------------------------------------------------------------------------

  private begin(): void {
    const { after } = this.options;
    this.breaks = this.hub.breaks;
    if (after === null) {
      this.phase = 'snapshot';
      return;
    }
    const cursor = parseCursor(after);
    if (cursor?.epoch !== this.hub.epoch) {
      this.beginAnew();
      return;
    }
    this.place = cursor;
    this.mask = cursor.mask === undefined ? null : { seen: parseSnapshot(cursor.mask), tick: cursor.tick };
    this.phase = 'replay';
  }

  private isOutdated(): boolean {
    const { breaks, openedAt } = this.hub;
    return this.phase !== 'begin' && (breaks !== this.breaks || (this.mask !== null && openedAt > this.mask.tick));
  }

  private beginAnew(): void {
    if (this.phase === 'closed') return;
    if (this.phase !== 'snapshot') {
      this.ready = [{ kind: 'RESYNC', cursor: snapshotCursor(this.hub.epoch), at: this.completeAt(), row: null }];
    }
    this.clear();
    this.breaks = this.hub.breaks;
    this.phase = 'snapshot';
    this.onBreak();
  }

  private clear(): void {
    this.generation++;
    this.detach();
    this.outbox.clear();
    this.replay = null;
    this.mask = null;
  }

  /** Listens first and reads then, so that nothing falls between; what the snapshot sees is not told again. */
  private async readSnapshot(): Promise<void> {
    const { hub, generation } = this;
    const { db, topic, chosen } = this.options;
    const { epoch, place, snapshot, openedAt } = hub;
    if (this.phase !== 'snapshot' || !hub.isJoined || !snapshot) return;
    this.outbox.clear();
    this.place = place;
    this.attach();
    const { rows, seen, isQuiet, at } = await readSnapshotRows(db, topic, chosen, snapshot);
    if (generation !== this.generation) return;
    if (!hub.isJoined || hub.openedAt !== openedAt) {
      this.detach(); // the snapshot is read again, and what came meanwhile is in it
      this.outbox.clear();
      return;
    }
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
    const { hub, generation } = this;
    const { reader } = this.options;
    const kept = this.replay ? null : hub.since(this.place);
    if (kept) return this.takeKept(kept);
    const replay = this.replay ?? new Replay(reader.db, reader.tables(), { relation: this.relation }, this.place);
    this.replay = replay;
    const part = await reader.limit(async () => (generation === this.generation ? replay.next() : 'end'));
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
  }

  private takeKept(parts: readonly TickPart[]): void {
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
    const { snapshot } = this.hub;
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
    const happened = whatHappenedTo(this.options.chosen, change);
    return happened && { ...happened, key: change.key, place, at: change.at, xid: change.xid, mask };
  }

  private cursorAt({ tick, position }: Place, mask: Mask | null): string {
    const cursor: Cursor = { epoch: this.hub.epoch, tick };
    if (position !== undefined) cursor.position = position;
    if (mask) cursor.mask = mask.seen.text;
    return formatCursor(cursor);
  }

  private completeAt(): string {
    return new Date(this.hub.completeAt).toISOString();
  }

  private attach(): void {
    this.isAttached = true;
    this.hub.attach(this);
  }

  private detach(): void {
    this.isAttached = false;
    this.hub.detach(this);
  }
}
