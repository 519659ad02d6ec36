import type { ExchangeTradeResolvers } from '../generated/resolvers.ts';
import { tradeAtExchange } from '../trades.ts';

export const ExchangeTrade: ExchangeTradeResolvers = {
  __resolveReference: ({ tradeId }) => ({ tradeId }),
  tradingTrade: ({ tradeId }, _, context) => tradeAtExchange(context, tradeId),
};
