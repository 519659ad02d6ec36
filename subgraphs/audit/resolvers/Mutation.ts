import type { MutationResolvers } from '../generated/resolvers.ts';

export const Mutation: MutationResolvers = {
  invalidateAuditCache: (_, { input }, context) => context.cache.invalidate(input.pattern ?? '*'),
};
