/**
 * What a process knows of its domain's faults: read at the start, whenever the feed tells of a change, and every two
 * seconds should the feed be interrupted. A lease that has run out ends a fault by the clock of the process, whatever
 * else is to be had; the first process that sees it also marks it, so that the log tells the end.
 */
import type { Database } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import { belongsTo, inTransaction } from '../database/transaction.ts';
import type { Feed } from '../feed/feed.ts';
import type { Listener } from '../feed/hub.ts';
import type { Logger } from '../log.ts';
import { traceparentOf } from '../trace.ts';
import type { ActiveFaults } from './active-faults.ts';
import { FAULT_COLUMNS, type FaultRow, isOver } from './fault.ts';
import type { FaultKind } from './kinds.ts';

export interface WatchParts {
  db: Database;
  feed: Pick<Feed, 'hub'>;
  log: Logger;
  now(): Date;
}

/** Leases are looked at this often, while chaos is on. */
const LOOK_MS = 250;

/** What is stored is read again so often though the feed tells of nothing: it may be interrupted. */
const READ_MS = 2_000; // 2 seconds

export class FaultWatch implements ActiveFaults {
  readonly isEnabled = true;
  /** Called when another set of faults lasts. */
  onChange: () => void = () => undefined;
  private parts: WatchParts;
  private rows: readonly FaultRow[] = [];
  private lasting = '';
  private isOutdated = true;
  private readAt = 0;
  private reading: Promise<void> | undefined;
  private readonly timer: NodeJS.Timeout;
  private readonly listener: Listener;
  private isStopped = false;

  constructor(parts: WatchParts) {
    this.parts = parts;
    const outdated = () => {
      this.isOutdated = true;
      void this.look();
    };
    this.listener = {
      relation: 'injected_faults',
      offer: outdated,
      reset: outdated,
      settle: () => undefined,
      beat: () => undefined,
    };
    parts.feed.hub.attach(this.listener);
    this.timer = setInterval(() => void this.look(), LOOK_MS).unref();
    void this.look();
  }

  of(kind: FaultKind): readonly FaultRow[] {
    return this.rows.length === 0 ? this.rows : this.all().filter((row) => row.kind === kind);
  }

  /** Those that last now. */
  all(): readonly FaultRow[] {
    const now = this.parts.now();
    return this.rows.filter((row) => !isOver(row, now));
  }

  /** Goes on with other connections: the domain has been started anew. */
  follow(parts: Pick<WatchParts, 'db' | 'feed'>): void {
    this.parts.feed.hub.detach(this.listener);
    this.parts = { ...this.parts, ...parts };
    parts.feed.hub.attach(this.listener);
    this.isOutdated = true;
  }

  refresh(): Promise<void> {
    this.isOutdated = true;
    return this.look();
  }

  async stop(): Promise<void> {
    this.isStopped = true;
    clearInterval(this.timer);
    this.parts.feed.hub.detach(this.listener);
    await this.reading;
  }

  /** One look at a time; what becomes outdated meanwhile is read again. */
  private async look(): Promise<void> {
    await this.reading;
    this.reading ??= this.lookOnce().finally(() => {
      this.reading = undefined;
    });
    await this.reading;
  }

  private async lookOnce(): Promise<void> {
    const { db, log, now } = this.parts;
    try {
      const isDue = this.isOutdated || performance.now() - this.readAt >= READ_MS;
      if (isDue && !this.isStopped) {
        this.isOutdated = false;
        this.readAt = performance.now();
        this.rows = await db.query<FaultRow>(
          sql`select ${FAULT_COLUMNS} from injected_faults where status = 'ACTIVE' order by injected_at, fault_id`,
        );
      }
      if (!this.isStopped) {
        for (const row of this.rows.filter((one) => isOver(one, now()))) await this.markExpired(row);
      }
    } catch (error) {
      this.isOutdated = true; // read again at the next look
      log.debug({ err: error }, 'the faults of the domain could not be read');
    }
    this.tell();
  }

  private tell(): void {
    const lasting = this.all()
      .map(({ faultId }) => faultId)
      .join();
    if (lasting === this.lasting) return;
    this.lasting = lasting;
    this.onChange();
  }

  /** In the trace of whoever injected it. */
  private async markExpired({ faultId, traceId }: FaultRow): Promise<void> {
    const { db, now } = this.parts;
    await inTransaction(db, async ({ query }) => {
      if (traceId !== null) await query(belongsTo(traceparentOf(traceId)));
      await query(
        sql`update injected_faults set status = 'EXPIRED', cleared_at = expires_at
             where fault_id = ${faultId} and status = 'ACTIVE' and expires_at <= ${now().toISOString()}::timestamptz`,
      );
    });
  }
}
