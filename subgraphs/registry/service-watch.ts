/**
 * Which services there are, looked at again and again, and what has changed between two looks. Whoever comes, changes or
 * goes is noticed, whichever process of the registry was told, and also who only falls silent.
 */
import { randomBytes } from 'node:crypto';
import { isHealthy, type ServiceInfo } from '../../platform/repositories/service-discovery.ts';

/** One change, as it is told. Of a service that has gone it holds what was last known. */
export interface ServiceEvent {
  /** Numbers the changes of this process, from 1. */
  sequence: number;
  kind: 'UPSERT' | 'DELETE';
  /** When it was noticed, RFC 3339. */
  at: string;
  row: ServiceInfo;
}

export interface ServiceListener {
  offer(event: ServiceEvent): void;
  /** Called after each look. */
  beat(): void;
  end(): void;
}

/** Time between two looks: what another process of the registry was told, or was not, is told here so much later. */
const LOOK_MS = 500;

/** Changes kept for those who come back. */
const RECENT_EVENTS = 1_000;

export class ServiceWatch {
  /** Names what the sequence numbers belong to: this process. */
  readonly epoch = randomBytes(6).toString('hex');
  sequence = 0;
  /** Begin of the last look that succeeded, in milliseconds; everything until then has been told. */
  completeAt = 0;
  private readonly list: () => Promise<ServiceInfo[]>;
  private readonly now: () => number;
  private readonly listeners = new Set<ServiceListener>();
  private known = new Map<string, { service: ServiceInfo; wasHealthy: boolean }>();
  private recent: ServiceEvent[] = [];
  private looking: Promise<boolean> | undefined;
  private timer: NodeJS.Timeout | undefined;
  /** Whether something was written that the look under way may have missed. */
  private hasRung = false;
  private isClosed = false;

  /**
   * @param list the services that are there
   * @param now the clock that says how old a heartbeat is, in milliseconds
   */
  constructor(list: () => Promise<ServiceInfo[]>, now: () => number) {
    this.list = list;
    this.now = now;
    this.next(0);
  }

  /** The services as they were told last. */
  services(): ServiceInfo[] {
    return [...this.known.values()].map(({ service }) => service);
  }

  /** What came after the change of that number; null when it is no longer, or not yet, known here. */
  since(sequence: number): readonly ServiceEvent[] | null {
    if (sequence > this.sequence || sequence < this.sequence - this.recent.length) return null;
    return this.recent.filter((event) => event.sequence > sequence);
  }

  /** Something was written here: looks at once. */
  ring(): void {
    this.hasRung = true;
    if (!this.looking) this.next(0);
  }

  /** Looks now, or waits for the look under way. Says whether it succeeded; until the first has, nothing is known. */
  look(): Promise<boolean> {
    this.looking ??= this.lookOnce().finally(() => {
      this.looking = undefined;
      this.next(this.hasRung ? 0 : LOOK_MS);
    });
    return this.looking;
  }

  attach(listener: ServiceListener): void {
    this.listeners.add(listener);
  }

  detach(listener: ServiceListener): void {
    this.listeners.delete(listener);
  }

  async stop(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    await this.looking;
    for (const listener of [...this.listeners]) listener.end();
  }

  private next(inMs: number): void {
    clearTimeout(this.timer);
    if (!this.isClosed) this.timer = setTimeout(() => void this.look(), inMs).unref();
  }

  private async lookOnce(): Promise<boolean> {
    this.hasRung = false;
    const startedAt = Date.now();
    let found: ServiceInfo[];
    try {
      found = await this.list();
    } catch {
      return false; // whoever asks for the services is told why
    }
    this.completeAt = startedAt;
    this.compare(found);
    for (const listener of [...this.listeners]) listener.beat();
    return true;
  }

  private compare(found: readonly ServiceInfo[]): void {
    const before = this.known;
    this.known = new Map();
    for (const service of found) {
      const wasHealthy = isHealthy(service, this.now());
      const last = before.get(service.serviceId);
      this.known.set(service.serviceId, { service, wasHealthy });
      before.delete(service.serviceId);
      if (!last || last.wasHealthy !== wasHealthy || whatIsTold(last.service) !== whatIsTold(service)) {
        this.tell('UPSERT', service);
      }
    }
    for (const { service } of before.values()) this.tell('DELETE', service);
  }

  private tell(kind: ServiceEvent['kind'], row: ServiceInfo): void {
    const event = { sequence: ++this.sequence, kind, at: new Date(this.completeAt).toISOString(), row };
    this.recent.push(event);
    if (this.recent.length > RECENT_EVENTS) this.recent.shift();
    for (const listener of [...this.listeners]) listener.offer(event);
  }
}

/** A heartbeat alone is no change. */
function whatIsTold({ lastSeen: _, metadata, ...service }: ServiceInfo): string {
  return JSON.stringify([Object.entries(service).sort(), Object.entries(metadata).sort()]);
}
