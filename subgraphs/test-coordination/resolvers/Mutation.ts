import { invalidateCache } from '../../../platform/cache/invalidation.ts';
import type { MutationResolvers } from '../generated/resolvers.ts';

export const Mutation: MutationResolvers = {
  invalidateTestCoordinationCache: invalidateCache,
};
