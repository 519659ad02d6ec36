import type { Operation } from '../operation.ts';

export const tradeOperations: Operation[] = [
  {
    repository: 'Trades',
    operation: 'create',
    fields: ['Mutation.recordFill'],
    test: [
      'test/graph/trading/fills.test.ts',
      'gives the trade all it was told, to the microsecond, and what follows from it',
    ],
  },
  {
    repository: 'Trades',
    operation: 'get_by_id',
    fields: ['Query.tradingTrade'],
    test: ['test/graph/trading/reads.test.ts', 'finds %s'],
  },
  {
    repository: 'Trades',
    operation: 'query',
    fields: ['Query.tradingTrades'],
    test: ['test/graph/trading/reads.test.ts', 'lists %s chosen by %j: %s'],
  },
  {
    repository: 'Trades',
    operation: 'get_by_order',
    fields: ['TradingOrder.trades'],
    test: [
      'test/graph/trading/archive.test.ts',
      'leaves what is archived readable by every id, and in lists that ask for it',
    ],
  },
  {
    repository: 'Trades',
    operation: 'get_by_strategy',
    fields: ['Strategy.trades'],
    test: ['test/graph/trading/reads.test.ts', 'costs one statement a kind of child, however many parents'],
  },
  {
    repository: 'Trades',
    operation: 'get_by_instrument',
    fields: ['Instrument.trades'],
    test: ['test/graph/trading/reads.test.ts', 'gives an instrument its positions, strategies, orders and trades'],
  },
  {
    repository: 'Trades',
    operation: 'get_daily_trades',
    fields: ['Query.dailyTrades'],
    test: ['test/graph/trading/reads.test.ts', 'lists %s'],
  },
  {
    repository: 'Trades',
    operation: 'calculate_total_volume',
    fields: ['Query.strategyVolume'],
    test: ['test/graph/trading/reads.test.ts', 'sums up %s to %s'],
  },
  {
    repository: 'Trades',
    operation: 'calculate_total_pnl',
    fields: ['Query.strategyRealizedPnl'],
    test: ['test/graph/trading/reads.test.ts', 'sums up %s to %s'],
  },
  {
    repository: 'Trades',
    operation: 'get_by_exchange_trade_id',
    fields: ['Query.tradeByExchangeId'],
    test: [
      'test/graph/trading/archive.test.ts',
      'leaves what is archived readable by every id, and in lists that ask for it',
    ],
  },
  {
    repository: 'Trades',
    operation: 'cleanup_old_trades',
    fields: ['Mutation.archiveTrades'],
    test: [
      'test/graph/trading/archive.test.ts',
      'moves old executions of orders that have ended, and they stay among those of the order',
    ],
  },
  {
    repository: 'TradesExtras',
    operation: 'get_recent_trades',
    fields: ['Query.recentTradingTrades'],
    test: [
      'test/graph/trading/archive.test.ts',
      'lists the largest open positions by exposure at their marks, and the latest executions',
    ],
  },
  {
    repository: 'TradesExtras',
    operation: 'get_by_time_range',
    fields: ['Query.tradingTrades'],
    test: ['test/graph/trading/reads.test.ts', 'lists %s chosen by %j: %s'],
  },
  {
    repository: 'TradesExtras',
    operation: 'calculate_pnl',
    fields: ['Query.strategyRealizedPnl'],
    test: ['test/graph/trading/reads.test.ts', 'sums up %s to %s'],
  },
];
