/**
 * Where a domain's ticks arrive in this process, and from where their changes go to whoever listens. It knows the place
 * that it has reached and keeps the latest changes, so that a client that was away for a moment costs no database.
 */
import type { RowChange, TickPart } from './change.ts';
import { type Cursor, compareCursors } from './cursor.ts';
import type { Mirror } from './mirror.ts';
import { isLater, type Snapshot } from './snapshot.ts';
import { ToldBefore } from './told-before.ts';

export type Place = Pick<Cursor, 'tick' | 'position'>;

export interface Listener {
  relation: string;
  /** A column, by its camelCase name, and the values of it that concern this listener; without it every row does. */
  route?: { field: string; values: readonly string[] } | undefined;
  /** One change, in the order of the feed. Must not throw. */
  offer(change: RowChange, place: Place): void;
  /** A tick has ended, or nothing has happened until now: `snapshot` shows nothing that has not been offered. */
  settle(snapshot: Snapshot): void;
  /** What comes does not join on to what was told. */
  reset(): void;
  /** Called a few times a second while the feed is alive. */
  beat(now: number): void;
  /** The feed is closed. */
  end?(): void;
}

/** Changes kept for those who come back. */
const RECENT_CHANGES = 20_000;

/** How often a listener hears that the feed is alive. */
const BEAT_MS = 250;

/** So many of them hear it together, the others one share after the other: thousands at once would hold up every change. */
const LISTENERS_A_SHARE = 25;

/** Shares at most: each wakes the process. */
const SHARES = 20;

/** A feed that has not been heard of for so long is stalled, and its listeners hear no beat. */
const STALLED_MS = 2_000; // 2 seconds

interface Routes {
  every: Set<Listener>;
  byField: Map<string, Map<string, Set<Listener>>>;
}

export class Hub {
  epoch = '';
  place: Place = { tick: 0 };
  /** Everything it sees has arrived here. */
  snapshot: Snapshot | null = null;
  /** Everything committed until then has arrived, in milliseconds of the database's clock. */
  completeAt = 0;
  /** Counts the times when what came did not join on to what had come before. */
  breaks = 0;
  /**
   * Tick with which the present leader began. A crash of the database may have been before it, and gives the numbers of
   * lost transactions to others: snapshots that were read before this tick say nothing about what comes after it.
   */
  openedAt = 0;
  /** Whether what PostgreSQL shows now joins on to what comes. */
  isJoined = false;
  /** When the feed was last known to be whole here, by this process's clock. */
  private heardAt = 0;
  private readonly awaiting = new Set<(isReached: boolean) => void>();
  private readonly mirror: Mirror | undefined;
  private readonly told = new ToldBefore();
  private readonly listeners = new Set<Listener>();
  private readonly routes = new Map<string, Routes>();
  private recent: TickPart[] = [];
  private recentChanges = 0;
  /** Everything after this place is kept. */
  private recentFrom: Place = { tick: 0 };
  /** Where the beat has got to among the listeners; it keeps its place though they come and go. */
  private round = this.listeners.values();
  private timer: NodeJS.Timeout | undefined;

  /** @param mirror is told of everything before any listener is */
  constructor(mirror?: Mirror) {
    this.mirror = mirror;
  }

  /** Whether what has arrived is all there is, but for the feed's lag. */
  isAlive(now: number): boolean {
    return this.isJoined && now - this.heardAt <= STALLED_MS;
  }

  get listenerCount(): number {
    return this.listeners.size;
  }

  /** How long nothing has been heard of the feed, in milliseconds. */
  get silentMs(): number {
    return Date.now() - this.heardAt;
  }

  /** Whether the feed is reached, or will be within so long. */
  reached(patienceMs: number): Promise<boolean> {
    if (this.isJoined) return Promise.resolve(true);
    return new Promise((resolve) => {
      const answer = (isReached: boolean) => {
        clearTimeout(timer);
        this.awaiting.delete(answer);
        resolve(isReached);
      };
      const timer = setTimeout(answer, patienceMs, false);
      this.awaiting.add(answer);
    });
  }

  /** Begins at a tick; what listeners were told before does not join on to it. */
  start({ epoch, tick, snapshot, at }: Pick<TickPart, 'epoch' | 'tick' | 'snapshot' | 'at'>): void {
    const isFirst = this.epoch === '';
    this.epoch = epoch;
    this.place = { tick };
    this.openedAt = tick;
    this.snapshot = snapshot;
    this.completeAt = Date.parse(at);
    this.heardAt = Date.now();
    this.recent = [];
    this.recentChanges = 0;
    this.recentFrom = this.place;
    this.told.forget();
    this.mirror?.begin(epoch, tick, snapshot);
    this.join();
    if (isFirst) return;
    this.breaks++;
    for (const listener of [...this.listeners]) listener.reset();
  }

  /** The database is away: until the feed is back, a snapshot of rows could not be joined on to it. */
  interrupt(): void {
    this.isJoined = false;
  }

  /** The feed is back and stands where it stood. What the snapshot sees had arrived, and is known to be stored. */
  rejoin(snapshot: Snapshot): void {
    this.snapshot = snapshot;
    this.join();
  }

