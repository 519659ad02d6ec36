import type { ExchangePrintResolvers } from '../generated/resolvers.ts';

export const ExchangePrint: ExchangePrintResolvers = {
  instrument: ({ symbol }) => ({ symbol }),
  takerSide: ({ side }) => side,
};
