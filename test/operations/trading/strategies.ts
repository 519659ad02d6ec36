import type { Operation } from '../operation.ts';

export const strategyOperations: Operation[] = [
  {
    repository: 'Strategies',
    operation: 'create',
    fields: ['Mutation.createStrategy'],
    test: ['test/graph/trading/strategies.test.ts', 'creates a strategy, inactive, with all it was told'],
  },
  {
    repository: 'Strategies',
    operation: 'get_by_id',
    fields: ['Query.strategy'],
    test: ['test/graph/trading/reads.test.ts', 'finds %s'],
  },
  {
    repository: 'Strategies',
    operation: 'update',
    fields: ['Mutation.configureStrategy'],
    test: ['test/graph/trading/strategies.test.ts', 'changes what it names and leaves the rest'],
  },
  {
    repository: 'Strategies',
    operation: 'delete',
    fields: ['Mutation.deleteStrategy'],
    test: ['test/graph/trading/archive.test.ts', 'removes a strategy that never traded, and keeps every other'],
  },
  {
    repository: 'Strategies',
    operation: 'query',
    fields: ['Query.strategies'],
    test: ['test/graph/trading/reads.test.ts', 'lists %s chosen by %j: %s'],
  },
  {
    repository: 'Strategies',
    operation: 'get_active_strategies',
    fields: ['Query.activeStrategies'],
    test: ['test/graph/trading/reads.test.ts', 'lists %s'],
  },
  {
    repository: 'Strategies',
    operation: 'update_status',
    fields: [
      'Mutation.startStrategy',
      'Mutation.pauseStrategy',
      'Mutation.resumeStrategy',
      'Mutation.stopStrategy',
      'Mutation.failStrategy',
      'Mutation.resetStrategy',
    ],
    test: [
      'test/graph/trading/lifecycles.test.ts',
      'keeps when it was started and stopped, and why it failed until it is reset',
    ],
  },
  {
    repository: 'Strategies',
    operation: 'update_pnl',
    fields: ['Mutation.recordFill'],
    test: [
      'test/graph/trading/fills.test.ts',
      'counts trades and P&L in the strategy, the day only by trades of the day',
    ],
  },
  {
    repository: 'Strategies',
    operation: 'increment_trade_count',
    fields: ['Mutation.recordFill'],
    test: [
      'test/graph/trading/fills.test.ts',
      'counts trades and P&L in the strategy, the day only by trades of the day',
    ],
  },
  {
    repository: 'Strategies',
    operation: 'get_by_instrument',
    fields: ['Instrument.strategies'],
    test: ['test/graph/trading/reads.test.ts', 'gives an instrument its positions, strategies, orders and trades'],
  },
  {
    repository: 'StrategiesExtras',
    operation: 'get_by_type',
    fields: ['Query.strategies'],
    test: ['test/graph/trading/reads.test.ts', 'lists %s chosen by %j: %s'],
  },
  {
    repository: 'StrategiesExtras',
    operation: 'count',
    fields: ['Query.strategies'],
    test: ['test/graph/trading/reads.test.ts', 'lists %s chosen by %j: %s'],
  },
];
