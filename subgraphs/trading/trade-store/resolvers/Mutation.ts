import type { MutationResolvers } from '../../generated/resolvers.ts';
import { adjustManagedTrade, closeManagedTrade, openManagedTrade } from '../commands.ts';

export const Mutation: MutationResolvers = {
  openManagedTrade: (_, { input }, context) => openManagedTrade(context, input),
  adjustManagedTrade: (_, { input }, context) => adjustManagedTrade(context, input),
  closeManagedTrade: (_, { input }, context) => closeManagedTrade(context, input),
};
