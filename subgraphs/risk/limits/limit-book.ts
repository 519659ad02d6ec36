/** The limits in force, in memory: every process follows its own feed, so that checking an order costs no statement. */
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from '../../../platform/database/sql.ts';
import type { Listener } from '../../../platform/feed/hub.ts';
import type { ServiceParts } from '../../../platform/subgraph.ts';
import type { BreakerRow } from '../breaker/breaker.ts';
import { allEnabled, isInForce, type Limit, limitOf, type RiskLimitRow } from './limits.ts';

const RETRY_MS = 500;

export class LimitBook {
  private readonly parts: ServiceParts;
  private readonly listeners: Listener[];
  private readonly touched: () => void;
  private limits: Limit[] = [];
  private breakerRow: BreakerRow | null = null;
  private isRead = false;
  private reading: Promise<void> | null = null;
  private isStopped = false;
  /** Counts what arrived: a read that began before is not the last word. */
  private generation = 0;

  /** @param touched is called when a limit has changed */
  constructor(parts: ServiceParts, touched: () => void) {
    this.parts = parts;
    this.touched = touched;
    this.listeners = ['risk_limits', 'circuit_breakers'].map((relation) => ({
      relation,
      offer: () => this.changed(),
      settle: () => undefined,
      beat: () => undefined,
      reset: () => this.changed(),
    }));
    for (const listener of this.listeners) parts.feed.hub.attach(listener);
    void this.read();
  }

  /** Limits that are in force now. */
  inForce(): Limit[] {
    const now = this.parts.now();
    return this.limits.filter(({ row }) => isInForce(row, now));
  }

  hasAny(): boolean {
    return this.limits.length > 0;
  }

  breaker(): BreakerRow | null {
    return this.breakerRow;
  }

  /** Whether what is here is what is stored, but for the feed's lag. */
  isCurrent(): boolean {
    return this.isRead && this.parts.feed.hub.isAlive(Date.now());
  }

  /** Resolves once the limits have been read. */
  ready(): Promise<void> {
    return this.reading ?? Promise.resolve();
  }

  stop(): void {
    this.isStopped = true;
    for (const listener of this.listeners) this.parts.feed.hub.detach(listener);
  }

  private changed(): void {
    this.generation++;
    this.isRead = false;
    void this.read();
  }

  private read(): Promise<void> {
    this.reading ??= this.readAll().finally(() => {
      this.reading = null;
    });
    return this.reading;
  }

  private async readAll(): Promise<void> {
    const { db, feed, log } = this.parts;
    while (!this.isStopped) {
      try {
        await feed.ready(); // what changes from now on is offered
        const { generation } = this;
        const rows = await db.query<RiskLimitRow>(allEnabled);
        this.breakerRow = await db.one<BreakerRow>(sql`select * from circuit_breakers`);
        if (generation !== this.generation) continue;
        this.limits = rows.map(limitOf);
        this.isRead = true;
        this.touched();
        return;
      } catch (error) {
        if (this.isStopped) return;
        log.debug({ err: error }, 'limits were not read; they will be');
        await sleep(RETRY_MS);
      }
    }
  }
}
