/** Custody accounts and the accounts at venues that they stand for. */
import { existing } from '../../../platform/loaders.ts';
import { PAGE_LIMIT } from '../../../platform/paging.ts';
import { accounts, clientAccounts, EXCHANGE_VENUE, linksOfAccount, segregatedAccounts } from '../accounts.ts';
import { totalsOf } from '../client-totals.ts';
import type { Resolvers } from '../generated/resolvers.ts';
import { accountHoldings, holdingConditions, holdingList, holdingsOf } from '../holdings.ts';
import { ledgerConditions, ledgerList } from '../ledger.ts';
import { breakConditions, breakList, isOpenBreak } from '../reconciliation/breaks.ts';
import { custodyAccountsOf, exchangeAccountOf } from '../references.ts';
import { CUSTODIAN_CLIENT_ID } from '../rules/ids.ts';
import { isOpen, settlementConditions, settlementList } from '../settlement/settlements.ts';

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
    settlements: ({ accountId }, { filter, ...page }, context) =>
      context.connectChildren(settlementList, 'account_id', accountId, page, settlementConditions(filter)),
    breaks: ({ accountId }, { filter, ...page }, context) =>
      context.connectChildren(breakList, 'account_id', accountId, page, breakConditions(filter)),
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
    pendingSettlements: async ({ accountId }, _, context) => {
      const soonest = { first: PAGE_LIMIT, sortBy: 'EXPECTED_DATE', sortOrder: 'ASC' };
      const pages = await Promise.all(
        (await custodyAccountsOf(context, accountId)).map((account) =>
          context.connectChildren(settlementList, 'account_id', account.accountId, soonest, [isOpen]),
        ),
      );
      return pages.flatMap(({ nodes }) => nodes).slice(0, PAGE_LIMIT);
    },
    breaks: async ({ accountId }, _, context) => {
      const newest = { first: PAGE_LIMIT, sortBy: 'OPENED_AT', sortOrder: 'DESC' };
      const pages = await Promise.all(
        (await custodyAccountsOf(context, accountId)).map((account) =>
          context.connectChildren(breakList, 'account_id', account.accountId, newest, [isOpenBreak]),
        ),
      );
      return pages.flatMap(({ nodes }) => nodes).slice(0, PAGE_LIMIT);
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
