import type { Operation } from './operation.ts';

const ACCOUNTS = 'test/graph/exchange/accounts.test.ts';
const ACCOUNT_READS = 'test/graph/exchange/account-reads.test.ts';
const READS = 'test/graph/exchange/reads.test.ts';
const MATCHING = 'test/graph/exchange/matching.test.ts';
const CANCELLING = 'test/graph/exchange/cancelling.test.ts';
const LIFECYCLES = 'test/rules/exchange/lifecycles.test.ts';

/** domain.md §3.2 */
export const operations: Operation[] = [
  {
    repository: 'Account',
    operation: 'create',
    fields: ['Mutation.createExchangeAccount', 'Mutation.createSubAccount'],
    test: [ACCOUNTS, 'is opened active, not identified, with the id that is wanted'],
  },
  {
    repository: 'Account',
    operation: 'getById',
    fields: ['Query.exchangeAccount'],
    test: ['test/graph/exchange/contract.test.ts', '%s answers every field, three deep'],
  },
  {
    repository: 'Account',
    operation: 'getByUserId',
    fields: ['Query.client', 'Client.accounts', 'Query.exchangeAccounts'],
    test: [ACCOUNT_READS, 'of a client are found at the client, or there is none'],
  },
  {
    repository: 'Account',
    operation: 'query',
    fields: ['Query.exchangeAccounts'],
    test: [ACCOUNT_READS, 'are found by %s'],
  },
  {
    repository: 'Account',
    operation: 'update',
    fields: ['Mutation.updateAccountProfile'],
    test: [ACCOUNTS, 'keeps free facts, replaced under its version'],
  },
  {
    repository: 'Account',
    operation: 'updateStatus',
    fields: ['Mutation.suspendAccount', 'Mutation.reactivateAccount', 'Mutation.closeAccount', 'Mutation.setKycStatus'],
    test: [ACCOUNTS, 'lead from active to suspended and back'],
  },
  {
    repository: 'Account',
    operation: 'delete',
    fields: ['Mutation.closeAccount'],
    test: [ACCOUNTS, 'close an account that holds nothing, for good'],
  },
  {
    repository: 'Order',
    operation: 'create',
    fields: ['Mutation.placeExchangeOrder'],
    test: [MATCHING, 'is refused when the account cannot pay it whole with its fee, to the last digit'],
  },
  {
    repository: 'Order',
    operation: 'getById',
    fields: ['Query.exchangeOrder', 'Query.exchangeOrderByClientOrderId'],
    test: [READS, 'are found one by one, or not'],
  },
  {
    repository: 'Order',
    operation: 'query',
    fields: ['Query.exchangeOrders'],
    test: [READS, 'are found by %s'],
  },
  {
    repository: 'Order',
    operation: 'getByAccountAndSymbol',
    fields: ['Query.exchangeOrders', 'ExchangeAccount.orders'],
    test: [READS, 'are found by %s'],
  },
  {
    repository: 'Order',
    operation: 'getPendingByAccount',
    fields: ['Query.openExchangeOrders', 'Portfolio.openExchangeOrders'],
    test: [READS, 'that are open are those that may still be executed'],
  },
  {
    repository: 'Order',
    operation: 'updateStatus',
    fields: ['Mutation.placeExchangeOrder', 'Mutation.cancelExchangeOrder'],
    test: [LIFECYCLES, '$from → $to is allowed exactly as the table says'],
  },
  {
    repository: 'Order',
    operation: 'updateFilled',
    fields: ['Mutation.placeExchangeOrder'],
    test: [MATCHING, 'keeps the exact mean of many fills'],
  },
  {
    repository: 'Order',
    operation: 'cancel',
    fields: ['Mutation.cancelExchangeOrder'],
    test: [CANCELLING, 'gives back what is locked and keeps the fills'],
  },
  {
    repository: 'Trade',
    operation: 'create',
    fields: ['Mutation.placeExchangeOrder'],
    test: [MATCHING, 'is filled at the resting price, both sides paying 0.1 % to the house'],
  },
  {
    repository: 'Trade',
    operation: 'getById',
    fields: ['Query.exchangeTrade'],
    test: [READS, 'lead to their order, account and instrument'],
  },
  {
    repository: 'Trade',
    operation: 'getByOrderId',
    fields: ['ExchangeOrder.trades', 'Query.exchangeTrades'],
    test: [READS, 'are found by %s'],
  },
  {
    repository: 'Trade',
    operation: 'getByAccount',
    fields: ['ExchangeAccount.trades', 'Query.exchangeTrades'],
    test: [ACCOUNT_READS, 'hold their own orders, trades and entries'],
  },
  {
    repository: 'Trade',
    operation: 'query',
    fields: ['Query.exchangeTrades'],
    test: [READS, 'of a match are its two sides'],
  },
  {
    repository: 'Trade',
    operation: 'getBySymbol',
    fields: ['Query.recentTrades', 'Instrument.recentTrades'],
    test: [READS, 'are told to the public without accounts, newest first'],
  },
  {
    repository: 'Balance',
    operation: 'upsert',
    fields: ['Mutation.deposit', 'Mutation.adjustBalance'],
    test: [ACCOUNTS, 'makes a balance that was never held, in an asset that is known'],
  },
  {
    repository: 'Balance',
    operation: 'getById',
    fields: ['Query.exchangeBalance'],
    test: [ACCOUNT_READS, 'are found by id, and by account and asset'],
  },
  {
    repository: 'Balance',
    operation: 'getByAccountAndSymbol',
    fields: ['Query.exchangeBalanceOf'],
    test: [ACCOUNT_READS, 'are found by id, and by account and asset'],
  },
  {
    repository: 'Balance',
    operation: 'getByAccount',
    fields: ['ExchangeAccount.balances', 'Portfolio.balances'],
    test: [READS, 'is extended by the account, what it holds and its open orders'],
  },
  {
    repository: 'Balance',
    operation: 'query',
    fields: ['Query.exchangeBalances'],
    test: [ACCOUNT_READS, 'are sorted by asset unless asked otherwise'],
  },
  {
    repository: 'Balance',
    operation: 'updateAvailableBalance',
    fields: ['Mutation.adjustBalance'],
    test: [ACCOUNTS, 'sets what is available, against the world outside'],
  },
  {
    repository: 'Balance',
    operation: 'atomicUpdate',
    fields: ['Mutation.placeExchangeOrder', 'Mutation.cancelExchangeOrder', 'Mutation.deposit', 'Mutation.withdraw'],
    test: [CANCELLING, 'withdraw and order with the same money: only as much as there is'],
  },
  {
    repository: 'Chaos',
    operation: 'injectLatency',
    fields: ['Mutation.injectExchangeFault'],
    test: ['test/graph/chaos/kinds.test.ts', 'is slow where it is told to be, and only as long as that lasts'],
  },
  {
    repository: 'Chaos',
    operation: 'rejectOrders',
    fields: ['Mutation.injectExchangeFault'],
    test: ['test/graph/chaos/kinds.test.ts', 'refuses commands before anything is done'],
  },
  {
    repository: 'Chaos',
    operation: 'downtime',
    fields: ['Mutation.injectExchangeFault'],
    test: ['test/graph/chaos/kinds.test.ts', 'is down until it is cleared, and can be looked at meanwhile'],
  },
  {
    repository: 'Chaos',
    operation: 'manipulateSpreads',
    fields: ['Mutation.injectMarketDataFault'],
    test: [
      'test/graph/chaos/market-data.test.ts',
      'are quoted wide about the same middle, and as they are reported once that ends',
    ],
  },
  {
    repository: 'Chaos',
    operation: 'status',
    fields: ['Query.exchangeFaults', 'Query.exchangeHealth'],
    test: ['test/graph/chaos/contract.test.ts', 'are injected, renewed and cleared by their run'],
  },
  {
    repository: 'Chaos',
    operation: 'clearAll',
    fields: ['Mutation.clearExchangeFaults'],
    test: ['test/graph/chaos/contract.test.ts', 'are injected, renewed and cleared by their run'],
  },
];
