/**
 * Tells of settlements that are not done by their deadline (domain.md §11.2): one alert for each custody account, which ends
 * when nothing of it is late any more.
 */
import { sql } from '../../../platform/database/sql.ts';
import { belongsTo, inTransaction } from '../../../platform/database/transaction.ts';
import { dec, sum, toWire } from '../../../platform/decimal.ts';
import type { ServiceParts } from '../../../platform/subgraph.ts';
import { newTraceId, traceparentOf } from '../../../platform/trace.ts';
import { isOpenAlert } from '../alerts/alerts.ts';
import { raise, resolveByKey } from '../alerts/raising.ts';
import { custodyReference } from '../references.ts';
import { LATE_SETTLEMENTS } from './documents.ts';

/** The custodian is asked so often. */
const EVERY_MS = 30_000;

/** Pages of 500 settlements; what is later than all of them is not looked at. */
const PAGES_LIMIT = 20;

const METRIC = 'settlement_timeout';

interface LateSettlement {
  usdValue: string | null;
  deadlineAt: string;
  waitReason: string | null;
  traceId: string | null;
  account: { accountId: string };
}

interface LatePage {
  settlements: { nodes: LateSettlement[]; pageInfo: { hasNextPage: boolean; endCursor: string | null } } | null;
}

interface OpenAlert {
  dedupKey: string;
  currentValue: string | null;
}

type Parts = Pick<ServiceParts, 'db' | 'graph' | 'feed' | 'log'>;

export class SettlementWatch {
  private readonly parts: Parts;
  private lookedAt = Number.NEGATIVE_INFINITY;
  private looking: Promise<void> | null = null;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  /** Looks beside whatever else goes on, when it is time. */
  lookSometimes(now: Date): void {
    if (this.looking || Math.abs(now.getTime() - this.lookedAt) < EVERY_MS) return;
    this.lookedAt = now.getTime();
    this.looking = this.look(now)
      .catch((error: unknown) => this.parts.log.debug({ err: error }, 'the custodian does not say what is late'))
      .finally(() => {
        this.looking = null;
      });
  }

  async stop(): Promise<void> {
    await this.looking;
  }

  /** Raises and ends alerts as settlements are late now. */
  async look(now: Date): Promise<void> {
    const { late, isWhole } = await this.read(now);
    const open = await this.parts.db.query<OpenAlert>(
      sql`select dedup_key, current_value from risk_alerts where metric_name = ${METRIC} and ${isOpenAlert}`,
    );
    const known = new Map(open.map(({ dedupKey, currentValue }) => [dedupKey, currentValue]));
    const byKey = Map.groupBy(late, ({ account }) => keyOf(account.accountId));
    const changed = [...byKey].filter(([key, ofAccount]) => !dec(known.get(key) ?? 0).eq(ofAccount.length));
    const over = isWhole ? [...known.keys()].filter((key) => key.startsWith(`${METRIC}:`) && !byKey.has(key)) : [];
    for (const [key, ofAccount] of changed) await this.raiseOne(key, ofAccount, now);
    if (over.length > 0) {
      await inTransaction(this.parts.db, async (tx) => {
        for (const key of over) await resolveByKey(tx, key, 'Nothing of the account is late any more.', now);
      });
    }
    if (changed.length + over.length > 0) this.parts.feed.ring();
  }

  private async read(now: Date): Promise<{ late: LateSettlement[]; isWhole: boolean }> {
    const late: LateSettlement[] = [];
    let after: string | null = null;
    for (let page = 0; page < PAGES_LIMIT; page++) {
      const { settlements }: LatePage = await this.parts.graph.request<LatePage>(LATE_SETTLEMENTS, {
        before: now.toISOString(),
        after,
      });
      if (!settlements) throw new Error('settlements is null');
      late.push(...settlements.nodes);
      if (!settlements.pageInfo.hasNextPage) return { late, isWhole: true };
      after = settlements.pageInfo.endCursor;
    }
    return { late, isWhole: false };
  }

  /** It belongs to the trace of the settlement that is late longest. */
  private async raiseOne(key: string, late: readonly LateSettlement[], now: Date): Promise<void> {
    const [first] = late.toSorted((a, b) => Date.parse(a.deadlineAt) - Date.parse(b.deadlineAt));
    const { account, waitReason, deadlineAt, traceId: known } = first as LateSettlement;
    const traceId = known ?? newTraceId();
    const worth = toWire(sum(late.map(({ usdValue }) => dec(usdValue ?? 0))));
    const why = waitReason === null ? '' : ` The first waits: ${waitReason}`;
    const count = late.length === 1 ? '1 settlement' : `${late.length} settlements`;
    const message = `${count} of ${account.accountId}, ${worth} USD, past the deadline since ${deadlineAt}.${why}`;
    await inTransaction(this.parts.db, async (tx) => {
      await tx.query(belongsTo(traceparentOf(traceId)));
      await raise(
        tx,
        {
          severity: 'high',
          metricName: METRIC,
          message: message.slice(0, 2_000),
          currentValue: String(late.length),
          thresholdValue: '0',
          instrumentId: null,
          asset: null,
          accountId: custodyReference(account.accountId),
          strategyId: null,
          limitId: null,
          breachId: null,
          dedupKey: key,
          expiresAt: null,
          traceId,
        },
        now,
      );
    });
  }
}

function keyOf(accountId: string): string {
  return `${METRIC}:${accountId}`;
}
