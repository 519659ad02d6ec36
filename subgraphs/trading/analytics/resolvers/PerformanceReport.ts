import { type Decimal, mean, round8, sampleDeviation } from '../../../../platform/decimal.ts';
import { listLimit } from '../../../../platform/paging.ts';
import type { Context } from '../../context.ts';
import type { PerformanceReportResolvers } from '../../generated/resolvers.ts';
import { type Share, sharesOf, totalOf } from '../attribution.ts';
import { dailyEquity, dailyPnl, dailyPoints, type Performance, roundTrips, sumOf } from '../performance.ts';
import { maxDrawdown, returnsOf, sharpeRatio, sortinoRatio } from '../rules/returns.ts';
import { figuresOf, type RoundTripFigures, type RoundTrips } from '../rules/round-trips.ts';

type Figure = Decimal | null | undefined;

const shown = (figure: Figure) => (figure ? round8(figure).toFixed() : null);

const total =
  <Value>(of: (share: Share) => Value) =>
  async (performance: Performance, _: object, context: Context): Promise<Value> =>
    of(await totalOf(context, performance));

/** A figure of the daily equity; null where that is not known. */
const ofEquity =
  (figure: (equity: readonly Decimal[], performance: Performance) => Figure) =>
  async (performance: Performance, _: object, context: Context): Promise<string | null> => {
    const equity = await dailyEquity(context, performance);
    return shown(equity && figure(equity, performance));
  };

const ofReturns = (figure: (returns: readonly Decimal[], performance: Performance) => Figure) =>
  ofEquity((equity, performance) => {
    const returns = returnsOf(equity);
    return returns && figure(returns, performance);
  });

const count =
  (field: 'closed' | 'winners' | 'losers') =>
  async (performance: Performance, _: object, context: Context): Promise<RoundTrips[typeof field]> =>
    (await roundTrips(context, performance))[field];

const ofRoundTrips =
  (field: keyof RoundTripFigures) =>
  async (performance: Performance, _: object, context: Context): Promise<string | null> =>
    shown(figuresOf(await roundTrips(context, performance))[field]);

export const PerformanceReport: PerformanceReportResolvers = {
  from: ({ window }) => window.from,
  to: ({ window }) => window.to,
  capital: ({ capital }) => capital?.toFixed(),
  periodsPerYear: ({ terms }) => terms.periodsPerYear,
  pnl: total(({ pnl }) => pnl.toFixed()),
  realizedPnl: total(({ realizedPnl }) => realizedPnl.toFixed()),
  unrealizedPnlChange: total(({ pnl, realizedPnl }) => pnl.minus(realizedPnl).toFixed()),
  tradeCount: total(({ tradeCount }) => tradeCount),
  volume: total(({ volume }) => volume.toFixed()),
  commission: total(({ commission }) => commission.toFixed()),
  startEquity: ofEquity((equity) => equity[0]),
  endEquity: ofEquity((equity) => equity.at(-1)),
  totalReturn: ofEquity((equity) => returnsOf([equity[0] as Decimal, equity.at(-1) as Decimal])?.[0]),
  meanReturn: ofReturns(mean),
  volatility: ofReturns(sampleDeviation),
  sharpeRatio: ofReturns((returns, { terms }) => sharpeRatio(returns, terms)),
  sortinoRatio: ofReturns((returns, { terms }) => sortinoRatio(returns, terms)),
  maxDrawdown: ofEquity((equity) => maxDrawdown(equity).ratio),
  maxDrawdownAmount: async (performance, _, context) => {
    const points = await dailyPoints(context, performance);
    return maxDrawdown(points.map(sumOf)).amount.toFixed();
  },
  closedPositionCount: count('closed'),
  winningPositionCount: count('winners'),
  losingPositionCount: count('losers'),
  winRate: ofRoundTrips('winRate'),
  profitFactor: ofRoundTrips('profitFactor'),
  expectancy: ofRoundTrips('expectancy'),
  averageWin: ofRoundTrips('averageWin'),
  averageLoss: ofRoundTrips('averageLoss'),
  dailyPnl: (performance, _, context) => dailyPnl(context, performance),
  byStrategy: (performance, { limit }, context) => sharesOf(context, performance, 'strategyId', listLimit(limit)),
  byInstrument: (performance, { limit }, context) => sharesOf(context, performance, 'instrumentId', listLimit(limit)),
};
