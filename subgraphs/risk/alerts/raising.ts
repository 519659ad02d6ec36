/** Raising, escalating and ending alerts, inside the transaction of whoever does it: a command, or the monitor. */
import { sql } from '../../../platform/database/sql.ts';
import type { Statements } from '../../../platform/database/transaction.ts';
import {
  ALERTS_PER_HOUR,
  type AlertStatus,
  escalatesAfterMs,
  type Target,
  targetsOf,
} from '../rules/alert-lifecycle.ts';
import type { LimitScope } from '../rules/limit-terms.ts';
import { isWorse, type Severity } from '../rules/utilisation.ts';

export interface NewAlert extends LimitScope {
  severity: Severity;
  metricName: string;
  message: string;
  currentValue: string | null;
  thresholdValue: string | null;
  limitId: string | null;
  breachId: string | null;
  /** Open alerts of the same key are one. */
  dedupKey: string;
  expiresAt: string | null;
  traceId: string | null;
}

export interface Raised {
  alertId: string;
  isNew: boolean;
}

/** Who does what nobody does by hand. */
export const SYSTEM = 'system';

const SUMMARY_KEY = 'summary';

/**
 * Raises an alert, or counts it as one more occurrence of the one that is open, whose severity rises to its own. Past 50 an
 * hour all but critical ones are counted in one summary alert. Holds back whoever raises another until the transaction ends.
 */
export async function raise(tx: Statements, alert: NewAlert, now: Date): Promise<Raised> {
  await tx.query(sql`select pg_advisory_xact_lock(hashtext('risk_alerts'))::text as locked`);
  const again = await occurAgain(tx, alert, now);
  if (again) return { alertId: again, isNew: false };
  const isFlood = alert.severity !== 'critical' && (await raisedWithinAnHour(tx, now)) >= ALERTS_PER_HOUR;
  return isFlood ? summarise(tx, alert, now) : insert(tx, alert, now);
}

interface OpenAlert {
  alertId: string;
  severity: Severity;
}

async function occurAgain(tx: Statements, alert: NewAlert, now: Date): Promise<string | null> {
  const [open] = await tx.query<OpenAlert>(
    sql`select alert_id::text as "alertId", severity from risk_alerts
         where dedup_key = ${alert.dedupKey} and status in ('active', 'acknowledged') for update`,
  );
  if (!open) return null;
  const isNowWorse = isWorse(alert.severity, open.severity);
  const severity = isNowWorse ? alert.severity : open.severity;
  const targets = isNowWorse ? targetsOf(severity, 0) : [];
  await tx.query(
    sql`update risk_alerts
           set occurrences = occurrences + 1, last_occurred_at = ${now}::timestamptz, severity = ${severity},
               message = ${alert.message}, current_value = ${alert.currentValue}::numeric,
               threshold_value = ${alert.thresholdValue}::numeric,
               notified = notified || array(select one from unnest(${targets}::text[]) as one where one <> all(notified))
         where alert_id = ${open.alertId}::uuid`,
  );
  await noteTargets(tx, open.alertId, targets, 0, SYSTEM, now);
  return open.alertId;
}

async function raisedWithinAnHour(tx: Statements, now: Date): Promise<number> {
  const [row] = await tx.query<{ count: number }>(
    sql`select count(*)::int as count from risk_alerts
         where triggered_at > ${now}::timestamptz - interval '1 hour' and dedup_key <> ${SUMMARY_KEY}`,
  );
  return row?.count ?? 0;
}

function summarise(tx: Statements, alert: NewAlert, now: Date): Promise<Raised> {
  const summary: NewAlert = {
    ...alert,
    instrumentId: null,
    asset: null,
    accountId: null,
    strategyId: null,
    limitId: null,
    breachId: null,
    severity: 'high',
    metricName: 'alert_rate',
    message:
      `More than ${ALERTS_PER_HOUR} alerts an hour: further ones are counted here. The latest: ${alert.message}`.slice(
        0,
        2_000,
      ),
    currentValue: null,
    thresholdValue: String(ALERTS_PER_HOUR),
    dedupKey: SUMMARY_KEY,
    expiresAt: new Date(now.getTime() + 3_600_000).toISOString(),
  };
  return occurAgain(tx, summary, now).then((alertId) =>
    alertId === null ? insert(tx, summary, now) : { alertId, isNew: false },
  );
}

