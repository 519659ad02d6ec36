/** What compliance reports say, each list put together by the database as the JSON that is stored. */
import { raw, type Sql, sql } from '../../../platform/database/sql.ts';
import type { Statements } from '../../../platform/database/transaction.ts';
import { SYSTEM } from '../alerts/raising.ts';
import { BREAKER_ID } from '../breaker/breaker.ts';
import { PORTFOLIO } from '../references.ts';

export type ReportKind = 'limit_breaches' | 'performance_attribution' | 'compliance_trail';

export interface ReportScope {
  from: Date;
  to: Date;
  /** Null for all accounts. */
  accountId: string | null;
}

export interface ReportContent {
  payload: Record<string, unknown[]>;
  /** Whether a list had more items than it may have. */
  isCut: boolean;
}

/** Items of each list. */
const ITEMS_LIMIT = 1_000;

/** Reads what happened in the period. Instants are ISO 8601 in UTC, amounts decimal texts. */
export async function contentOf(tx: Statements, kind: ReportKind, scope: ReportScope): Promise<ReportContent> {
  const payload: Record<string, unknown[]> = {};
  let isCut = false;
  for (const [name, statement] of Object.entries(LISTS[kind](scope))) {
    const rows = await tx.query<{ item: unknown }>(
      sql`select to_jsonb(item) as item from (${statement}) as item limit ${ITEMS_LIMIT + 1}`,
    );
    isCut ||= rows.length > ITEMS_LIMIT;
    payload[name] = rows.slice(0, ITEMS_LIMIT).map(({ item }) => item);
  }
  return { payload, isCut };
}

const LISTS: Record<ReportKind, (scope: ReportScope) => Record<string, Sql>> = {
  limit_breaches: (scope) => ({ limits: brokenLimits(scope), breaches: breaches(scope) }),
  performance_attribution: (scope) => ({ accounts: accounts(scope), instruments: instruments(scope) }),
  compliance_trail: (scope) => ({ steps: steps(scope) }),
};

const utc = (column: string): Sql => raw(`to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')`);

const own = ({ accountId }: ReportScope, column = 'account_id'): Sql =>
  accountId === null ? raw('true') : sql`${raw(column)} = ${accountId}`;

const during = ({ from, to }: ReportScope, column: string): Sql =>
  sql`${raw(column)} >= ${from}::timestamptz and ${raw(column)} < ${to}::timestamptz`;

/** A breach belongs to every period in which it lasted. */
const lasted = (scope: ReportScope): Sql =>
  sql`breach.started_at < ${scope.to}::timestamptz
      and coalesce(breach.ended_at, 'infinity') > ${scope.from}::timestamptz and ${own(scope, 'breach.account_id')}`;

function brokenLimits(scope: ReportScope): Sql {
  return sql`
    select breach.limit_id as "limitId", limit_type as "type", count(*)::int as count,
           count(*) filter (where ended_at is null)::int as "openCount",
           trim_scale(round(max(abs(peak_value) / breach.threshold_value), 8))::text as "peakUtilisation",
           round(sum(extract(epoch from least(coalesce(ended_at, 'infinity'), ${scope.to}::timestamptz)
                       - greatest(started_at, ${scope.from}::timestamptz))))::int as "brokenSeconds"
      from risk_breaches as breach join risk_limits as broken on broken.limit_id = breach.limit_id
     where ${lasted(scope)}
     group by breach.limit_id, limit_type order by count(*) desc, breach.limit_id`;
}

function breaches(scope: ReportScope): Sql {
  return sql`
    select breach_id as "breachId", limit_id as "limitId", limit_version as "limitVersion", account_id as "accountId",
           strategy_id as "strategyId", instrument_id as "symbol", asset, trim_scale(threshold_value)::text as threshold,
           trim_scale(peak_value)::text as "peakValue", ${utc('started_at')} as "startedAt", ${utc('ended_at')} as "endedAt",
           (select coalesce(json_agg(alert_id order by triggered_at), '[]') from risk_alerts
             where risk_alerts.breach_id = breach.breach_id) as "alertIds"
      from risk_breaches as breach where ${lasted(scope)} order by started_at desc, breach_id`;
}

