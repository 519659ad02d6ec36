/** Metrics, snapshots and what is put together of them. */
import { type Decimal, round8 } from '../../../platform/decimal.ts';
import { shown } from '../../../platform/enums.ts';
import { BREAKER_ID, breakers } from '../breaker/breaker.ts';
import type { Resolvers } from '../generated/resolvers.ts';
import { metrics } from '../measures/metrics.ts';
import { snapshotById } from '../measures/snapshots.ts';
import { exposures } from '../monitor/portfolios.ts';
import { PORTFOLIO } from '../references.ts';
import { usdRate } from '../rules/conversion.ts';
import { deltas } from '../rules/portfolio.ts';
import { accountOf } from './scope.ts';

/** Instruments that one portfolio shows. */
const SHOWN = 500;

const text = (value: Decimal) => round8(value).toFixed();
const maybe = (value: Decimal | null) => value && text(value);
const isSymbol = (instrumentId: string) => instrumentId.includes('-');

export const measureResolvers: Resolvers = {
  RiskMetric: {
    __resolveReference: ({ metricId }, context) => context.load(metrics, metricId),
    account: accountOf,
    instrument: ({ instrumentId }) => (instrumentId === PORTFOLIO ? null : { symbol: instrumentId }),
    isPortfolio: ({ instrumentId }) => instrumentId === PORTFOLIO,
    leverage: ({ leverageRatio }) => leverageRatio,
    method: ({ method }) => shown(method),
    confidence: ({ confidenceLevel }) => confidenceLevel,
    pricedAt: ({ priceTimestamp }) => priceTimestamp,
    calculatedAt: ({ calculationTimestamp }) => calculationTimestamp,
  },
  VarPoint: { metric: (point) => point },
  PositionSnapshot: {
    __resolveReference: ({ snapshotId }, context) => snapshotById(context, snapshotId),
    account: accountOf,
    strategy: ({ strategyId }) => (strategyId === null ? null : { strategyId }),
    instrument: ({ instrumentId }) => (isSymbol(instrumentId) ? { symbol: instrumentId } : null),
    source: ({ source }) => shown(source),
    at: ({ snapshotTimestamp }) => snapshotTimestamp,
  },
  AggregatedPosition: { source: ({ source }) => shown(source) },

  PortfolioRisk: {
    account: accountOf,
    level: ({ level }) => shown(level),
    equity: ({ equity }) => maybe(equity),
    grossExposure: (report) => text(report.grossExposure),
    netExposure: (report) => text(report.netExposure),
    unrealizedPnl: (report) => text(report.unrealizedPnl),
    realizedPnl: (report) => text(report.realizedPnl),
    totalPnl: (report) => text(report.totalPnl),
    dailyPnl: (report) => text(report.dailyPnl),
    leverage: ({ leverage }) => maybe(leverage),
    drawdown: ({ drawdown }) => maybe(drawdown),
    sharpeRatio: ({ performance }) => maybe(performance.sharpe),
    sortinoRatio: ({ performance }) => maybe(performance.sortino),
    maximumDrawdown: ({ performance }) => maybe(performance.maximumDrawdown),
    var95: ({ tail }) => maybe(tail.var95),
    var99: ({ tail }) => maybe(tail.var99),
    expectedShortfall: ({ tail }) => maybe(tail.expectedShortfall),
    isLowConfidence: ({ tail }) => tail.isLowConfidence,
    exposures: (report) =>
      exposures(report)
        .slice(0, SHOWN)
        .map(({ symbol, quantity, value, concentration, unrealizedPnl }) => ({
          instrument: { symbol },
          quantity: text(quantity),
          value: text(value),
          concentration: maybe(concentration),
          unrealizedPnl: text(unrealizedPnl),
        })),
    deltas: ({ holdings }, _, context) => {
      const prices = context.service.book.allPrices();
      return [...deltas(holdings)].map(([asset, units]) => {
        const rate = usdRate(asset, prices);
        return { asset, units: text(units), value: rate && text(units.times(rate)) };
      });
    },
  },
  RiskStatus: {
    level: ({ level }) => shown(level),
    circuitBreaker: async ({ circuitBreaker }, _, context) =>
      (await context.load(breakers, BREAKER_ID)) ?? circuitBreaker,
  },
};
