/** How the graph does each operation of trading's repositories (domain.md §6.3, §9.2), and the test that shows it. */
import type { Operation } from './operation.ts';
import { orderOperations } from './trading/orders.ts';
import { portfolioOperations } from './trading/portfolio.ts';
import { positionOperations } from './trading/positions.ts';
import { strategyOperations } from './trading/strategies.ts';
import { tradeStoreOperations } from './trading/trade-store.ts';
import { tradeOperations } from './trading/trades.ts';

export const operations: Operation[] = [
  ...strategyOperations,
  ...orderOperations,
  ...tradeOperations,
  ...positionOperations,
  ...portfolioOperations,
  ...tradeStoreOperations,
];
