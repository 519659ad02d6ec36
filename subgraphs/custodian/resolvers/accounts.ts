/** Custody accounts and the accounts at venues that they stand for. */
import { existing } from '../../../platform/loaders.ts';
import { accounts, clientAccounts, EXCHANGE_VENUE, linksOfAccount, segregatedAccounts } from '../accounts.ts';
import { totalsOf } from '../client-totals.ts';
import type { Resolvers } from '../generated/resolvers.ts';
import { accountHoldings, holdingConditions, holdingList, holdingsOf } from '../holdings.ts';
import { ledgerConditions, ledgerList } from '../ledger.ts';
import { custodyAccountsOf, exchangeAccountOf } from '../references.ts';
import { CUSTODIAN_CLIENT_ID } from '../rules/ids.ts';

export const accountResolvers = {
  CustodyAccount: {
    __resolveReference: ({ accountId }, context) => context.load(accounts, accountId),
    client: ({ clientId }) => (clientId === CUSTODIAN_CLIENT_ID ? null : { clientId }),
    parent: ({ parentAccountId }, _, context) =>
      parentAccountId === null ? null : context.load(accounts, parentAccountId),
    segregated: ({ accountId }, _, context) => context.list(segregatedAccounts, accountId),
    positions: ({ accountId }, _, context) => holdingsOf(context, accountId, false),
    balances: ({ accountId }, _, context) => holdingsOf(context, accountId, true),
    links: ({ accountId }, _, context) => context.list(linksOfAccount, accountId),
    ledgerEntries: ({ accountId }, { filter, ...page }, context) =>
      context.connectChildren(ledgerList, 'account_id', accountId, page, ledgerConditions(filter)),
  },
  AccountLink: {
    custodyAccount: ({ custodyAccountId: id }, _, context) =>
      existing(context.load(accounts, id), 'CustodyAccount', id),
    exchangeAccount: ({ venueId, venueAccountId }) =>
      venueId === EXCHANGE_VENUE ? { accountId: venueAccountId } : null,
  },
  Client: {
    __resolveReference: ({ clientId }) => ({ clientId }),
    custodyAccounts: ({ clientId }, _, context) => context.list(clientAccounts, clientId),
    masterBalance: async ({ clientId }, _, context) =>
      (await context.list(clientAccounts, clientId)).length > 0 ? { clientId } : null,
  },
  MasterBalance: {
    client: ({ clientId }) => ({ clientId }),
    account: async ({ clientId }, _, context) =>
      (await context.list(clientAccounts, clientId)).find(({ kind }) => kind === 'MASTER') ?? null,
    assets: ({ clientId }, _, context) => totalsOf(context, clientId),
  },
  MasterBalanceAsset: { asset: ({ asset }) => ({ code: asset }) },
  ExchangeAccount: {
    __resolveReference: ({ accountId }) => exchangeAccountOf(accountId),
    custodyAccounts: ({ accountId }, _, context) => custodyAccountsOf(context, accountId),
  },
  Portfolio: {
    __resolveReference: ({ accountId }) => exchangeAccountOf(accountId),
    custodyHoldings: async ({ accountId }, _, context) => {
      const theirs = await custodyAccountsOf(context, accountId);
      return (await Promise.all(theirs.map((account) => context.list(accountHoldings, account.accountId)))).flat();
    },
  },
  Asset: {
    __resolveReference: ({ code }) => ({ code }),
    custodyPositions: ({ code }, page, context) => {
      const largestFirst = { ...page, sortBy: 'QUANTITY', sortOrder: 'DESC' };
      return context.connectChildren(holdingList, 'asset', code, largestFirst, holdingConditions(null, false));
    },
  },
} satisfies Resolvers;
