import { equalsUuid } from '../../../platform/filters.ts';
import { normaliseSymbol } from '../../../platform/symbols.ts';
import { accountConditions, accountList, accounts, clientOf } from '../accounts.ts';
import { balanceConditions, balanceList, balanceOf, balances } from '../balances.ts';
import type { QueryResolvers } from '../generated/resolvers.ts';
import { ledgerConditions, ledgerList } from '../ledger.ts';
import { orderBookOf } from '../order-book.ts';
import { openOrderConditions, orderByClientOrderId, orderConditions, orderList, orders } from '../orders.ts';
import { tapeOf, tradeConditions, tradeList, trades } from '../trades.ts';

export const Query: QueryResolvers = {
  exchangeFeed: (_, __, context) => context.feed.status(),
  exchangeHealth: (_, __, context) => context.health.read(),

  exchangeAccount: (_, { id }, context) => context.load(accounts, id),
  exchangeAccounts: (_, { filter, ...page }, context) => context.connect(accountList, page, accountConditions(filter)),
  client: (_, { id }, context) => clientOf(context, id),

  exchangeOrder: (_, { id }, context) => context.load(orders, id),
  exchangeOrderByClientOrderId: (_, { accountId, clientOrderId }, context) =>
    orderByClientOrderId(context, accountId, clientOrderId),
  exchangeOrders: (_, { filter, ...page }, context) => context.connect(orderList, page, orderConditions(filter)),
  openExchangeOrders: (_, { accountId, symbol, ...page }, context) =>
    context.connect(orderList, page, [...equalsUuid('account_id', accountId), ...openOrderConditions(symbol)]),

  exchangeTrade: (_, { id }, context) => context.load(trades, id),
  exchangeTrades: (_, { filter, ...page }, context) => context.connect(tradeList, page, tradeConditions(filter)),
  recentTrades: (_, { symbol, first }, context) => tapeOf(context, normaliseSymbol(symbol, ['symbol']), first),

  exchangeBalance: (_, { id }, context) => context.load(balances, id),
  exchangeBalanceOf: (_, { accountId, asset }, context) => balanceOf(context, accountId, asset),
  exchangeBalances: (_, { filter, ...page }, context) => context.connect(balanceList, page, balanceConditions(filter)),

  ledgerEntries: (_, { accountId, filter, ...page }, context) =>
    context.connect(ledgerList, page, [...equalsUuid('account_id', accountId), ...ledgerConditions(filter)]),
  orderBook: (_, { symbol, depth }, context) => orderBookOf(context, normaliseSymbol(symbol, ['symbol']), depth),
};
