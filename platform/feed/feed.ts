/** A domain's change feed in one process: it leads or follows, and whoever subscribes here reads from it. */
import pLimit from 'p-limit';
import type { Database } from '../database/database.ts';
import { sql } from '../database/sql.ts';
import type { Domain } from '../domains.ts';
import { refuse } from '../errors.ts';
import type { Logger } from '../log.ts';
import type { CapturedTables } from './captured-tables.ts';
import { unseenBy } from './change-log.ts';
import { readState } from './feed-state.ts';
import { Hub } from './hub.ts';
import { FeedRunner, type FeedSettings } from './runner.ts';
import type { Queryable } from './statement.ts';

/** What subscriptions need of the feed. */
export interface FeedReader {
  readonly hub: Hub;
  /** The log. */
  readonly db: Queryable;
  tables(): CapturedTables;
  /**
   * Resolves once the feed is reached, at once where it is.
   * @throws Refusal (domain unavailable) when it is not within a few seconds
   */
  ready(): Promise<void>;
  /** Runs a read of the log or of a snapshot, not too many at once: clients that come back in a crowd wait in a line. */
  limit<Result>(work: () => Promise<Result>): Promise<Result>;
}

/** How the feed of a domain does, for whoever operates it. */
export interface FeedStatus {
  domain: Domain;
  epoch: string;
  tick: string;
  lastTickAt: string;
  lagMs: number;
  logBytes: string;
  leader: string | null;
  ledSince: string | null;
  isLeader: boolean;
  subscriberCount: number;
}

export interface Feed extends FeedReader {
  /** Whether this process takes the ticks. */
  isLeader(): boolean;
  /** Something was written here: look at once. */
  ring(): void;
  status(): Promise<FeedStatus>;
  close(): Promise<void>;
}

export interface FeedOptions extends FeedSettings {
  domain: Domain;
  /** URL of the domain's own role. */
  databaseUrl: string;
  schema: string;
  db: Database;
  log: Logger;
}

/** Reads of the log and of snapshots at once; the others of the pool are for queries. */
const READS_AT_ONCE = 4;

/** Who subscribes while the database is away is told so after this. */
const READY_TIMEOUT_MS = 5_000; // 5 seconds

export function startFeed(options: FeedOptions): Feed {
  const { domain, db } = options;
  const hub = new Hub(options.mirror);
  const limit = pLimit(READS_AT_ONCE);
  const runner = new FeedRunner(hub, options);
  runner.start();

  return {
    hub,
    db: db.pool,
    tables: () => runner.tables,
    limit: (work) => limit(work),
    isLeader: () => runner.isLeader,
    ring: () => runner.ring(),
    async ready() {
      if (!(await hub.reached(READY_TIMEOUT_MS))) throw refuse.domainUnavailable(domain);
    },
    async status() {
      const state = await readState(db.pool);
      const measured = await db.one<{ logBytes: string; lagMs: string }>(sql`
        select log_bytes() as log_bytes, coalesce(extract(epoch from clock_timestamp() - min(at)) * 1000, 0)::bigint as lag_ms
          from change_log where ${unseenBy(state.snapshot)}`);
      return {
        domain,
        epoch: state.epoch,
        tick: String(state.tick),
        lastTickAt: state.tickedAt,
        lagMs: Number(measured?.lagMs ?? 0),
        logBytes: measured?.logBytes ?? '0',
        leader: state.leader,
        ledSince: state.ledSince,
        isLeader: runner.isLeader,
        subscriberCount: hub.listenerCount,
      };
    },
    async close() {
      await runner.stop();
      hub.close();
    },
  };
}
