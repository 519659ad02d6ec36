import { invalidateCache } from '../../../platform/cache/invalidation.ts';
import {
  closeAccount,
  createExchangeAccount,
  createSubAccount,
  reactivateAccount,
  setKycStatus,
  suspendAccount,
  updateAccountProfile,
} from '../account-commands.ts';
import { adjustBalance } from '../balance-adjustment.ts';
import { cancelExchangeOrder } from '../cancelling.ts';
import type { MutationResolvers } from '../generated/resolvers.ts';
import { placeExchangeOrder } from '../placing.ts';
import { deposit, withdraw } from '../transfers.ts';

export const Mutation: MutationResolvers = {
  invalidateExchangeCache: invalidateCache,
  createExchangeAccount: (_, { input }, context) => createExchangeAccount(context, input),
  createSubAccount: (_, { input }, context) => createSubAccount(context, input),
  updateAccountProfile: (_, { input }, context) => updateAccountProfile(context, input),
  suspendAccount: (_, { input }, context) => suspendAccount(context, input),
  reactivateAccount: (_, { input }, context) => reactivateAccount(context, input),
  closeAccount: (_, { input }, context) => closeAccount(context, input),
  setKycStatus: (_, { input }, context) => setKycStatus(context, input),
  deposit: (_, { input }, context) => deposit(context, input),
  withdraw: (_, { input }, context) => withdraw(context, input),
  adjustBalance: (_, { input }, context) => adjustBalance(context, input),
  placeExchangeOrder: (_, { input }, context) => placeExchangeOrder(context, input),
  cancelExchangeOrder: (_, { input }, context) => cancelExchangeOrder(context, input),
};
