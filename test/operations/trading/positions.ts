import type { Operation } from '../operation.ts';

export const positionOperations: Operation[] = [
  {
    repository: 'Positions',
    operation: 'create',
    fields: ['Mutation.recordFill'],
    test: ['test/graph/trading/average-cost.test.ts', 'goes through the vector: two buys, a sell, a flip and a mark'],
  },
  {
    repository: 'Positions',
    operation: 'get_by_id',
    fields: ['Query.tradingPosition'],
    test: ['test/graph/trading/reads.test.ts', 'finds %s'],
  },
  {
    repository: 'Positions',
    operation: 'update',
    fields: ['Mutation.recordFill'],
    test: ['test/graph/trading/average-cost.test.ts', 'goes through the vector: two buys, a sell, a flip and a mark'],
  },
  {
    repository: 'Positions',
    operation: 'delete',
    fields: ['Mutation.archivePositions'],
    test: [
      'test/graph/trading/archive.test.ts',
      'moves closed positions, never open ones, and every total stays as it was',
    ],
  },
  {
    repository: 'Positions',
    operation: 'query',
    fields: ['Query.positions'],
    test: ['test/graph/trading/reads.test.ts', 'lists %s chosen by %j: %s'],
  },
  {
    repository: 'Positions',
    operation: 'get_by_strategy',
    fields: ['Strategy.positions'],
    test: ['test/graph/trading/reads.test.ts', 'costs one statement a kind of child, however many parents'],
  },
  {
    repository: 'Positions',
    operation: 'get_open_positions',
    fields: ['Query.openPositions'],
    test: ['test/graph/trading/reads.test.ts', 'lists %s'],
  },
  {
    repository: 'Positions',
    operation: 'get_by_instrument',
    fields: ['Query.position'],
    test: ['test/graph/trading/reads.test.ts', 'finds %s'],
  },
  {
    repository: 'Positions',
    operation: 'update_market_data',
    fields: ['Mutation.markPositions'],
    test: ['test/graph/trading/marks.test.ts', 'ignores an older mark, and the same mark again'],
  },
  {
    repository: 'Positions',
    operation: 'close_position',
    fields: ['Mutation.closePosition'],
    test: [
      'test/graph/trading/archive.test.ts',
      'flattens a long by a market order, whose fill closes it, whatever the strategy does',
    ],
  },
  {
    repository: 'Positions',
    operation: 'calculate_total_exposure',
    fields: ['Query.totalExposure'],
    test: ['test/graph/trading/reads.test.ts', 'sums up %s to %s'],
  },
  {
    repository: 'Positions',
    operation: 'calculate_total_unrealized_pnl',
    fields: ['Query.totalUnrealizedPnl'],
    test: ['test/graph/trading/reads.test.ts', 'sums up %s to %s'],
  },
  {
    repository: 'Positions',
    operation: 'cleanup_closed_positions',
    fields: ['Mutation.archivePositions'],
    test: [
      'test/graph/trading/archive.test.ts',
      'moves closed positions, never open ones, and every total stays as it was',
    ],
  },
  {
    repository: 'PositionsExtras',
    operation: 'get_largest_positions',
    fields: ['Query.largestPositions'],
    test: [
      'test/graph/trading/archive.test.ts',
      'lists the largest open positions by exposure at their marks, and the latest executions',
    ],
  },
  {
    repository: 'PositionsExtras',
    operation: 'update_price',
    fields: ['Mutation.markPositions'],
    test: ['test/graph/trading/marks.test.ts', 're-marks a position from 50000 to 51000'],
  },
  {
    repository: 'PositionsExtras',
    operation: 'update_pnl',
    fields: ['Mutation.markPositions'],
    test: ['test/graph/trading/marks.test.ts', 'moves the strategy’s unrealised P&L and leaves its version alone'],
  },
];
