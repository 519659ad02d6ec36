import { shown } from '../../../platform/enums.ts';
import { isUuid } from '../../../platform/uuid.ts';
import { loadKept } from '../archive/archive.ts';
import type { QuarantinedFillResolvers } from '../generated/resolvers.ts';
import { orders } from '../orders.ts';
import { quarantinedFills } from '../routing/quarantine.ts';
import { strategies } from '../strategies.ts';

export const QuarantinedFill: QuarantinedFillResolvers = {
  __resolveReference: ({ quarantinedFillId }, context) => context.load(quarantinedFills, quarantinedFillId),
  order: ({ orderId }, _, context) => loadKept(context, orders, orderId),
  strategy: ({ strategyId }, _, context) => context.load(strategies, strategyId),
  account: ({ accountId }) => ({ accountId }),
  instrument: ({ instrumentId }) => ({ symbol: instrumentId }),
  side: ({ side }) => shown(side),
  venue: ({ executionVenue }) => executionVenue,
  exchangeTrade: ({ exchangeTradeId }) => (isUuid(exchangeTradeId) ? { tradeId: exchangeTradeId } : null),
  exchangeOrder: ({ exchangeOrderId }) => (isUuid(exchangeOrderId) ? { orderId: exchangeOrderId } : null),
  liquidity: ({ liquidity }) => liquidity && shown(liquidity),
  reason: ({ reason }) => shown(reason),
  status: ({ status }) => shown(status),
};
