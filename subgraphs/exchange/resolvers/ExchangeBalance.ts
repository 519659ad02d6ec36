import { existing } from '../../../platform/loaders.ts';
import { accounts } from '../accounts.ts';
import { balances } from '../balances.ts';
import type { ExchangeBalanceResolvers } from '../generated/resolvers.ts';

export const ExchangeBalance: ExchangeBalanceResolvers = {
  __resolveReference: ({ balanceId }, context) => context.load(balances, balanceId),
  account: ({ accountId }, _, context) => existing(context.load(accounts, accountId), 'ExchangeAccount', accountId),
  asset: ({ symbol }) => ({ code: symbol }),
  available: ({ availableBalance }) => availableBalance,
  locked: ({ lockedBalance }) => lockedBalance,
  total: ({ totalBalance }) => totalBalance,
};
