import { equals, equalsUuid } from '../../../platform/filters.ts';
import { listLimit } from '../../../platform/paging.ts';
import { normaliseSymbol } from '../../../platform/symbols.ts';
import { analyticsQueries } from '../analytics/resolvers/fields.ts';
import { loadKept } from '../archive/archive.ts';
import { backtestQueries } from '../backtests/resolvers/fields.ts';
import type { QueryResolvers } from '../generated/resolvers.ts';
import { isActiveOrder, orderByExchangeId, orderConditions, orderList, orderListOf, orders } from '../orders.ts';
import { portfolioOf } from '../portfolio.ts';
import {
  isOpenPosition,
  largestPositions,
  openPositionOf,
  positionConditions,
  positionList,
  positionListOf,
  positions,
  sumOfOpenPositions,
} from '../positions.ts';
import { quarantineConditions, quarantinedFillList, quarantinedFills } from '../routing/quarantine.ts';
import { isActive, strategies, strategyConditions, strategyList } from '../strategies.ts';
import {
  allTradeList,
  onDay,
  sumOfTrades,
  tradeByExchangeId,
  tradeConditions,
  tradeList,
  tradeListOf,
  trades,
} from '../trades.ts';

export const Query: QueryResolvers = {
  tradingFeed: (_, __, context) => context.feed.status(),
  tradingHealth: (_, __, context) => context.health.read(),

  strategy: (_, { id }, context) => context.load(strategies, id),
  strategies: (_, { filter, ...page }, context) => context.connect(strategyList, page, strategyConditions(filter)),
  activeStrategies: (_, page, context) => context.connect(strategyList, page, [isActive]),

  tradingOrder: (_, { id }, context) => loadKept(context, orders, id),
  tradingOrders: (_, { filter, ...page }, context) =>
    context.connect(orderListOf(filter), page, orderConditions(filter)),
  activeOrders: (_, { strategyId, ...page }, context) =>
    context.connect(orderList, page, [isActiveOrder, ...equals('strategy_id', strategyId)]),
  orderByExchangeId: (_, { venue, exchangeOrderId }, context) => orderByExchangeId(context, venue, exchangeOrderId),

  tradingTrade: (_, { id }, context) => loadKept(context, trades, id),
  tradingTrades: (_, { filter, ...page }, context) =>
    context.connect(tradeListOf(filter), page, tradeConditions(filter)),
  tradeByExchangeId: (_, { venue, exchangeTradeId }, context) => tradeByExchangeId(context, venue, exchangeTradeId),
  recentTradingTrades: async (_, { limit, ...filter }, context) => {
    const page = { first: listLimit(limit), sortBy: 'EXECUTED_AT' };
    return (await context.connect(tradeList, page, tradeConditions(filter))).nodes;
  },
  dailyTrades: (_, { strategyId, date, ...page }, context) =>
    context.connect(allTradeList, page, [...equals('strategy_id', strategyId), ...onDay(date)]),

  tradingPosition: (_, { id }, context) => loadKept(context, positions, id),
  position: (_, { strategyId, symbol }, context) =>
    openPositionOf(context, strategyId, normaliseSymbol(symbol, ['symbol'])),
  positions: (_, { filter, ...page }, context) =>
    context.connect(positionListOf(filter), page, positionConditions(filter)),
  openPositions: (_, { strategyId, accountId, ...page }, context) =>
    context.connect(positionList, page, [
      isOpenPosition,
      ...equals('strategy_id', strategyId),
      ...equalsUuid('account_id', accountId),
    ]),

  largestPositions: (_, { limit, ...of }, context) => largestPositions(context, of, listLimit(limit)),

  totalExposure: (_, of, context) => sumOfOpenPositions(context, 'exposure', of),
  totalUnrealizedPnl: (_, of, context) => sumOfOpenPositions(context, 'unrealized_pnl', of),
  strategyVolume: (_, { strategyId, ...window }, context) => sumOfTrades(context, 'gross_value', strategyId, window),
  strategyRealizedPnl: (_, { strategyId, ...window }, context) =>
    sumOfTrades(context, 'realized_pnl', strategyId, window),
  quarantinedFill: (_, { id }, context) => context.load(quarantinedFills, id),
  quarantinedFills: (_, { filter, ...page }, context) =>
    context.connect(quarantinedFillList, { ...page, sortBy: 'CREATED_AT' }, quarantineConditions(filter)),
  portfolio: (_, { accountId }) => portfolioOf(accountId),
  ...analyticsQueries,
  ...backtestQueries,
};
