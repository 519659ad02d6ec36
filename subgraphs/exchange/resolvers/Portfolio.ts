import { accounts } from '../accounts.ts';
import { accountBalances } from '../balances.ts';
import type { PortfolioResolvers } from '../generated/resolvers.ts';
import { openOrderConditions, orderList } from '../orders.ts';
import { portfolioOf } from '../references.ts';

export const Portfolio: PortfolioResolvers = {
  __resolveReference: ({ accountId }) => portfolioOf(accountId),
  account: ({ accountId }, _, context) => context.load(accounts, accountId),
  balances: ({ accountId }, _, context) => context.list(accountBalances, accountId),
  openExchangeOrders: ({ accountId }, { symbol, ...page }, context) =>
    context.connectChildren(orderList, 'account_id', accountId, page, openOrderConditions(symbol)),
};