  /** Takes in the next part of the next tick, and offers its changes. */
  accept(part: TickPart): void {
    const { tick, isLast, snapshot } = part;
    const isOpening = part.changes.length === 0 && part.since.text === snapshot.text;
    if (isOpening) this.open(part);
    else this.mirror?.take(part);
    const changes = this.told.without(part.changes);
    this.keep({ ...part, changes });
    for (const change of changes) {
      this.place = { tick, position: change.seq };
      this.offer(change, this.place);
    }
    if (!isLast) return;
    this.place = { tick };
    if (!isOpening) this.told.forget();
    this.arrive(part);
  }

  /** Nothing that `snapshot` sees is still to come. */
  settle(snapshot: Snapshot, at: string): void {
    this.told.forget();
    this.arrive({ snapshot, at });
  }

  attach(listener: Listener): void {
    if (this.listeners.has(listener)) return;
    this.listeners.add(listener);
    this.timer ??= this.nextBeat();
    for (const set of this.setsOf(listener, true)) set.add(listener);
  }

  detach(listener: Listener): void {
    if (!this.listeners.delete(listener)) return;
    if (this.listeners.size === 0) this.stopBeating();
    for (const set of this.setsOf(listener, false)) set.delete(listener);
    this.sweep(listener);
  }

  /** The kept parts from the place's tick on, or null when the place is none that is known here. */
  since(place: Place): readonly TickPart[] | null {
    const isKnown =
      place.tick === this.recentFrom.tick ||
      place.tick === this.place.tick ||
      this.recent.some((part) => part.tick === place.tick);
    if (!isKnown || compareCursors(place, this.recentFrom) < 0) return null;
    return this.recent.filter((part) => part.tick >= place.tick);
  }

  close(): void {
    this.stopBeating();
    for (const listener of [...this.listeners]) listener.end?.();
    for (const answer of [...this.awaiting]) answer(false);
  }

  /** A leader begins with what is stored: what had arrived beyond it will come again. */
  private open({ epoch, tick, snapshot }: TickPart): void {
    this.mirror?.begin(epoch, tick, snapshot);
    this.told.remember(this.recent, snapshot);
    this.snapshot = snapshot;
    this.openedAt = tick;
    this.join();
  }

  private join(): void {
    this.isJoined = true;
    for (const answer of [...this.awaiting]) answer(true);
  }

  private arrive({ snapshot, at }: Pick<TickPart, 'snapshot' | 'at'>): void {
    if (!this.snapshot || isLater(snapshot, this.snapshot)) this.snapshot = snapshot;
    this.completeAt = Math.max(this.completeAt, Date.parse(at));
    this.heardAt = Date.now();
    for (const listener of this.listeners) listener.settle(this.snapshot);
  }

  private keep(part: TickPart): void {
    this.recent.push(part);
    this.recentChanges += part.changes.length;
    while (this.recentChanges > RECENT_CHANGES || this.recent.length > RECENT_CHANGES) {
      const gone = this.recent.shift() as TickPart;
      this.recentChanges -= gone.changes.length;
      const last = gone.changes.at(-1);
      this.recentFrom = gone.isLast || !last ? { tick: gone.tick } : { tick: gone.tick, position: last.seq };
    }
  }

  private offer(change: RowChange, place: Place): void {
    const routes = this.routes.get(change.relation);
    if (!routes) return;
    for (const listener of routes.every) listener.offer(change, place);
    for (const [field, byValue] of routes.byField) {
      const now = byValue.get(String(change.row[field]));
      for (const listener of now ?? []) listener.offer(change, place);
      const before = change.was && field in change.was ? byValue.get(String(change.was[field])) : undefined;
      for (const listener of before ?? []) if (!now?.has(listener)) listener.offer(change, place);
    }
  }

  private setsOf({ relation, route }: Listener, create: boolean): Set<Listener>[] {
    let routes = this.routes.get(relation);
    if (!routes) {
      if (!create) return [];
      routes = { every: new Set(), byField: new Map() };
      this.routes.set(relation, routes);
    }
    if (!route) return [routes.every];
    const byValue = routes.byField.get(route.field) ?? new Map<string, Set<Listener>>();
    routes.byField.set(route.field, byValue);
    return route.values.map((value) => {
      const set = byValue.get(value) ?? new Set<Listener>();
      byValue.set(value, set);
      return set;
    });
  }

  /** Values that nobody asks for any more are forgotten. */
  private sweep({ relation, route }: Listener): void {
    const byValue = route && this.routes.get(relation)?.byField.get(route.field);
    for (const value of route?.values ?? []) if (byValue?.get(value)?.size === 0) byValue.delete(value);
  }

  private nextBeat(): NodeJS.Timeout {
    return setTimeout(() => this.beat(), BEAT_MS / this.shares()).unref();
  }

  private shares(): number {
    return Math.max(1, Math.min(SHARES, Math.ceil(this.listeners.size / LISTENERS_A_SHARE)));
  }

  private beat(): void {
    this.timer = undefined;
    const now = Date.now();
    const count = now - this.heardAt > STALLED_MS ? 0 : Math.ceil(this.listeners.size / this.shares());
    for (let told = 0; told < count && this.listeners.size > 0; told++) this.nextInRound()?.beat(now);
    if (this.listeners.size > 0) this.timer ??= this.nextBeat();
  }

  private nextInRound(): Listener | undefined {
    const next = this.round.next();
    if (!next.done) return next.value;
    this.round = this.listeners.values();
    return this.round.next().value;
  }

  private stopBeating(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
