/** What subscriptions tell, under the name of what has changed. */
import { rowOf } from '../../../platform/feed/events.ts';
import type { Resolvers } from '../generated/resolvers.ts';
import { orderBookOf } from '../order-book.ts';

export const changes: Resolvers = {
  ExchangeOrderChange: { order: rowOf },
  ExchangeTradeChange: {
    trade: ({ row, isPublic }) => (isPublic ? null : row),
    print: rowOf,
  },
  ExchangeBalanceChange: { balance: rowOf },
  OrderBookChange: { orderBook: ({ row }, _, context) => row && orderBookOf(context, row.symbol, row.depth) },
};
