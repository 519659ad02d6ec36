import { dec } from '../../../platform/decimal.ts';
import { shown } from '../../../platform/enums.ts';
import { strategyAnalytics } from '../analytics/resolvers/fields.ts';
import { strategyBacktests } from '../backtests/resolvers/fields.ts';
import type { StrategyResolvers } from '../generated/resolvers.ts';
import { orderConditions, orderListOf } from '../orders.ts';
import { positionConditions, positionListOf } from '../positions.ts';
import { dailyPnlOn } from '../rules/daily-pnl.ts';
import { strategies, unrealizedPnlOf } from '../strategies.ts';
import { tradeConditions, tradeListOf } from '../trades.ts';

export const Strategy: StrategyResolvers = {
  __resolveReference: ({ strategyId }, context) => context.load(strategies, strategyId),
  type: ({ strategyType }) => shown(strategyType),
  status: ({ status }) => shown(status),
  account: ({ accountId }) => ({ accountId }),
  instruments: ({ instruments }) => instruments.map((symbol) => ({ symbol })),
  unrealizedPnl: ({ strategyId }, _, context) => unrealizedPnlOf(context, strategyId),
  totalPnl: async ({ strategyId, realizedPnl }, _, context) =>
    dec(realizedPnl)
      .plus(await unrealizedPnlOf(context, strategyId))
      .toFixed(),
  dailyPnl: ({ dailyPnl, dailyPnlDate }, _, context) =>
    dailyPnlOn({ day: dailyPnlDate, pnl: dec(dailyPnl) }, context.now()).toFixed(),
  orders: ({ strategyId }, { filter, ...page }, context) =>
    context.connectChildren(orderListOf(filter), 'strategy_id', strategyId, page, orderConditions(filter)),
  trades: ({ strategyId }, { filter, ...page }, context) =>
    context.connectChildren(tradeListOf(filter), 'strategy_id', strategyId, page, tradeConditions(filter)),
  positions: ({ strategyId }, { filter, ...page }, context) =>
    context.connectChildren(positionListOf(filter), 'strategy_id', strategyId, page, positionConditions(filter)),
  ...strategyAnalytics,
  ...strategyBacktests,
};
