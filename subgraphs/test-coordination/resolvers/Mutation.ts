import type { MutationResolvers } from '../generated/resolvers.ts';

export const Mutation: MutationResolvers = {
  invalidateTestCoordinationCache: (_, { input }, context) => context.cache.invalidate(input.pattern ?? '*'),
};
