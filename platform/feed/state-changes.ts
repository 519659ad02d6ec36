/**
 * One client's subscription to something that is made of many rows and prices, such as a portfolio or an order book: it
 * is told whole, whenever something moves it depends on, and no more often than it wishes.
 */
import { END, inTurn } from '../streams.ts';
import { formatCursor, parseCursor, snapshotCursor } from './cursor.ts';
import type { FeedReader } from './feed.ts';
import type { Listener } from './hub.ts';
import { type ChangeEvent, PROGRESS_MS } from './row-changes.ts';

export interface StateChangesOptions<State> {
  /** Whose changes move it. */
  sources: readonly Pick<Listener, 'relation' | 'route'>[];
  /** What else moves it: calls `touch`, until the function that it gives is called. */
  watch?: (touch: () => void) => () => void;
  /** The state as it is now. */
  read(): State | Promise<State>;
  minIntervalMs: number;
  /** Cursor of the last event that the client has. @default begin with a snapshot */
  after?: string | null | undefined;
}

export function stateChanges<State>(
  reader: FeedReader,
  options: StateChangesOptions<State>,
): AsyncIterableIterator<ChangeEvent<State>, undefined> {
  const changes = new StateChanges(reader, options);
  return inTurn(
    () => changes.step(),
    () => changes.close(),
  );
}

class StateChanges<State> {
  private readonly reader: FeedReader;
  private readonly options: StateChangesOptions<State>;
  private readonly listeners: Listener[];
  private unwatch: (() => void) | undefined;
  private phase: 'begin' | 'snapshot' | 'live' | 'closed' = 'begin';
  /** Counts the beginnings: what was read in an earlier one is void. */
  private generation = 0;
  private ready: ChangeEvent<State>[] = [];
  private isTouched = false;
  private isProgressDue = false;
  private lastToldAt = 0;
  /** The clock, in milliseconds: several events may be told at one place of the feed, and follow each other none the less. */
  private position = 0;
  private lastSentAt = 0;
  private wake: (() => void) | null = null;

  constructor(reader: FeedReader, options: StateChangesOptions<State>) {
    this.reader = reader;
    this.options = options;
    this.listeners = options.sources.map((source) => ({
      ...source,
      offer: () => this.touch(),
      settle: () => undefined,
      reset: () => this.beginAnew(),
      beat: (now) => this.beat(now),
      end: () => this.close(),
    }));
  }

  /** The next event. */
  async step(): Promise<IteratorResult<ChangeEvent<State>, undefined>> {
    for (;;) {
      if (this.phase === 'closed') return END;
      const event = this.ready.shift();
      if (event) return this.sent(event);
      if (this.phase === 'begin') await this.begin();
      else if (this.phase === 'snapshot') await this.tell('SNAPSHOT');
      else if (this.isTouched && this.dueInMs() <= 0) await this.tell('UPSERT');
      else if (this.isProgressDue) return this.sent(this.event('PROGRESS', null));
      else await this.silence();
    }
  }

  private async begin(): Promise<void> {
    await this.reader.ready();
    if (this.phase !== 'begin') return;
    for (const listener of this.listeners) this.reader.hub.attach(listener);
    this.unwatch = this.options.watch?.(() => this.touch());
    const { after = null } = this.options;
    const cursor = after === null ? null : parseCursor(after);
    if (after === null) this.phase = 'snapshot';
    else if (cursor?.epoch !== this.reader.hub.epoch) this.beginAnew();
    else {
      this.phase = 'live';
      this.isTouched = true; // whatever moved it meanwhile: the client gets it as it is now
    }
  }

  private beginAnew(): void {
    if (this.phase === 'closed') return;
    this.generation++;
    this.phase = 'snapshot';
    this.ready = [{ ...this.event('RESYNC', null), cursor: snapshotCursor(this.reader.hub.epoch) }];
    this.wake?.();
  }

  /** The place is taken before the state is read: what the state shows beyond it may be told again, and nothing is missed. */
  private async tell(kind: 'SNAPSHOT' | 'UPSERT'): Promise<void> {
    const { generation } = this;
    this.isTouched = false;
    this.lastToldAt = Date.now();
    const told = this.event(kind, null);
    const row = await this.options.read();
    if (generation !== this.generation) return;
    this.phase = 'live';
    if (kind === 'UPSERT') this.ready.push({ ...told, row });
    else
      this.ready.push({ ...told, row, cursor: snapshotCursor(this.reader.hub.epoch) }, { ...told, kind: 'PROGRESS' });
  }

  private event(kind: ChangeEvent<State>['kind'], row: State | null): ChangeEvent<State> {
    const { epoch, place, completeAt } = this.reader.hub;
    const at = kind === 'PROGRESS' ? completeAt : Date.now();
    this.position = Math.max(this.position, Date.now());
    const cursor = formatCursor({ epoch, tick: place.tick, position: this.position });
    return { kind, cursor, at: new Date(at).toISOString(), row };
  }

  private sent(value: ChangeEvent<State>): IteratorResult<ChangeEvent<State>, undefined> {
    this.lastSentAt = Date.now();
    this.isProgressDue = false;
    return { done: false, value };
  }

  private dueInMs(): number {
    return this.lastToldAt + this.options.minIntervalMs - Date.now();
  }

  private silence(): Promise<void> {
    return new Promise((resolve) => {
      const timer = this.isTouched ? setTimeout(() => this.wake?.(), this.dueInMs()) : undefined;
      this.wake = () => {
        clearTimeout(timer);
        this.wake = null;
        resolve();
      };
    });
  }

  private touch(): void {
    if (this.isTouched) return;
    this.isTouched = true;
    this.wake?.();
  }

  private beat(now: number): void {
    if (!this.wake || this.isTouched || now - this.lastSentAt < PROGRESS_MS) return;
    this.isProgressDue = true;
    this.wake();
  }

  close(): void {
    this.phase = 'closed';
    this.generation++;
    this.unwatch?.();
    for (const listener of this.listeners) this.reader.hub.detach(listener);
    this.ready = [];
    this.wake?.();
  }
}
