/**
 * Begins and ends breaches with their alerts, of any number of states in one statement that is a transaction by itself:
 * between the reading that shows a breach and its alert lies one way to the database and back.
 */
import type { Database } from '../../../platform/database/database.ts';
import { sql } from '../../../platform/database/sql.ts';
import { traceparentOf } from '../../../platform/trace.ts';
import { SYSTEM } from '../alerts/raising.ts';
import { targetsOf } from '../rules/alert-lifecycle.ts';
import { type Band, severityIn } from '../rules/utilisation.ts';
import { keyOf, messageOf, noteOf, type Reading } from './states.ts';

/** A state that breaks its limit from now on, or keeps it again. One that comes near it is none of these: see `enter`. */
export interface Step {
  reading: Reading;
  /** The band that the state is taken to be in. */
  before: Band;
  band: Exclude<Band, 'warning'>;
}

export function isStep(before: Band, band: Band): band is Step['band'] {
  return band !== before && band !== 'warning';
}

/** Steps of one statement. */
export const STEPS_AT_ONCE = 1_000;

/**
 * Takes each step whose state is in the band that it is taken to be in, and gives the ids of those states. The others are
 * as somebody else has left them. The alert of a breach is critical, so that none is ever held back.
 */
export async function takeSteps(
  db: Pick<Database, 'query'>,
  steps: readonly Step[],
  now: Date,
  traceId: string,
): Promise<ReadonlySet<string>> {
  const targets = targetsOf('critical', 0);
  const taken = await db.query<{ stateId: string }>(sql`
    with traced as materialized (select set_config('graph.traceparent', ${traceparentOf(traceId)}, true) as traceparent),
    step as materialized (
      select step.* from traced cross join jsonb_to_recordset(${JSON.stringify(steps.map(rowOf))}::jsonb) as step (
             "stateId" text, "limitId" text, "limitVersion" integer, "limitType" text, "accountId" text, "strategyId" text,
             "instrumentId" text, asset text, current numeric, threshold numeric, utilisation numeric, "isStale" boolean,
             before text, band text, severity text, message text, "key" text, "keyBefore" text, note text)
       order by "stateId"),
    taken as (
      insert into limit_states as kept (state_id, limit_id, account_id, strategy_id, instrument_id, asset, current_value,
             threshold_value, utilisation, band, is_stale, measured_at)
      select "stateId", "limitId", "accountId", "strategyId", "instrumentId", asset, current, threshold, utilisation, band,
             "isStale", ${now}::timestamptz
        from step order by "stateId"
      on conflict (state_id) do update
         set current_value = excluded.current_value, threshold_value = excluded.threshold_value,
             utilisation = excluded.utilisation, band = excluded.band, is_stale = excluded.is_stale,
             measured_at = excluded.measured_at
       where kept.band = (select before from step where "stateId" = excluded.state_id)
      returning state_id),
    own as materialized (select step.* from step join taken on state_id = "stateId"),
    ended as (
      update risk_breaches as breach
         set ended_at = greatest(${now}::timestamptz, started_at), current_value = current, utilisation = own.utilisation
        from own where state_id = "stateId" and ended_at is null and before = 'breached'),
    closed as (
      update risk_alerts as alert
         set status = 'resolved', resolved_at = greatest(${now}::timestamptz, triggered_at, acknowledged_at),
             resolved_by = ${SYSTEM}, resolution_note = note
        from own where dedup_key = "keyBefore" and status in ('active', 'acknowledged')),
    begun as (
      insert into risk_breaches (limit_id, limit_version, state_id, account_id, strategy_id, instrument_id, asset,
             current_value, threshold_value, utilisation, peak_value, started_at, trace_id)
      select "limitId", "limitVersion", "stateId", "accountId", "strategyId", "instrumentId", asset, current, threshold,
             utilisation, current, ${now}::timestamptz, ${traceId}
        from own where band = 'breached'
      returning breach_id, state_id),
    raised as (
      insert into risk_alerts as alert (severity, metric_name, message, current_value, threshold_value, instrument_id,
             asset, account_id, strategy_id, limit_id, breach_id, dedup_key, notified, triggered_at, last_occurred_at,
             trace_id)
      select severity, "limitType", message, current, threshold, "instrumentId", asset, "accountId", "strategyId", "limitId",
             breach_id, "key", ${targets}::text[], ${now}::timestamptz, ${now}::timestamptz, ${traceId}
        from own join begun on state_id = "stateId"
      on conflict (dedup_key) where status in ('active', 'acknowledged') do update
         set occurrences = alert.occurrences + 1, last_occurred_at = excluded.last_occurred_at,
             message = excluded.message, current_value = excluded.current_value,
             threshold_value = excluded.threshold_value, breach_id = excluded.breach_id
      returning alert_id),
    noted as (
      insert into alert_escalations (alert_id, level, targets, sent_at, escalated_by)
      select alert_id, 0, ${targets}::text[], ${now}::timestamptz, ${SYSTEM} from raised
      on conflict (alert_id, level) do nothing)
    select state_id from taken`);
  return new Set(taken.map(({ stateId }) => stateId));
}

function rowOf({ reading, before, band }: Step) {
  const { current, threshold, utilisation, warningAt: _, ...rest } = reading;
  return {
    ...rest,
    current: current.toFixed(),
    threshold: threshold.toFixed(),
    utilisation: utilisation.toFixed(),
    before,
    band,
    keyBefore: before === 'ok' ? null : keyOf(reading, before),
    note: noteOf(band),
    ...(band === 'breached' && {
      key: keyOf(reading, band),
      severity: severityIn(band, utilisation),
      message: messageOf(reading, band),
    }),
  };
}
