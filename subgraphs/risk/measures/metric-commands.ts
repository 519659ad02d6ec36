/** Calculating and storing metrics. A metric is what was calculated then: it does not change. */
import { beforehand, type CommandPayload, command } from '../../../platform/command.ts';
import { sql } from '../../../platform/database/sql.ts';
import { dec } from '../../../platform/decimal.ts';
import { stored } from '../../../platform/enums.ts';
import { refuse } from '../../../platform/errors.ts';
import { isUuid } from '../../../platform/uuid.ts';
import { type Context, statementsOf } from '../context.ts';
import type {
  CalculateRiskInput,
  CompleteRiskMetricInput,
  DeleteRiskMetricsInput,
  RecordRiskMetricsInput,
  RiskMetricInput,
} from '../generated/resolvers.ts';
import { LONGEST_LOOKBACK } from '../monitor/market.ts';
import type { RiskParameters } from '../monitor/portfolios.ts';
import { storePoints } from '../monitor/recalculation.ts';
import { accountReference, PORTFOLIO } from '../references.ts';
import { insertMetrics, metricsOf, type NewMetric } from './calculation.ts';
import { metricInstrument } from './metrics.ts';

export type MetricPayload = CommandPayload<{ metricId: string }>;
export type MetricsPayload = CommandPayload<{ metricIds: string[] }>;
export type DeletedPayload = CommandPayload<{ deletedCount: number }>;

const BATCH_LIMIT = 500;
const DELETED_AT_ONCE = 10_000;
const DAY_MS = 86_400_000;

/**
 * Calculates an account at the latest prices and balances and stores what comes out. What it is worth now counts from now
 * on where a drawdown or the loss of the day is measured.
 */
export async function calculateRisk(context: Context, input: CalculateRiskInput): Promise<MetricsPayload> {
  const { portfolios } = context.service;
  const calculated = await beforehand('trading', async () => {
    const accountId = accountReference(input.accountId, ['input', 'accountId']);
    const parameters = parametersOf(input);
    await portfolios.balances.refresh([accountId], 0).catch(() => undefined); // the last ones stand
    const report = await portfolios.report(accountId, parameters);
    return { report, metrics: metricsOf(report, parameters) };
  });
  const payload = await command(context, 'calculateRisk', input, async (tx) => {
    const { report, metrics } = calculated();
    await storePoints(statementsOf(tx), [report], context.now());
    return { metricIds: await insertMetrics(statementsOf(tx), metrics, context.traceId) };
  });
  if (payload.errors.length === 0) await portfolios.history.refresh(true);
  return payload;
}

/** Stores what another service has calculated. */
export function recordRiskMetrics(context: Context, input: RecordRiskMetricsInput): Promise<MetricsPayload> {
  return command(context, 'recordRiskMetrics', input, async (tx) => {
    const { metrics } = input;
    if (metrics.length === 0 || metrics.length > BATCH_LIMIT) {
      const message = `metrics takes 1 to ${BATCH_LIMIT} metrics, but got ${metrics.length}.`;
      throw refuse.validation(message, ['input', 'metrics']);
    }
    const rows = metrics.map((metric, i) => recorded(metric, ['input', 'metrics', String(i)]));
    return { metricIds: await insertMetrics(statementsOf(tx), rows, context.traceId) };
  });
}

/** Adds what was not known yet. */
export function completeRiskMetric(context: Context, input: CompleteRiskMetricInput): Promise<MetricPayload> {
  return command(context, 'completeRiskMetric', input, async (tx) => {
    const { metricId, var99, expectedShortfall } = input;
    const [metric] = isUuid(metricId)
      ? await tx.$queryRaw<{ var95: string | null; var99: string | null; expectedShortfall: string | null }[]>(
          sql`select var_95::text as "var95", var_99::text as "var99", expected_shortfall::text as "expectedShortfall"
                from risk_metrics where metric_id = ${metricId}::uuid for update`,
        )
      : [];
    if (!metric) throw refuse.notFound('RiskMetric', metricId, ['input', 'metricId']);
    const isThere = (var99 && metric.var99 !== null) || (expectedShortfall && metric.expectedShortfall !== null);
    if (isThere)
      throw refuse.conflict(null, 'It is known already, and a metric does not change.', ['input', 'metricId']);
    checkTail({ var95: metric.var95, var99: var99 ?? metric.var99, expectedShortfall }, ['input']);
    await tx.$executeRaw(
      sql`update risk_metrics set var_99 = coalesce(var_99, ${var99 ?? null}::numeric),
                 expected_shortfall = coalesce(expected_shortfall, ${expectedShortfall ?? null}::numeric)
           where metric_id = ${metricId}::uuid`,
    );
    return { metricId };
  });
}

