import { shown } from '../../../platform/enums.ts';
import { existing } from '../../../platform/loaders.ts';
import { isUuid } from '../../../platform/uuid.ts';
import { orderAnalytics } from '../analytics/resolvers/fields.ts';
import { loadKept } from '../archive/archive.ts';
import type { TradingOrderResolvers } from '../generated/resolvers.ts';
import { orders } from '../orders.ts';
import { strategies } from '../strategies.ts';
import { allTradeList } from '../trades.ts';

export const TradingOrder: TradingOrderResolvers = {
  __resolveReference: ({ orderId }, context) => loadKept(context, orders, orderId),
  strategy: ({ strategyId }, _, context) => existing(context.load(strategies, strategyId), 'Strategy', strategyId),
  account: ({ accountId }) => ({ accountId }),
  instrument: ({ instrumentId }) => ({ symbol: instrumentId }),
  side: ({ side }) => shown(side),
  type: ({ orderType }) => shown(orderType),
  status: ({ status }) => shown(status),
  timeInForce: ({ timeInForce }) => shown(timeInForce),
  execution: ({ execution }) => shown(execution),
  venue: ({ executionVenue }) => executionVenue,
  exchangeOrder: ({ exchangeOrderId }) =>
    exchangeOrderId !== null && isUuid(exchangeOrderId) ? { orderId: exchangeOrderId } : null,
  trades: ({ orderId }, page, context) => context.connectChildren(allTradeList, 'order_id', orderId, page),
  ...orderAnalytics,
};
