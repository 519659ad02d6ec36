/** Metrics as they are calculated of a portfolio, and stored. */
import { createHash } from 'node:crypto';
import { sql } from '../../../platform/database/sql.ts';
import type { Statements } from '../../../platform/database/transaction.ts';
import { type Decimal, round8 } from '../../../platform/decimal.ts';
import { exposures, type PortfolioReport, type RiskParameters } from '../monitor/portfolios.ts';
import { PORTFOLIO } from '../references.ts';

export interface NewMetric {
  instrumentId: string;
  accountId: string;
  portfolioValue: string | null;
  unrealizedPnl: string;
  realizedPnl: string;
  totalExposure: string;
  netExposure: string;
  leverageRatio: string | null;
  drawdown: string | null;
  var95: string | null;
  var99: string | null;
  expectedShortfall: string | null;
  method: 'historical' | 'parametric';
  lookbackDays: number;
  confidenceLevel: string;
  returnCount: number;
  isLowConfidence: boolean;
  isStale: boolean;
  priceTimestamp: string | null;
  inputsHash: string;
  calculationTimestamp: string;
}

const text = (value: Decimal) => round8(value).toFixed();
const maybe = (value: Decimal | null) => value && text(value);

/** Of the portfolio as a whole first, then of each instrument in it, which has no value at risk of its own. */
export function metricsOf(report: PortfolioReport, { lookbackDays, confidence, method }: RiskParameters): NewMetric[] {
  const { tail, holdings, accountId } = report;
  const inputs = holdings.map(({ positionId, quantity, price, quoteRate }) => [positionId, quantity, price, quoteRate]);
  const known = [
    inputs,
    report.equity,
    report.realizedPnl,
    tail.returnCount,
    lookbackDays,
    confidence,
    method,
    report.isStale,
  ];
  const common = {
    accountId,
    method,
    lookbackDays,
    confidenceLevel: confidence.toFixed(),
    isStale: report.isStale,
    priceTimestamp: report.pricedAt,
    inputsHash: createHash('sha256').update(JSON.stringify(known)).digest('hex'),
    calculationTimestamp: report.asOf,
  };
  const whole: NewMetric = {
    ...common,
    instrumentId: PORTFOLIO,
    portfolioValue: maybe(report.equity),
    unrealizedPnl: text(report.unrealizedPnl),
    realizedPnl: text(report.realizedPnl),
    totalExposure: text(report.grossExposure),
    netExposure: text(report.netExposure),
    leverageRatio: report.leverage?.toDecimalPlaces(4).toFixed() ?? null,
    drawdown: maybe(report.drawdown),
    var95: maybe(tail.var95),
    var99: maybe(tail.var99),
    expectedShortfall: maybe(tail.expectedShortfall),
    returnCount: tail.returnCount,
    isLowConfidence: tail.isLowConfidence,
  };
  const parts = exposures(report).map(
    ({ symbol, value, unrealizedPnl }): NewMetric => ({
      ...common,
      instrumentId: symbol,
      portfolioValue: maybe(report.equity),
      unrealizedPnl: text(unrealizedPnl),
      realizedPnl: '0',
      totalExposure: text(value.abs()),
      netExposure: text(value),
      leverageRatio: null,
      drawdown: null,
      var95: null,
      var99: null,
      expectedShortfall: null,
      returnCount: 0,
      isLowConfidence: true,
    }),
  );
  return [whole, ...parts];
}

/** Stores them all in one statement and gives their ids, in their order. */
export async function insertMetrics(
  tx: Statements,
  metrics: readonly NewMetric[],
  traceId: string | null,
): Promise<string[]> {
  const rows = await tx.query<{ metricId: string }>(sql`
    insert into risk_metrics (metric_id, instrument_id, account_id, portfolio_value, unrealized_pnl, realized_pnl, total_exposure,
           net_exposure, leverage_ratio, drawdown, var_95, var_99, expected_shortfall, method, lookback_days,
           confidence_level, return_count, is_low_confidence, is_stale, price_timestamp, inputs_hash,
           calculation_timestamp, trace_id)
    select gen_random_uuid(), "instrumentId", "accountId", "portfolioValue", "unrealizedPnl", "realizedPnl", "totalExposure", "netExposure",
           "leverageRatio", "drawdown", "var95", "var99", "expectedShortfall", "method", "lookbackDays",
           "confidenceLevel", "returnCount", "isLowConfidence", "isStale", "priceTimestamp", "inputsHash",
           "calculationTimestamp", ${traceId}
      from jsonb_to_recordset(${JSON.stringify(metrics)}::jsonb) as new (
           "instrumentId" text, "accountId" text, "portfolioValue" numeric, "unrealizedPnl" numeric, "realizedPnl" numeric,
           "totalExposure" numeric, "netExposure" numeric, "leverageRatio" numeric, "drawdown" numeric, "var95" numeric,
           "var99" numeric, "expectedShortfall" numeric, "method" text, "lookbackDays" integer,
           "confidenceLevel" numeric, "returnCount" integer, "isLowConfidence" boolean, "isStale" boolean,
           "priceTimestamp" timestamptz, "inputsHash" text, "calculationTimestamp" timestamptz)
    returning metric_id::text as "metricId"`);
  return rows.map(({ metricId }) => metricId);
}