/** Deletes metrics that are older than an instant at least a day ago. */
export function deleteRiskMetrics(context: Context, input: DeleteRiskMetricsInput): Promise<DeletedPayload> {
  return command(context, 'deleteRiskMetrics', input, async (tx) => {
    checkAge(input.before, context.now());
    const deletedCount = await tx.$executeRaw(
      sql`delete from risk_metrics where metric_id in (
            select metric_id from risk_metrics where calculation_timestamp < ${input.before}::timestamptz
             order by calculation_timestamp limit ${DELETED_AT_ONCE})`,
    );
    return { deletedCount };
  });
}

/** Deletes snapshots that are older than an instant at least a day ago. */
export function deletePositionSnapshots(context: Context, input: DeleteRiskMetricsInput): Promise<DeletedPayload> {
  return command(context, 'deletePositionSnapshots', input, async (tx) => {
    checkAge(input.before, context.now());
    const deletedCount = await tx.$executeRaw(
      sql`delete from position_snapshots where snapshot_id in (
            select snapshot_id from position_snapshots where snapshot_timestamp < ${input.before}::timestamptz
             order by snapshot_timestamp limit ${DELETED_AT_ONCE})`,
    );
    return { deletedCount };
  });
}

function checkAge(before: string, now: Date): void {
  if (now.getTime() - Date.parse(before) >= DAY_MS) return;
  throw refuse.validation('before must be at least a day ago.', ['input', 'before']);
}

type ParametersInput = Pick<RiskMetricInput, 'lookbackDays' | 'confidence' | 'method'>;

function parametersOf(input: ParametersInput, path: readonly string[] = ['input']): RiskParameters {
  const { lookbackDays, confidence, method } = input;
  const days = lookbackDays ?? 30;
  const level = dec(confidence ?? '0.95');
  if (days < 1 || days > LONGEST_LOOKBACK) {
    throw refuse.validation(`lookbackDays must be from 1 to ${LONGEST_LOOKBACK}, but got ${days}.`, [
      ...path,
      'lookbackDays',
    ]);
  }
  if (level.lt('0.5') || level.gt('0.99')) {
    throw refuse.validation(`confidence must be from 0.5 to 0.99, but got ${level.toFixed()}.`, [
      ...path,
      'confidence',
    ]);
  }
  return { lookbackDays: days, confidence: level, method: stored(method ?? 'HISTORICAL') };
}

interface TailValues {
  var95?: string | null | undefined;
  var99?: string | null | undefined;
  expectedShortfall?: string | null | undefined;
}

function checkTail({ var95, var99, expectedShortfall }: TailValues, path: readonly string[]): void {
  for (const [name, value] of Object.entries({ var95, var99, expectedShortfall })) {
    if (value && dec(value).lt(0)) throw refuse.validation(`${name} must not be negative.`, [...path, name]);
  }
  if (var95 && var99 && dec(var99).lt(var95)) {
    throw refuse.validation('var99 must not be below var95.', [...path, 'var99']);
  }
}

function recorded(metric: RiskMetricInput, path: readonly string[]): NewMetric {
  const { lookbackDays, confidence, method } = parametersOf(metric, path);
  checkTail(metric, path);
  if (dec(metric.totalExposure).lt(dec(metric.netExposure).abs())) {
    throw refuse.validation('totalExposure must not be below the net exposure.', [...path, 'totalExposure']);
  }
  const returnCount = metric.returnCount ?? 0;
  return {
    instrumentId: metric.symbol ? metricInstrument(metric.symbol, [...path, 'symbol']) : PORTFOLIO,
    accountId: accountReference(metric.accountId, [...path, 'accountId']),
    portfolioValue: metric.portfolioValue ?? null,
    unrealizedPnl: metric.unrealizedPnl,
    realizedPnl: metric.realizedPnl,
    totalExposure: metric.totalExposure,
    netExposure: metric.netExposure,
    leverageRatio: null,
    drawdown: null,
    var95: metric.var95 ?? null,
    var99: metric.var99 ?? null,
    expectedShortfall: metric.expectedShortfall ?? null,
    method,
    lookbackDays,
    confidenceLevel: confidence.toFixed(),
    returnCount,
    isLowConfidence: dec(1).minus(confidence).times(returnCount).lt(1),
    isStale: false,
    priceTimestamp: null,
    inputsHash: 'recorded',
    calculationTimestamp: metric.calculatedAt,
  };
}
