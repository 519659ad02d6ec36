import type { ExchangeOrderBookResolvers } from '../generated/resolvers.ts';

export const ExchangeOrderBook: ExchangeOrderBookResolvers = {
  instrument: ({ symbol }) => ({ symbol }),
};
