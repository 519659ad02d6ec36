import type { Operation } from '../operation.ts';

export const tradeStoreOperations: Operation[] = [
  {
    repository: 'TradeStore',
    operation: 'initialize',
    fields: ['ManagedTradeStats.isInitialized'],
    test: ['test/trade-store/contract.test.ts', 'must initialise it first, as often as it likes'],
  },
  {
    repository: 'TradeStore',
    operation: 'save_new_trade',
    fields: ['Mutation.openManagedTrade', 'Mutation.placeOrder', 'Mutation.recordFill'],
    test: ['test/trade-store/contract.test.ts', 'save and read managed trade'],
  },
  {
    repository: 'TradeStore',
    operation: 'update_trade',
    fields: ['Mutation.adjustManagedTrade'],
    test: ['test/trade-store/contract.test.ts', 'move stop'],
  },
  {
    repository: 'TradeStore',
    operation: 'get_trade_by_id',
    fields: ['Query.managedTrade', 'TradingOrder.managedTrade'],
    test: ['test/trade-store/contract.test.ts', 'unknown id on get'],
  },
  {
    repository: 'TradeStore',
    operation: 'get_open_trades',
    fields: ['Query.openManagedTrades'],
    test: ['test/trade-store/contract.test.ts', 'two open of mixed'],
  },
  {
    repository: 'TradeStore',
    operation: 'mark_trade_closed',
    fields: ['Mutation.closeManagedTrade', 'Mutation.recordFill'],
    test: ['test/trade-store/contract.test.ts', 'close with P&L'],
  },
  {
    repository: 'TradeStore',
    operation: 'get_stats',
    fields: ['Query.managedTradeStats'],
    test: ['test/trade-store/contract.test.ts', 'statistics 5 total = 3 open + 2 closed'],
  },
  {
    repository: 'TradeStore',
    operation: 'list_all_trades',
    fields: ['Query.managedTrades', 'Strategy.managedTrades'],
    test: ['test/graph/trading/managed-trades.test.ts', 'finds trades by each condition, and counts them'],
  },
  {
    repository: 'TradeStore',
    operation: 'close',
    fields: ['Query.managedTradeComparison'],
    test: ['test/faults/trade-store.test.ts', 'of five open trades are there after a restart as they were before'],
  },
];
