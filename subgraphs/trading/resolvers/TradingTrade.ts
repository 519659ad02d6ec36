import { shown } from '../../../platform/enums.ts';
import { existing } from '../../../platform/loaders.ts';
import { isUuid } from '../../../platform/uuid.ts';
import { loadKept } from '../archive/archive.ts';
import type { TradingTradeResolvers } from '../generated/resolvers.ts';
import { orders } from '../orders.ts';
import { strategies } from '../strategies.ts';
import { trades } from '../trades.ts';

export const TradingTrade: TradingTradeResolvers = {
  __resolveReference: ({ tradeId }, context) => loadKept(context, trades, tradeId),
  order: ({ orderId }, _, context) => existing(loadKept(context, orders, orderId), 'TradingOrder', orderId),
  strategy: ({ strategyId }, _, context) => existing(context.load(strategies, strategyId), 'Strategy', strategyId),
  account: ({ accountId }) => ({ accountId }),
  instrument: ({ instrumentId }) => ({ symbol: instrumentId }),
  side: ({ side }) => shown(side),
  venue: ({ executionVenue }) => executionVenue,
  exchangeTrade: ({ exchangeTradeId }) => (isUuid(exchangeTradeId) ? { tradeId: exchangeTradeId } : null),
  liquidity: ({ liquidity }) => liquidity && shown(liquidity),
};
