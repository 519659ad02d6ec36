import { invalidateCache } from '../../../platform/cache/invalidation.ts';
import {
  closeCustodyAccount,
  freezeAccount,
  linkVenueAccount,
  openCustodyAccount,
  unfreezeAccount,
  unlinkVenueAccount,
} from '../account-commands.ts';
import type { MutationResolvers } from '../generated/resolvers.ts';
import { depositCustodyAsset, lockCustodyAsset, releaseCustodyAsset, withdrawCustodyAsset } from '../movements.ts';

export const Mutation: MutationResolvers = {
  invalidateCustodianCache: invalidateCache,
  openCustodyAccount: (_, { input }, context) => openCustodyAccount(context, input),
  freezeAccount: (_, { input }, context) => freezeAccount(context, input),
  unfreezeAccount: (_, { input }, context) => unfreezeAccount(context, input),
  closeCustodyAccount: (_, { input }, context) => closeCustodyAccount(context, input),
  linkVenueAccount: (_, { input }, context) => linkVenueAccount(context, input),
  unlinkVenueAccount: (_, { input }, context) => unlinkVenueAccount(context, input),
  depositCustodyAsset: (_, { input }, context) => depositCustodyAsset(context, input),
  withdrawCustodyAsset: (_, { input }, context) => withdrawCustodyAsset(context, input),
  lockCustodyAsset: (_, { input }, context) => lockCustodyAsset(context, input),
  releaseCustodyAsset: (_, { input }, context) => releaseCustodyAsset(context, input),
};