async function insert(tx: Statements, alert: NewAlert, now: Date): Promise<Raised> {
  const targets = targetsOf(alert.severity, 0);
  const [row] = await tx.query<{ alertId: string }>(
    sql`insert into risk_alerts (severity, metric_name, message, current_value, threshold_value, instrument_id, asset,
               account_id, strategy_id, limit_id, breach_id, dedup_key, notified, triggered_at, last_occurred_at,
               expires_at, trace_id)
        values (${alert.severity}, ${alert.metricName}, ${alert.message}, ${alert.currentValue}::numeric,
               ${alert.thresholdValue}::numeric, ${alert.instrumentId}, ${alert.asset}, ${alert.accountId},
               ${alert.strategyId}, ${alert.limitId}, ${alert.breachId}::uuid, ${alert.dedupKey}, ${targets}::text[],
               ${now}::timestamptz, ${now}::timestamptz, ${alert.expiresAt}::timestamptz, ${alert.traceId})
        returning alert_id::text as "alertId"`,
  );
  const { alertId } = row as { alertId: string };
  await noteTargets(tx, alertId, targets, 0, SYSTEM, now);
  return { alertId, isNew: true };
}

/** Notes who is told at a level; nobody of severities that do not escalate. */
async function noteTargets(
  tx: Statements,
  alertId: string,
  targets: readonly Target[],
  level: number,
  by: string,
  now: Date,
): Promise<void> {
  if (targets.length === 0) return;
  await tx.query(
    sql`insert into alert_escalations as kept (alert_id, level, targets, sent_at, escalated_by)
        values (${alertId}::uuid, ${level}, ${targets}::text[], ${now}::timestamptz, ${by})
        on conflict (alert_id, level) do update set targets = excluded.targets, sent_at = excluded.sent_at`,
  );
}

/** Takes an active alert to a level: one of a severity that does not escalate reaches nobody. */
export async function escalate(
  tx: Statements,
  { alertId, severity, level, by }: { alertId: string; severity: Severity; level: number; by: string },
  now: Date,
): Promise<void> {
  const targets = targetsOf(severity, level);
  await tx.query(
    sql`update risk_alerts
           set notified = notified || array(select one from unnest(${targets}::text[]) as one where one <> all(notified)),
               escalation_level = ${level}, escalated_at = ${now}::timestamptz
         where alert_id = ${alertId}::uuid`,
  );
  await noteTargets(tx, alertId, targets, level, by, now);
}

/** Takes every active alert to level 1 that nobody has taken up in time. Gives how many. */
export async function escalateDue(tx: Statements, now: Date): Promise<number> {
  let count = 0;
  for (const severity of ['high', 'critical'] as const) {
    const afterMs = escalatesAfterMs(severity) ?? Number.POSITIVE_INFINITY;
    const due = await tx.query<{ alertId: string }>(
      sql`select alert_id::text as "alertId" from risk_alerts
           where status = 'active' and severity = ${severity} and escalation_level = 0
             and triggered_at <= ${new Date(now.getTime() - afterMs)}::timestamptz
           limit 500 for update skip locked`,
    );
    for (const { alertId } of due) await escalate(tx, { alertId, severity, level: 1, by: SYSTEM }, now);
    count += due.length;
  }
  return count;
}

/** Ends every open alert whose time is over. Gives how many. */
export async function expireOver(tx: Statements, now: Date): Promise<number> {
  const rows = await tx.query<{ alertId: string }>(
    sql`update risk_alerts set status = 'expired'
         where status in ('active', 'acknowledged') and expires_at <= ${now}::timestamptz
        returning alert_id::text as "alertId"`,
  );
  return rows.length;
}

/** Ends the open alert of that key because what it was about is over. */
export async function resolveByKey(tx: Statements, dedupKey: string, note: string, now: Date): Promise<void> {
  await tx.query(
    sql`update risk_alerts
           set status = 'resolved', resolved_at = greatest(${now}::timestamptz, triggered_at, acknowledged_at),
               resolved_by = ${SYSTEM}, resolution_note = ${note}
         where dedup_key = ${dedupKey} and status in ('active', 'acknowledged')`,
  );
}

export interface LockedAlert {
  alertId: string;
  status: AlertStatus;
  severity: Severity;
  escalationLevel: number;
  breachId: string | null;
}
