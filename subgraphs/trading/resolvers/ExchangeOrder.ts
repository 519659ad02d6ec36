import type { ExchangeOrderResolvers } from '../generated/resolvers.ts';
import { orderAtExchange } from '../orders.ts';

export const ExchangeOrder: ExchangeOrderResolvers = {
  __resolveReference: ({ orderId }) => ({ orderId }),
  tradingOrder: ({ orderId }, _, context) => orderAtExchange(context, orderId),
};
