/**
 * Where a domain's ticks arrive in this process, and from where their changes go to whoever listens. It knows the place
 * that it has reached and keeps the latest changes, so that a client that was away for a moment costs no database.
 */
import type { RowChange, TickPart } from './change.ts';
import { type Cursor, compareCursors } from './cursor.ts';
import { isLater, type Snapshot, sees } from './snapshot.ts';

export type Place = Pick<Cursor, 'tick' | 'position'>;

export interface Listener {
  relation: string;
  /** A column, by its camelCase name, and the values of it that concern this listener; without it every row does. */
  route?: { field: string; values: readonly string[] } | undefined;
  /** One change, in the order of the feed. Must not throw. */
  offer(change: RowChange, place: Place): void;
  /** A tick has ended, or nothing has happened until now: `snapshot` shows nothing that has not been offered. */
  settle(snapshot: Snapshot): void;
  /** The history is another one: nothing that was told holds. */
  reset(): void;
  /** Called a few times a second while the feed is alive. */
  beat(now: number): void;
}

/** Changes kept for those who come back. */
const RECENT_CHANGES = 20_000;

/** How often listeners hear that the feed is alive. */
const BEAT_MS = 250;

/** A feed that has not been seen to be complete for so long is stalled, and its listeners hear no beat. */
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
  /** When that was last known, in milliseconds of the clock. */
  completeAt = 0;
  private readonly listeners = new Set<Listener>();
  private readonly routes = new Map<string, Routes>();
  private recent: TickPart[] = [];
  private recentChanges = 0;
  /** Everything after this place is kept. */
  private recentFrom: Place = { tick: 0 };
  /** What had arrived when the current tick began. */
  private base: Snapshot | null = null;
  private readonly whenReady: (() => void)[] = [];
  private readonly timer: NodeJS.Timeout;

  constructor() {
    this.timer = setInterval(() => this.beat(), BEAT_MS);
    this.timer.unref();
  }

  get listenerCount(): number {
    return this.listeners.size;
  }

  /** Resolves once the feed has been reached for the first time. */
  ready(): Promise<void> {
    if (this.snapshot) return Promise.resolve();
    return new Promise((resolve) => this.whenReady.push(resolve));
  }

  /** Begins at a tick of a history; whoever listened before has missed what lies between, and begins anew. */
  start(epoch: string, tick: number, snapshot: Snapshot): void {
    const isAnew = this.epoch !== '';
    this.epoch = epoch;
    this.place = { tick };
    this.snapshot = snapshot;
    this.base = snapshot;
    this.completeAt = Date.now();
    this.recent = [];
    this.recentChanges = 0;
    this.recentFrom = this.place;
    if (isAnew) for (const listener of [...this.listeners]) listener.reset();
    for (const resolve of this.whenReady.splice(0)) resolve();
  }

  /**
   * Takes in the next part of the next tick, and offers its changes. A tick that PostgreSQL lost in a crash after it had
   * arrived here comes again under another number; what it brought is not told twice.
   */
  accept(part: TickPart): void {
    const { tick, isLast, snapshot } = part;
    const fresh = part.changes.filter(({ xid }) => !this.base || !sees(this.base, xid));
    this.keep({ ...part, changes: fresh });
    for (const change of fresh) {
      this.place = { tick, position: change.seq };
      this.offer(change, this.place);
    }
    if (!isLast) return;
    this.place = { tick };
    this.settle(snapshot);
  }

  /** Nothing that `snapshot` sees is still to come. */
  settle(snapshot: Snapshot): void {
    if (!this.snapshot || isLater(snapshot, this.snapshot)) this.snapshot = snapshot;
    this.base = this.snapshot;
    this.completeAt = Date.now();
    for (const listener of this.listeners) listener.settle(this.snapshot);
  }

  attach(listener: Listener): void {
    this.listeners.add(listener);
    for (const set of this.setsOf(listener, true)) set.add(listener);
  }

  detach(listener: Listener): void {
    if (!this.listeners.delete(listener)) return;
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
    clearInterval(this.timer);
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

  private beat(): void {
    const now = Date.now();
    if (now - this.completeAt > STALLED_MS) return;
    for (const listener of this.listeners) listener.beat(now);
  }
}
