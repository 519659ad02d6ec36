/** Removes what is older than it is kept (domain.md §1.13), a little at a time. */
import { raw, type Sql, sql } from '../../../platform/database/sql.ts';
import { inTransaction } from '../../../platform/database/transaction.ts';
import type { ServiceParts } from '../../../platform/subgraph.ts';
import { type RiskSettings, settings } from '../settings.ts';

/** How often it is looked for what is old. */
const EVERY_MS = 3_600_000; // an hour

/** Rows of each kind at once: where there are more, the next round goes on. */
const ROWS_LIMIT = 5_000;

const DAY_MS = 86_400_000;

export class Retention {
  private readonly parts: Pick<ServiceParts, 'db' | 'feed'>;
  private readonly kept: RiskSettings;
  private nextAt = Number.NEGATIVE_INFINITY;

  constructor(parts: Pick<ServiceParts, 'db' | 'feed'>, kept = settings) {
    this.parts = parts;
    this.kept = kept;
  }

  /** Does a round when one is due. */
  async run(now: Date): Promise<void> {
    if (now.getTime() < this.nextAt) return;
    const { metricDays, snapshotDays, pointDays, alertDays, breachDays, stressTestDays } = this.kept;
    const before = (days: number) => new Date(now.getTime() - days * DAY_MS);
    const counts = [
      await this.remove(
        sql`delete from risk_metrics where metric_id in (
              select metric_id from risk_metrics where calculation_timestamp < ${before(metricDays)}::timestamptz
               order by calculation_timestamp limit ${ROWS_LIMIT}) returning 1`,
      ),
      await this.remove(
        sql`delete from position_snapshots where snapshot_id in (
              select snapshot_id from position_snapshots where snapshot_timestamp < ${before(snapshotDays)}::timestamptz
               order by snapshot_timestamp limit ${ROWS_LIMIT}) returning 1`,
      ),
      await this.remove(
        sql`delete from portfolio_points where (account_id, minute) in (
              select account_id, minute from portfolio_points where minute < ${before(pointDays)}::timestamptz
               order by minute limit ${ROWS_LIMIT}) returning 1`,
      ),
      await this.remove(
        sql`delete from stress_test_results where result_id in (
              select result_id from stress_test_results where calculated_at < ${before(stressTestDays)}::timestamptz
               order by calculated_at limit ${ROWS_LIMIT}) returning 1`,
      ),
      await this.removeAlerts(before(alertDays)),
      await this.remove(
        sql`delete from risk_breaches where breach_id in (
              select breach_id from risk_breaches as breach
               where ended_at < ${before(breachDays)}::timestamptz
                 and not exists (select from risk_alerts where risk_alerts.breach_id = breach.breach_id)
               order by ended_at limit ${ROWS_LIMIT}) returning 1`,
      ),
    ];
    if (counts.every((count) => count < ROWS_LIMIT)) this.nextAt = now.getTime() + EVERY_MS;
    if (counts.some((count) => count > 0)) this.parts.feed.ring();
  }

  private async remove(statement: Sql): Promise<number> {
    return (await this.parts.db.query(statement)).length;
  }

  /** Those that are over, with whom they were taken to. Their breaches stay longer: they are the history of limits. */
  private removeAlerts(before: Date): Promise<number> {
    return inTransaction(this.parts.db, async (tx) => {
      const old = await tx.query<{ alertId: string }>(
        sql`select alert_id::text as "alertId" from risk_alerts
             where ${raw(`status in ('resolved', 'expired')`)} and triggered_at < ${before}::timestamptz
             order by triggered_at limit ${ROWS_LIMIT} for update skip locked`,
      );
      const ids = old.map(({ alertId }) => alertId);
      if (ids.length === 0) return 0;
      await tx.query(sql`delete from alert_escalations where alert_id = any(${ids}::uuid[])`);
      await tx.query(sql`delete from risk_alerts where alert_id = any(${ids}::uuid[])`);
      return ids.length;
    });
  }
}
