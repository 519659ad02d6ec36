import { existing } from '../../../platform/loaders.ts';
import type { TradingPositionResolvers } from '../generated/resolvers.ts';
import { positions } from '../positions.ts';
import { strategies } from '../strategies.ts';

export const TradingPosition: TradingPositionResolvers = {
  __resolveReference: ({ positionId }, context) => context.load(positions, positionId),
  strategy: ({ strategyId }, _, context) => existing(context.load(strategies, strategyId), 'Strategy', strategyId),
  account: ({ accountId }) => ({ accountId }),
  instrument: ({ instrumentId }) => ({ symbol: instrumentId }),
  isOpen: ({ closedAt }) => closedAt === null,
};
