import { accounts, subAccounts } from '../accounts.ts';
import { accountBalances } from '../balances.ts';
import type { ExchangeAccountResolvers } from '../generated/resolvers.ts';
import { ledgerConditions, ledgerList } from '../ledger.ts';
import { orderConditions, orderList } from '../orders.ts';
import { tradeConditions, tradeList } from '../trades.ts';

export const ExchangeAccount: ExchangeAccountResolvers = {
  __resolveReference: ({ accountId }, context) => context.load(accounts, accountId),
  client: ({ userId }) => ({ clientId: userId }),
  type: ({ accountType }) => accountType,
  parent: ({ parentAccountId }, _, context) =>
    parentAccountId === null ? null : context.load(accounts, parentAccountId),
  subAccountName: ({ subAccountName }) => subAccountName || null,
  subAccounts: ({ accountId }, _, context) => context.list(subAccounts, accountId),
  balances: ({ accountId }, _, context) => context.list(accountBalances, accountId),
  orders: ({ accountId }, { filter, ...page }, context) =>
    context.connectChildren(orderList, 'account_id', accountId, page, orderConditions(filter)),
  trades: ({ accountId }, { filter, ...page }, context) =>
    context.connectChildren(tradeList, 'account_id', accountId, page, tradeConditions(filter)),
  ledgerEntries: ({ accountId }, { filter, ...page }, context) =>
    context.connectChildren(ledgerList, 'account_id', accountId, page, ledgerConditions(filter)),
  portfolio: ({ accountId }) => ({ accountId }),
};
