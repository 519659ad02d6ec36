import type { InstrumentResolvers } from '../generated/resolvers.ts';
import { orderBookOf } from '../order-book.ts';
import { tapeOf } from '../trades.ts';

export const Instrument: InstrumentResolvers = {
  __resolveReference: ({ symbol }) => ({ symbol }),
  orderBook: ({ symbol }, { depth }, context) => orderBookOf(context, symbol, depth),
  recentTrades: ({ symbol }, { first }, context) => tapeOf(context, symbol, first),
};