/** From the last point before the period, or the first in it, to the last in it. */
function accounts(scope: ReportScope): Sql {
  return sql`
    select account_id as "accountId", trim_scale(coalesce(before.total_pnl, first_pnl))::text as "pnlAtBegin",
           trim_scale(last_pnl)::text as "pnlAtEnd",
           trim_scale(last_pnl - coalesce(before.total_pnl, first_pnl))::text as pnl,
           trim_scale(last_equity)::text as "equityAtEnd", trim_scale(most_exposure)::text as "peakExposure"
      from (select account_id, (array_agg(total_pnl order by minute))[1] as first_pnl,
                   (array_agg(total_pnl order by minute desc))[1] as last_pnl,
                   (array_agg(equity order by minute desc))[1] as last_equity, max(exposure) as most_exposure
              from portfolio_points where ${during(scope, 'minute')} and ${own(scope)} group by account_id) as points
      left join lateral (
        select total_pnl from portfolio_points as earlier
         where earlier.account_id = points.account_id and minute < ${scope.from}::timestamptz
         order by minute desc limit 1) as before on true
     order by account_id`;
}

function instruments(scope: ReportScope): Sql {
  return sql`
    select account_id as "accountId", instrument_id as symbol,
           trim_scale(last_pnl - coalesce(before.pnl, first_pnl))::text as pnl,
           trim_scale(last_exposure)::text as "exposureAtEnd"
      from (select account_id, instrument_id,
                   (array_agg(unrealized_pnl + realized_pnl order by calculation_timestamp))[1] as first_pnl,
                   (array_agg(unrealized_pnl + realized_pnl order by calculation_timestamp desc))[1] as last_pnl,
                   (array_agg(total_exposure order by calculation_timestamp desc))[1] as last_exposure
              from risk_metrics
             where ${during(scope, 'calculation_timestamp')} and ${own(scope)} and instrument_id <> ${PORTFOLIO}
             group by account_id, instrument_id) as measured
      left join lateral (
        select unrealized_pnl + realized_pnl as pnl from risk_metrics as earlier
         where earlier.account_id = measured.account_id and earlier.instrument_id = measured.instrument_id
           and calculation_timestamp < ${scope.from}::timestamptz
         order by calculation_timestamp desc limit 1) as before on true
     order by account_id, instrument_id`;
}

/** What belongs to no account (the circuit breaker, limits of everything) is left out of the report of one. */
function steps(scope: ReportScope): Sql {
  const isOfOne = scope.accountId !== null;
  const ofLimit = (table: string) =>
    isOfOne
      ? sql`exists (select from risk_limits where risk_limits.limit_id = ${raw(table)}.limit_id and ${own(scope)})`
      : raw('true');
  return sql`
    select ${utc('at')} as at, by, what, id, detail from (
      select changed_at as at, author as by, 'LIMIT_VERSION' as what, limit_id as id,
             format('Version %s: threshold %s, %s, approved by %s.', limit_version, trim_scale(threshold_value),
                    case when enabled then 'enabled' else 'disabled' end, coalesce(approved_by, 'nobody')) as detail
        from limit_versions where ${during(scope, 'changed_at')} and ${ofLimit('limit_versions')}
      union all
      select created_at, requested_by, 'LIMIT_CHANGE_REQUESTED', limit_id,
             format('Threshold %s.', trim_scale(threshold_value))
        from limit_changes where ${during(scope, 'created_at')} and ${ofLimit('limit_changes')}
      union all
      select decided_at, decided_by, 'LIMIT_CHANGE_' || upper(status), limit_id, coalesce(reason, '')
        from limit_changes where ${during(scope, 'decided_at')} and ${ofLimit('limit_changes')}
      union all
      select triggered_at, ${SYSTEM}, 'ALERT_RAISED', alert_id::text, message
        from risk_alerts where ${during(scope, 'triggered_at')} and ${own(scope)}
      union all
      select sent_at, escalated_by, 'ALERT_ESCALATED', alert_id::text,
             format('Level %s: %s.', level, array_to_string(targets, ', '))
        from alert_escalations join risk_alerts using (alert_id)
       where level > 0 and ${during(scope, 'sent_at')} and ${own(scope)}
      union all
      select acknowledged_at, acknowledged_by, 'ALERT_ACKNOWLEDGED', alert_id::text, message
        from risk_alerts where ${during(scope, 'acknowledged_at')} and ${own(scope)}
      union all
      select resolved_at, resolved_by, 'ALERT_RESOLVED', alert_id::text, coalesce(resolution_note, '')
        from risk_alerts where ${during(scope, 'resolved_at')} and ${own(scope)}
      union all
      select changed_at, changed_by, 'CIRCUIT_BREAKER_' || upper(to_state), ${BREAKER_ID}, reason
        from circuit_breaker_events where not ${isOfOne} and ${during(scope, 'changed_at')}
    ) as step order by step.at, what, id`;
}
