import type { MutationResolvers } from '../generated/resolvers.ts';

export const Mutation: MutationResolvers = {
  invalidateCustodianCache: (_, { input }, context) => context.cache.invalidate(input.pattern ?? '*'),
};
