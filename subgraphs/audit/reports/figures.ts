/** Figures of what the trail shows: SLA, coverage, anomalies, how one time differs from the one before. */
import { allOf, type Sql, sql } from '../../../platform/database/sql.ts';
import { badInput } from '../../../platform/errors.ts';
import { isOneOf, within } from '../../../platform/filters.ts';
import type { Context } from '../context.ts';
import { type Anomaly, anomaliesIn, type Bucket } from '../rules/anomalies.ts';
import { complianceOf, type JudgedExpectation } from '../rules/validation.ts';
import { checkWindow, type Window } from './timeline.ts';
import type { ValidationRow } from './validations.ts';

export interface SlaView {
  evaluatedCount: number;
  metCount: number;
  compliance: string | null;
  items: SlaItemView[];
}

export interface SlaItemView {
  name: string;
  evaluatedCount: number;
  metCount: number;
  compliance: string;
  averageDelayMs: number | null;
  worstDelayMs: number | null;
}

const share = (value: number | null) => (value === null ? null : value.toFixed(4));

/** How often what was expected came in time, over the runs that ended in the window. */
export async function riskSla(context: Context, asked: Window, scenarioId?: string | null): Promise<SlaView> {
  const { from, to } = checkWindow(asked);
  const rows = await context.db.query<Pick<ValidationRow, 'expectations'>>(sql`
    select expectations from scenario_validations
     where status in ('passed', 'failed') and ended_at >= ${from}::timestamptz and ended_at < ${to}::timestamptz
       and (${scenarioId ?? null}::text is null or scenario_id = ${scenarioId ?? null})`);
  const judged = rows.flatMap(({ expectations }) => expectations);
  const items = [...Map.groupBy(judged, ({ name }) => name)].map(([name, own]) => itemOf(name, own));
  return {
    evaluatedCount: judged.length,
    metCount: judged.filter(({ withinSla }) => withinSla).length,
    compliance: share(complianceOf(judged)),
    items: items.sort((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

function itemOf(name: string, judged: readonly JudgedExpectation[]): SlaItemView {
  const delays = judged.flatMap(({ delayMs }) => delayMs ?? []);
  return {
    name,
    evaluatedCount: judged.length,
    metCount: judged.filter(({ withinSla }) => withinSla).length,
    compliance: share(complianceOf(judged)) ?? '0',
    averageDelayMs: delays.length === 0 ? null : delays.reduce((sum, delay) => sum + delay, 0) / delays.length,
    worstDelayMs: delays.length === 0 ? null : Math.max(...delays),
  };
}

export interface CoverageView {
  definedCount: number;
  validatedCount: number;
  coverage: string | null;
  missing: string[];
}

const MISSING_SHOWN = 500;

/** How many of the scenarios that the trail has seen, or that the caller says there are, have been validated. */
export async function coverage(context: Context, definedCount?: number | null): Promise<CoverageView> {
  const rows = await context.db.query<{ scenarioId: string; isValidated: boolean }>(sql`
    select scenario_id, bool_or(status in ('passed', 'failed')) as is_validated
      from (select scenario_id, status from scenario_validations
             union all
            select distinct entity_id, 'pending' from audit_events where entity_type = 'Scenario') as known
     group by scenario_id order by scenario_id`);
  const validatedCount = rows.filter(({ isValidated }) => isValidated).length;
  if (definedCount !== null && definedCount !== undefined && definedCount < validatedCount) {
    throw badInput(`definedCount must be at least ${validatedCount}, but got ${definedCount}.`, ['definedCount']);
  }
  const defined = definedCount ?? rows.length;
  return {
    definedCount: defined,
    validatedCount,
    coverage: defined === 0 ? null : (validatedCount / defined).toFixed(4),
    missing: rows.flatMap(({ scenarioId, isValidated }) => (isValidated ? [] : [scenarioId])).slice(0, MISSING_SHOWN),
  };
}

export interface AnomalyView extends Anomaly {
  serviceName: string;
}

const BUCKETS_LIMIT = 10_000;

/** Times of each service that differ far from its mean. */
export async function anomalies(
  context: Context,
  asked: Window & { bucketSeconds: number; deviations: number },
): Promise<AnomalyView[]> {
  const { from, to } = checkWindow(asked);
  const { bucketSeconds, deviations } = asked;
  if (bucketSeconds < 1 || bucketSeconds > 86_400) {
    throw badInput(`bucketSeconds must be from 1 to 86,400, but got ${bucketSeconds}.`, ['bucketSeconds']);
  }
  if (!(deviations >= 1 && deviations <= 10)) {
    throw badInput(`deviations must be from 1 to 10, but got ${deviations}.`, ['deviations']);
  }
  const [beginMs, lengthMs] = [Date.parse(from), bucketSeconds * 1_000];
  const count = Math.ceil((Date.parse(to) - beginMs) / lengthMs);
  if (count > BUCKETS_LIMIT) {
    throw badInput(`The window has ${count} times of that length; at most ${BUCKETS_LIMIT}.`, ['bucketSeconds']);
  }
  const rows = await context.db.query<{ serviceName: string; bucket: number; count: number }>(sql`
    select service_name, floor(extract(epoch from timestamp - ${from}::timestamptz) / ${bucketSeconds})::int as bucket,
           count(*)::int as count
      from audit_events where timestamp >= ${from}::timestamptz and timestamp < ${to}::timestamptz
     group by service_name, bucket`);
  const byService = Map.groupBy(rows, ({ serviceName }) => serviceName);
  return [...byService].flatMap(([serviceName, own]) => {
    const counts = new Map(own.map(({ bucket, count: events }) => [bucket, events]));
    const buckets = Array.from(
      { length: count },
      (_, i): Bucket => ({ at: new Date(beginMs + i * lengthMs).toISOString(), count: counts.get(i) ?? 0 }),
    );
    return anomaliesIn(buckets, deviations).map((anomaly) => ({ ...anomaly, serviceName }));
  });
}

export interface FiguresView {
  eventCount: number;
  eventsPerSecond: number;
  errorCount: number;
  errorRate: number;
  averageDurationMs: number | null;
  averageSealingDelayMs: number | null;
}

export interface ImpactView {
  during: FiguresView;
  before: FiguresView;
  rateRatio: number | null;
  errorRateDifference: number;
}

/** How a time differs from the one of the same length before it. */
export async function performanceImpact(
  context: Context,
  asked: Window,
  serviceNames?: readonly string[] | null,
): Promise<ImpactView> {
  const window = checkWindow(asked);
  const lengthMs = Date.parse(window.to) - Date.parse(window.from);
  const earlier = { from: new Date(Date.parse(window.from) - lengthMs).toISOString(), to: window.from };
  const conditions = isOneOf('service_name', serviceNames);
  const [during, before] = await Promise.all([
    figuresOf(context, window, conditions),
    figuresOf(context, earlier, conditions),
  ]);
  return {
    during,
    before,
    rateRatio: before.eventCount === 0 ? null : during.eventCount / before.eventCount,
    errorRateDifference: during.errorRate - before.errorRate,
  };
}

async function figuresOf(context: Context, window: Window, conditions: readonly Sql[]): Promise<FiguresView> {
  const row = await context.db.one<{
    eventCount: number;
    errorCount: number;
    averageDurationMs: number | null;
    averageSealingDelayMs: number | null;
  }>(sql`
    select count(*)::int as event_count, count(*) filter (where severity in ('error', 'critical'))::int as error_count,
           avg(duration_ns) filter (where duration_ns > 0)::float8 / 1e6 as average_duration_ms,
           avg(extract(epoch from received_at - timestamp))::float8 * 1000 as average_sealing_delay_ms
      from audit_events where ${allOf([...within('timestamp', window), ...conditions])}`);
  const { eventCount = 0, errorCount = 0, averageDurationMs = null, averageSealingDelayMs = null } = row ?? {};
  const seconds = (Date.parse(window.to) - Date.parse(window.from)) / 1_000;
  return {
    eventCount,
    eventsPerSecond: eventCount / seconds,
    errorCount,
    errorRate: eventCount === 0 ? 0 : errorCount / eventCount,
    averageDurationMs,
    averageSealingDelayMs,
  };
}
