/** Alerts and breaches: what is stored of them and how they are read. */
import { allOf, raw, type Sql, sql } from '../../../platform/database/sql.ts';
import { stored } from '../../../platform/enums.ts';
import { equals, equalsSymbol, isOneOf, within } from '../../../platform/filters.ts';
import { childList, entity } from '../../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../../platform/paging.ts';
import type { Context } from '../context.ts';
import type { RiskAlertFilter, RiskBreachFilter } from '../generated/resolvers.ts';
import { accountReference } from '../references.ts';
import type { AlertStatus, Target } from '../rules/alert-lifecycle.ts';
import type { Severity } from '../rules/utilisation.ts';

/** A row of `risk_alerts`. */
export interface RiskAlertRow {
  alertId: string;
  severity: Severity;
  status: AlertStatus;
  metricName: string;
  message: string;
  currentValue: string | null;
  thresholdValue: string | null;
  instrumentId: string | null;
  asset: string | null;
  accountId: string | null;
  strategyId: string | null;
  limitId: string | null;
  breachId: string | null;
  dedupKey: string;
  occurrences: number;
  escalationLevel: number;
  escalatedAt: string | null;
  notified: Target[];
  triggeredAt: string;
  lastOccurredAt: string;
  acknowledgedAt: string | null;
  acknowledgedBy: string | null;
  resolvedAt: string | null;
  resolvedBy: string | null;
  resolutionNote: string | null;
  expiresAt: string | null;
  traceId: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
}

/** A row of `risk_breaches`. */
export interface RiskBreachRow {
  breachId: string;
  limitId: string;
  limitVersion: number;
  stateId: string;
  accountId: string | null;
  strategyId: string | null;
  instrumentId: string | null;
  asset: string | null;
  currentValue: string;
  thresholdValue: string;
  utilisation: string;
  peakValue: string;
  startedAt: string;
  endedAt: string | null;
}

/** A row of `alert_escalations`. */
export interface AlertEscalationRow {
  escalationId: string;
  alertId: string;
  level: number;
  targets: Target[];
  sentAt: string;
  ackedAt: string | null;
  escalatedBy: string;
}

export type RiskAlertPage = Connection<RiskAlertRow>;
export type RiskBreachPage = Connection<RiskBreachRow>;

export const alerts = entity<RiskAlertRow>({
  name: 'RiskAlert',
  table: 'risk_alerts',
  key: 'alert_id',
  keyType: 'uuid',
});

export const breaches = entity<RiskBreachRow>({
  name: 'RiskBreach',
  table: 'risk_breaches',
  key: 'breach_id',
  keyType: 'uuid',
});

const ALERTS_OF_BREACH = 100;

export const alertsOfBreach = childList<RiskAlertRow>({
  name: 'alerts of a breach',
  table: 'risk_alerts',
  parent: 'breach_id',
  keyType: 'uuid',
  orderBy: 'triggered_at',
  limit: ALERTS_OF_BREACH,
});

export const alertList = connectionSource<RiskAlertRow>({
  table: 'risk_alerts',
  id: 'alert_id',
  sorts: { TRIGGERED_AT: 'triggered_at', UPDATED_AT: 'updated_at' },
  parents: { account_id: 'text' },
});

export const breachList = connectionSource<RiskBreachRow>({
  table: 'risk_breaches',
  id: 'breach_id',
  sorts: { STARTED_AT: 'started_at' },
});

export const isOpenAlert: Sql = raw(`status in ('active', 'acknowledged')`);

/** The conditions of a filter. Throws a validation Refusal on a symbol or account that is none. */
export function alertConditions(filter: RiskAlertFilter | null | undefined): Sql[] {
  if (!filter) return [];
  const { severities, statuses, symbol, accountId, strategyId, limitId, metricName } = filter;
  return [
    ...isOneOf('severity', severities?.map(stored)),
    ...isOneOf('status', statuses?.map(stored)),
    ...equalsSymbol('instrument_id', symbol),
    ...equals('account_id', accountId && accountReference(accountId, ['filter', 'accountId'])),
    ...equals('strategy_id', strategyId),
    ...equals('limit_id', limitId),
    ...equals('metric_name', metricName),
    ...within('triggered_at', filter),
  ];
}

/** The conditions of a filter. Throws a validation Refusal on an account that is none. */
export function breachConditions(filter: RiskBreachFilter | null | undefined): Sql[] {
  if (!filter) return [];
  const { limitId, accountId, isOpen } = filter;
  return [
    ...equals('limit_id', limitId),
    ...equals('account_id', accountId && accountReference(accountId, ['filter', 'accountId'])),
    ...(isOpen === null || isOpen === undefined ? [] : [sql`(ended_at is null) = ${isOpen}`]),
    ...within('started_at', filter),
  ];
}

export interface AlertCountRow {
  status: AlertStatus;
  severity: Severity;
  count: number;
}

/** How many alerts there are that fit, by status and severity. */
export function countAlerts(context: Context, conditions: readonly Sql[]): Promise<AlertCountRow[]> {
  return context.db.query<AlertCountRow>(
    sql`select status, severity, count(*)::int as count from risk_alerts where ${allOf(conditions)}
         group by status, severity order by status, severity`,
  );
}

/** The levels an alert has reached, from 0; of several alerts in one statement. */
export function escalationsOf(context: Context, alertId: string): Promise<AlertEscalationRow[]> {
  return context.batch('escalations', alertId, async (ids) => {
    const rows = await context.db.query<AlertEscalationRow>(
      sql`select * from alert_escalations where alert_id = any(${ids}::uuid[]) order by level`,
    );
    const byAlert = Map.groupBy(rows, (row) => row.alertId);
    return ids.map((id) => byAlert.get(id) ?? []);
  });
}
