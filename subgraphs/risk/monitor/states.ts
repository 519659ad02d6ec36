/**
 * How far limits are used, as it is stored: what enters a band, begins or ends a breach and raises or ends alerts in the
 * same transaction. What is stored decides, so that two processes that both take themselves for the monitor agree.
 */
import { sql } from '../../../platform/database/sql.ts';
import type { Statements } from '../../../platform/database/transaction.ts';
import { type Decimal, dec, round8 } from '../../../platform/decimal.ts';
import { type NewAlert, raise, resolveByKey } from '../alerts/raising.ts';
import type { Limit } from '../limits/limits.ts';
import { type LimitScope, type Subject, warningShare } from '../rules/limit-terms.ts';
import { type Band, bandOf, severityIn } from '../rules/utilisation.ts';

export interface Reading extends LimitScope {
  stateId: string;
  limitId: string;
  limitVersion: number;
  limitType: string;
  current: Decimal;
  threshold: Decimal;
  utilisation: Decimal;
  /** Share of the threshold from which a warning is given. */
  warningAt: Decimal;
  isStale: boolean;
}

/** Names a limit and one thing that it is about. */
export function stateIdOf(limitId: string, { accountId, strategyId, instrumentId, asset }: Subject): string {
  return [limitId, accountId, strategyId, instrumentId, asset].map((part) => part ?? '').join('|');
}

/** What is measured of a limit, as it is stored. */
export function readingOf(
  { limit, subject, current, utilisation }: { limit: Limit; subject: Subject; current: Decimal; utilisation: Decimal },
  isStale: boolean,
): Reading {
  return {
    ...subject,
    stateId: stateIdOf(limit.row.limitId, subject),
    limitId: limit.row.limitId,
    limitVersion: limit.row.version,
    limitType: limit.limitType,
    current: round8(current),
    threshold: limit.thresholdValue,
    utilisation: round8(utilisation),
    warningAt: warningShare(limit),
    isStale,
  };
}

export interface StoredState {
  stateId: string;
  limitId: string;
  accountId: string | null;
  strategyId: string | null;
  instrumentId: string | null;
  asset: string | null;
  thresholdValue: string;
  utilisation: string;
  band: Band;
}

/** A state that nothing is measured for any more: the position is closed, or the limit out of force. */
export function nothing(state: StoredState): Reading {
  return {
    stateId: state.stateId,
    limitId: state.limitId,
    limitVersion: 0,
    limitType: 'limit',
    accountId: state.accountId,
    strategyId: state.strategyId,
    instrumentId: state.instrumentId,
    asset: state.asset,
    current: dec(0),
    threshold: dec(state.thresholdValue),
    utilisation: dec(0),
    warningAt: dec(1),
    isStale: false,
  };
}

/**
 * The band that a state is in from now on, having entered it where it is another one than before: of what comes near a
 * limit, and of what somebody else has moved meanwhile. Breaches are taken by `takeSteps`, in one statement.
 */
export async function enter(tx: Statements, reading: Reading, now: Date, traceId: string | null): Promise<Band> {
  const [row] = await tx.query<{ band: Band }>(
    sql`select band from limit_states where state_id = ${reading.stateId} for update`,
  );
  const before = row?.band ?? 'ok';
  const band = bandOf(reading.utilisation, reading.warningAt, before);
  if (row || band !== 'ok') await store(tx, [{ ...reading, band }], now);
  if (band === before) return band;
  if (before === 'breached') await endBreach(tx, reading, now);
  if (before === 'warning') await resolveByKey(tx, keyOf(reading, 'warning'), noteOf(band), now);
  if (band !== 'ok') await raise(tx, await alertOf(tx, reading, band, now, traceId), now);
  return band;
}

/** Writes how far limits are used, without a word about bands. */
export async function store(tx: Statements, readings: readonly (Reading & { band: Band })[], now: Date): Promise<void> {
  const column = <Value>(read: (one: Reading & { band: Band }) => Value) => readings.map(read);
  await tx.query(sql`
    insert into limit_states as kept (state_id, limit_id, account_id, strategy_id, instrument_id, asset, current_value,
           threshold_value, utilisation, band, is_stale, measured_at)
    select state_id, limit_id, account_id, strategy_id, instrument_id, asset, current_value::numeric,
           threshold_value::numeric, utilisation::numeric, band, is_stale, ${now}::timestamptz
      from unnest(${column(({ stateId }) => stateId)}::text[], ${column(({ limitId }) => limitId)}::text[],
                  ${column(({ accountId }) => accountId)}::text[], ${column(({ strategyId }) => strategyId)}::text[],
                  ${column(({ instrumentId }) => instrumentId)}::text[], ${column(({ asset }) => asset)}::text[],
                  ${column(({ current }) => current.toFixed())}::text[],
                  ${column(({ threshold }) => threshold.toFixed())}::text[],
                  ${column(({ utilisation }) => utilisation.toFixed())}::text[],
                  ${column(({ band }) => band)}::text[], ${column(({ isStale }) => isStale)}::boolean[])
           as new (state_id, limit_id, account_id, strategy_id, instrument_id, asset, current_value, threshold_value,
                   utilisation, band, is_stale)
     order by state_id
    on conflict (state_id) do update
       set current_value = excluded.current_value, threshold_value = excluded.threshold_value,
           utilisation = excluded.utilisation, band = excluded.band, is_stale = excluded.is_stale,
           measured_at = excluded.measured_at`);
}

