import type { MutationResolvers, Resolvers } from '../generated/resolvers.ts';
import { purgeCandles, purgeOrderBooks, purgePriceFeeds, purgeSnapshots } from './purges.ts';

export const retentionMutations = {
  purgePriceFeeds: (_, { input }, context) => purgePriceFeeds(context, input),
  purgeCandles: (_, { input }, context) => purgeCandles(context, input),
  purgeSnapshots: (_, { input }, context) => purgeSnapshots(context, input),
  purgeOrderBooks: (_, { input }, context) => purgeOrderBooks(context, input),
} satisfies MutationResolvers;

export const retentionTypes: Resolvers = {
  PurgePayload: {
    deleted: ({ deleted }) => deleted ?? 0,
    isComplete: ({ isComplete }) => isComplete ?? false,
  },
};
