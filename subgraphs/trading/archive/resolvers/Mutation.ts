import type { MutationResolvers } from '../../generated/resolvers.ts';
import { archiveOrders, archivePositions, archiveTrades } from '../archive-commands.ts';

export const archiveMutations: Pick<MutationResolvers, 'archiveOrders' | 'archiveTrades' | 'archivePositions'> = {
  archiveOrders: (_, { input }, context) => archiveOrders(context, input),
  archiveTrades: (_, { input }, context) => archiveTrades(context, input),
  archivePositions: (_, { input }, context) => archivePositions(context, input),
};