/** Open breaches show what is measured now, and the worst that was. */
export async function updateBreach(tx: Statements, { stateId, current, utilisation }: Reading): Promise<void> {
  await tx.query(sql`
    update risk_breaches
       set current_value = ${current.toFixed()}::numeric, utilisation = ${utilisation.toFixed()}::numeric,
           peak_value = case when abs(${current.toFixed()}::numeric) > abs(peak_value)
                             then ${current.toFixed()}::numeric else peak_value end
     where state_id = ${stateId} and ended_at is null and current_value <> ${current.toFixed()}::numeric`);
}

/** Of the open alerts of a state there is one of each band. */
export function keyOf({ stateId }: Reading, band: Exclude<Band, 'ok'>): string {
  return `${band}:${stateId}`;
}

/** Why the alert of the band before is over. */
export function noteOf(band: Band): string {
  return band === 'breached' ? 'The limit is broken now; see the alert of its breach.' : 'The limit is kept again.';
}

async function endBreach(tx: Statements, reading: Reading, now: Date): Promise<void> {
  await tx.query(sql`
    update risk_breaches
       set ended_at = greatest(${now}::timestamptz, started_at), current_value = ${reading.current.toFixed()}::numeric,
           utilisation = ${reading.utilisation.toFixed()}::numeric
     where state_id = ${reading.stateId} and ended_at is null`);
  await resolveByKey(tx, keyOf(reading, 'breached'), 'The limit is kept again.', now);
}

/** What an alert of the band says. */
export function messageOf(
  { limitType, accountId, strategyId, instrumentId, asset, current, threshold, utilisation }: Reading,
  band: Exclude<Band, 'ok'>,
): string {
  const what = limitType.replaceAll('_', ' ');
  const place = instrumentId ?? asset ?? (strategyId === null ? accountId : `strategy ${strategyId}`);
  const share = `${utilisation.times(100).toFixed(1)} %`;
  const verb = band === 'breached' ? 'breaks' : 'is near';
  return `The ${what} of ${place} ${verb} its limit: ${current.toFixed()} of ${threshold.toFixed()} (${share}).`;
}

async function alertOf(
  tx: Statements,
  reading: Reading,
  band: Exclude<Band, 'ok'>,
  now: Date,
  traceId: string | null,
): Promise<NewAlert> {
  const { limitId, accountId, strategyId, instrumentId, asset, limitType, current, threshold, utilisation } = reading;
  return {
    severity: severityIn(band, utilisation),
    metricName: limitType,
    message: messageOf(reading, band),
    currentValue: current.toFixed(),
    thresholdValue: threshold.toFixed(),
    instrumentId,
    asset,
    accountId,
    strategyId,
    limitId,
    breachId: band === 'breached' ? await beginBreach(tx, reading, now, traceId) : null,
    dedupKey: keyOf(reading, band),
    expiresAt: null,
    traceId,
  };
}

async function beginBreach(tx: Statements, reading: Reading, now: Date, traceId: string | null): Promise<string> {
  const { stateId, limitId, limitVersion, accountId, strategyId, instrumentId, asset } = reading;
  const [row] = await tx.query<{ breachId: string }>(sql`
    insert into risk_breaches (limit_id, limit_version, state_id, account_id, strategy_id, instrument_id, asset,
           current_value, threshold_value, utilisation, peak_value, started_at, trace_id)
    values (${limitId}, ${limitVersion}, ${stateId}, ${accountId}, ${strategyId}, ${instrumentId}, ${asset},
           ${reading.current.toFixed()}::numeric, ${reading.threshold.toFixed()}::numeric,
           ${reading.utilisation.toFixed()}::numeric, ${reading.current.toFixed()}::numeric, ${now}::timestamptz, ${traceId})
    returning breach_id::text as "breachId"`);
  return (row as { breachId: string }).breachId;
}
