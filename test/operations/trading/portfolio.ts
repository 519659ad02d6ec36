import type { Operation } from '../operation.ts';

export const portfolioOperations: Operation[] = [
  {
    repository: 'Portfolio',
    operation: 'portfolio',
    fields: ['Query.portfolio'],
    test: [
      'test/graph/trading/portfolio.test.ts',
      'sums longs and shorts of every strategy of the account at their marks, and nobody else’s',
    ],
  },
  {
    repository: 'Portfolio',
    operation: 'equityCurve',
    fields: ['Query.equityCurve', 'Strategy.equityCurve', 'Portfolio.equityCurve', 'TradingPosition.pnlCurve'],
    test: [
      'test/graph/trading/analytics.test.ts',
      'moves what is closed from unrealised to realised P&L without a step',
    ],
  },
  {
    repository: 'Portfolio',
    operation: 'performance',
    fields: ['Query.performance', 'Strategy.performance', 'Portfolio.performance'],
    test: ['test/graph/trading/analytics.test.ts', 'follows the vector R1 of domain.md §12.5'],
  },
  {
    repository: 'Portfolio',
    operation: 'slippage',
    fields: ['Query.slippage', 'TradingOrder.slippageBps'],
    test: ['test/graph/trading/analytics.test.ts', 'is measured against what the market last paid when it was placed'],
  },
  {
    repository: 'Portfolio',
    operation: 'startBacktest',
    fields: ['Mutation.startBacktest', 'Mutation.cancelBacktest'],
    test: [
      'test/graph/trading/backtests.test.ts',
      'gives the same again, of every kind, also where its process was killed in the middle',
    ],
  },
  {
    repository: 'Portfolio',
    operation: 'backtest',
    fields: ['Query.backtest', 'Query.backtests', 'Strategy.backtests'],
    test: [
      'test/graph/trading/backtests.test.ts',
      'trades stored bars: each trade at the next bar’s open, the P&L adding up',
    ],
  },
  {
    repository: 'Portfolio',
    operation: 'subscriptions',
    fields: [
      'Subscription.strategyChanges',
      'Subscription.orderChanges',
      'Subscription.tradeChanges',
      'Subscription.positionChanges',
      'Subscription.portfolioChanges',
      'Subscription.backtestChanges',
    ],
    test: ['test/graph/live/contract.test.ts', '%s tells every field of what it is about'],
  },
];
