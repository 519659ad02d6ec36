/** One client's subscription to services: those that are there or what it missed, then every change that is noticed. */
import { refuse } from '../../platform/errors.ts';
import { formatCursor, parseCursor, snapshotCursor } from '../../platform/feed/cursor.ts';
import { type ChangeEvent, PROGRESS_MS } from '../../platform/feed/row-changes.ts';
import type { ServiceInfo } from '../../platform/repositories/service-discovery.ts';
import { END, inTurn } from '../../platform/streams.ts';
import type { ServiceEvent, ServiceListener, ServiceWatch } from './service-watch.ts';

export type ServiceChangeEvent = ChangeEvent<ServiceInfo>;

export interface ServiceChangesOptions {
  /** Only services of this name. @default all */
  name: string | null | undefined;
  /** Cursor of the last event that the client has. @default begin with a snapshot */
  after: string | null | undefined;
}

/** Services that wait for one client at most: more than there can be at one time. */
const QUEUE_LIMIT = 2_000;

export function serviceChanges(
  watch: ServiceWatch,
  options: ServiceChangesOptions,
): AsyncIterableIterator<ServiceChangeEvent, undefined> {
  const changes = new ServiceChanges(watch, options);
  return inTurn(
    () => changes.step(),
    () => changes.end(),
  );
}

class ServiceChanges implements ServiceListener {
  private readonly watch: ServiceWatch;
  private readonly options: ServiceChangesOptions;
  private phase: 'begin' | 'live' | 'closed' = 'begin';
  /** What is told before anything else. */
  private ready: ServiceChangeEvent[] = [];
  /** The latest change of each service, in the order of the changes. */
  private readonly waiting = new Map<string, ServiceEvent>();
  private isProgressDue = false;
  private lastSentAt = 0;
  private wake: (() => void) | null = null;

  constructor(watch: ServiceWatch, options: ServiceChangesOptions) {
    this.watch = watch;
    this.options = options;
  }

  /** The next event. */
  async step(): Promise<IteratorResult<ServiceChangeEvent, undefined>> {
    for (;;) {
      if (this.phase === 'closed') return END;
      const event = this.ready.shift() ?? this.takeChange();
      if (event) return this.sent(event);
      if (this.phase === 'begin') await this.begin();
      else if (this.isProgressDue) return this.sent(this.progress());
      else await this.silence();
    }
  }

  offer(event: ServiceEvent): void {
    const { serviceId } = event.row;
    if (!this.fits(event.row)) return;
    this.waiting.delete(serviceId);
    this.waiting.set(serviceId, event);
    if (this.waiting.size > QUEUE_LIMIT) this.beginAnew();
    this.wake?.();
  }

  beat(): void {
    if (!this.wake || Date.now() - this.lastSentAt < PROGRESS_MS) return;
    this.isProgressDue = true;
    this.wake();
  }

  end(): void {
    this.phase = 'closed';
    this.watch.detach(this);
    this.wake?.();
  }

  /** Attaches and reads what there is in one go, so that nothing lies between. */
  private async begin(): Promise<void> {
    if (!(await this.watch.look())) throw refuse.domainUnavailable('registry');
    if (this.phase !== 'begin') return;
    this.phase = 'live';
    this.watch.attach(this);
    const { after } = this.options;
    if (after === null || after === undefined) {
      this.ready = this.snapshot();
      return;
    }
    const cursor = parseCursor(after);
    const missed = cursor?.epoch === this.watch.epoch ? this.watch.since(cursor.tick) : null;
    if (!missed) this.beginAnew();
    for (const event of missed ?? []) this.offer(event);
  }

  private beginAnew(): void {
    this.waiting.clear();
    const cursor = snapshotCursor(this.watch.epoch);
    this.ready = [{ ...this.progress(), kind: 'RESYNC', cursor }, ...this.snapshot()];
  }

  private snapshot(): ServiceChangeEvent[] {
    const end = this.progress();
    const cursor = snapshotCursor(this.watch.epoch);
    const services = this.watch.services().filter((service) => this.fits(service));
    return [...services.map((row) => ({ ...end, kind: 'SNAPSHOT' as const, cursor, row })), end];
  }

  private takeChange(): ServiceChangeEvent | undefined {
    const [first] = this.waiting.values();
    if (!first) return undefined;
    this.waiting.delete(first.row.serviceId);
    const { sequence, kind, at, row } = first;
    return { kind, cursor: this.cursorOf(sequence), at, row };
  }

  private progress(): ServiceChangeEvent {
    const at = new Date(this.watch.completeAt).toISOString();
    return { kind: 'PROGRESS', cursor: this.cursorOf(this.watch.sequence), at, row: null };
  }

  private cursorOf(sequence: number): string {
    return formatCursor({ epoch: this.watch.epoch, tick: sequence });
  }

  private fits({ serviceName }: ServiceInfo): boolean {
    const { name } = this.options;
    return name === null || name === undefined || name === serviceName;
  }

  private sent(value: ServiceChangeEvent): IteratorResult<ServiceChangeEvent, undefined> {
    this.lastSentAt = Date.now();
    this.isProgressDue = false;
    return { done: false, value };
  }

  private silence(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = () => {
        this.wake = null;
        resolve();
      };
    });
  }
}
