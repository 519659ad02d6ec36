import { equalsSymbol } from '../../../platform/filters.ts';
import { isStale } from '../../../platform/instant.ts';
import { portfolioAnalytics } from '../analytics/resolvers/fields.ts';
import type { Context } from '../context.ts';
import type { PortfolioResolvers } from '../generated/resolvers.ts';
import { isActiveOrder, orderList } from '../orders.ts';
import { type PortfolioReference, type PortfolioTotals, portfolioOf, totalsOf } from '../portfolio.ts';
import { positionConditions, positionList } from '../positions.ts';
import { strategyConditions, strategyList } from '../strategies.ts';

const total =
  <Field extends keyof PortfolioTotals>(field: Field) =>
  async (portfolio: PortfolioReference, _: object, context: Context): Promise<PortfolioTotals[Field]> =>
    (await totalsOf(context, portfolio))[field];

export const Portfolio: PortfolioResolvers = {
  __resolveReference: ({ accountId }) => portfolioOf(accountId),
  positions: ({ accountId }, { isOpen, symbol, ...page }, context) =>
    context.connectChildren(positionList, 'account_id', accountId, page, positionConditions({ isOpen, symbol })),
  openOrders: ({ accountId }, { symbol, ...page }, context) =>
    context.connectChildren(orderList, 'account_id', accountId, page, [
      isActiveOrder,
      ...equalsSymbol('instrument_id', symbol),
    ]),
  strategies: ({ accountId }, { filter, ...page }, context) =>
    context.connectChildren(strategyList, 'account_id', accountId, page, strategyConditions(filter)),
  totalMarketValue: total('totalMarketValue'),
  totalCostBasis: total('totalCostBasis'),
  totalUnrealizedPnl: total('totalUnrealizedPnl'),
  totalRealizedPnl: total('totalRealizedPnl'),
  totalPnl: total('totalPnl'),
  grossExposure: total('grossExposure'),
  netExposure: total('netExposure'),
  openPositionCount: total('openPositionCount'),
  oldestMarkedAt: total('oldestMarkedAt'),
  hasStaleMarks: async (portfolio, _, context) => {
    const { oldestMarkedAt } = await totalsOf(context, portfolio);
    return oldestMarkedAt !== null && isStale(oldestMarkedAt, context.now());
  },
  ...portfolioAnalytics,
};
