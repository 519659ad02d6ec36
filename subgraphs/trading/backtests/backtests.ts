/** Backtests: what is stored of them and how they are read. */
import type { Sql } from '../../../platform/database/sql.ts';
import { stored } from '../../../platform/enums.ts';
import type { ChangeEvent } from '../../../platform/feed/row-changes.ts';
import { topic } from '../../../platform/feed/topic.ts';
import { equals, within } from '../../../platform/filters.ts';
import { entity } from '../../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../../platform/paging.ts';
import type { BacktestFilter } from '../generated/resolvers.ts';
import type { Side } from '../rules/order-entry.ts';
import type { BarInterval } from './rules/bars.ts';
import type { BacktestStatus } from './rules/lifecycle.ts';
import type { BacktestMetrics } from './rules/result.ts';
import type { BacktestType, Parameters } from './rules/settings.ts';

/** A row of `backtest_runs`. */
export interface BacktestRow {
  runId: string;
  strategyId: string | null;
  strategyType: BacktestType;
  parameters: Parameters;
  symbols: string[];
  interval: Lowercase<BarInterval>;
  fromTime: string;
  toTime: string;
  initialCapital: string;
  feeRate: string;
  slippageBps: string;
  status: BacktestStatus;
  /** Bars of all symbols; null until they were counted. */
  barCount: number | null;
  barsDone: number;
  finalEquity: string | null;
  metrics: BacktestMetrics | null;
  errorMessage: string | null;
  attempts: number;
  claimedBy: string | null;
  claimedUntil: string | null;
  dueAt: string;
  startedAt: string | null;
  finishedAt: string | null;
  traceId: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
}

/** A row of `backtest_trades`. */
export interface BacktestTradeRow {
  runId: string;
  number: number;
  instrumentId: string;
  side: Side;
  quantity: string;
  price: string;
  commission: string;
  realizedPnl: string;
  decidedAt: string;
  executedAt: string;
}

/** A row of `backtest_points`. */
export interface BacktestPointRow {
  runId: string;
  number: number;
  at: string;
  equity: string;
}

export type BacktestPage = Connection<BacktestRow>;
export type BacktestTradePage = Connection<BacktestTradeRow>;
export type BacktestPointPage = Connection<BacktestPointRow>;
export type BacktestEvent = ChangeEvent<BacktestRow>;

export const backtests = entity<BacktestRow>({
  name: 'BacktestRun',
  table: 'backtest_runs',
  key: 'run_id',
  keyType: 'text',
});

export const backtestList = connectionSource<BacktestRow>({
  table: 'backtest_runs',
  id: 'run_id',
  sorts: { CREATED_AT: 'created_at' },
  parents: { strategy_id: 'text' },
});

/** Trades and points are written once, with the end of their run: what the feed tells of that is told of them. */
export const backtestTradeList = connectionSource<BacktestTradeRow>({
  table: 'backtest_trades',
  capturedAs: 'backtest_runs',
  id: 'number',
  sorts: { NUMBER: 'number' },
  parents: { run_id: 'text' },
});

export const backtestPointList = connectionSource<BacktestPointRow>({
  table: 'backtest_points',
  capturedAs: 'backtest_runs',
  id: 'number',
  sorts: { NUMBER: 'number' },
  parents: { run_id: 'text' },
});

export const backtestTopic = topic<BacktestRow>({
  table: 'backtest_runs',
  key: 'run_id',
  fields: { runId: 'text' },
  mode: 'conflated',
});

/** The conditions of a filter. */
export function backtestConditions(filter: BacktestFilter | null | undefined): Sql[] {
  if (!filter) return [];
  return [
    ...equals('strategy_id', filter.strategyId),
    ...equals('status', filter.status && stored(filter.status)),
    ...within('created_at', filter),
  ];
}
