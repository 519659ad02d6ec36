/**
 * Keeps what risk said of orders. Nobody waits for it: answers are gathered and written together a moment later, and what
 * cannot be written, or is too much, is counted and lost: it is a record of answers, and decides nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from '../../../platform/database/sql.ts';
import type { Complaint } from '../../../platform/health.ts';
import type { ServiceParts } from '../../../platform/subgraph.ts';

export interface CheckRecord {
  accountId: string;
  strategyId: string | null;
  instrumentId: string;
  side: 'buy' | 'sell';
  quantity: string;
  price: string | null;
  isAllowed: boolean;
  refusal: string | null;
  limitId: string | null;
  isStale: boolean;
  traceId: string;
  checkedAt: string;
}

export interface CheckLog {
  add(record: CheckRecord): void;
  complaints(): readonly Complaint[];
  /** Writes what is left. */
  stop(): Promise<void>;
}

/** What comes within this is written together. */
const GATHER_MS = 50;
/** Records of one statement. */
const BATCH = 500;
/** Records that wait at most. */
const WAITING_LIMIT = 20_000;

/** How long records are kept. */
const KEPT = '30 days';

export function startCheckLog({ db, feed, log }: Pick<ServiceParts, 'db' | 'feed' | 'log'>): CheckLog {
  const waiting: CheckRecord[] = [];
  let lost = 0;
  let writing: Promise<void> | undefined;

  async function writeAll(): Promise<void> {
    await sleep(GATHER_MS);
    while (waiting.length > 0) {
      const batch = waiting.splice(0, BATCH);
      try {
        await db.query(
          sql`insert into pre_trade_checks (account_id, strategy_id, instrument_id, side, quantity, price, is_allowed,
                                            refusal, limit_id, is_stale, trace_id, checked_at)
              select "accountId", "strategyId", "instrumentId", side, quantity, price, "isAllowed", refusal, "limitId",
                     "isStale", "traceId", "checkedAt"
                from jsonb_to_recordset(${JSON.stringify(batch)}::jsonb) as record(
                       "accountId" text, "strategyId" text, "instrumentId" text, side text, quantity numeric,
                       price numeric, "isAllowed" boolean, refusal text, "limitId" text, "isStale" boolean,
                       "traceId" text, "checkedAt" timestamptz)`,
        );
        feed.ring();
      } catch (error) {
        lost += batch.length;
        log.warn({ err: error, count: batch.length }, 'what was said of orders could not be kept');
      }
    }
  }

  return {
    add(record) {
      if (waiting.length >= WAITING_LIMIT) {
        lost++;
        return;
      }
      waiting.push(record);
      writing ??= writeAll().finally(() => {
        writing = undefined;
      });
    },
    complaints: () =>
      lost === 0 ? [] : [{ status: 'DEGRADED', reason: `${lost} answers about orders could not be kept.` }],
    stop: async () => writing,
  };
}

/** Forgets what is older than is kept. */
export async function forgetOldChecks({ db }: Pick<ServiceParts, 'db'>): Promise<void> {
  await db.query(
    sql`delete from pre_trade_checks where check_id in (
          select check_id from pre_trade_checks where checked_at < clock_timestamp() - ${KEPT}::interval limit 1000)`,
  );
}
