import { dec, round8 } from '../../../../platform/decimal.ts';
import { shown } from '../../../../platform/enums.ts';
import { rowOf } from '../../../../platform/feed/events.ts';
import { existing } from '../../../../platform/loaders.ts';
import type { Context } from '../../context.ts';
import type { Resolvers } from '../../generated/resolvers.ts';
import { strategies } from '../../strategies.ts';
import { type BacktestRow, backtestPointList, backtests, backtestTradeList } from '../backtests.ts';

function progressOf({ status, barCount, barsDone }: BacktestRow): string {
  if (status === 'completed') return '1';
  return barCount ? round8(dec(barsDone).div(barCount)).toFixed() : '0';
}

const backtest = ({ runId }: { runId?: string }, _: object, context: Context) =>
  runId === undefined ? null : context.load(backtests, runId);

const OLDEST_FIRST = { sortOrder: 'ASC' };

export const backtestTypes: Resolvers = {
  BacktestRun: {
    strategy: ({ strategyId }, _, context) =>
      strategyId === null ? null : existing(context.load(strategies, strategyId), 'Strategy', strategyId),
    type: ({ strategyType }) => shown(strategyType),
    instruments: ({ symbols }) => symbols.map((symbol) => ({ symbol })),
    interval: ({ interval }) => shown(interval),
    from: ({ fromTime }) => fromTime,
    to: ({ toTime }) => toTime,
    status: ({ status }) => shown(status),
    progress: progressOf,
    trades: ({ runId }, page, context) =>
      context.connectChildren(backtestTradeList, 'run_id', runId, { ...page, ...OLDEST_FIRST }),
    equityCurve: ({ runId }, page, context) =>
      context.connectChildren(backtestPointList, 'run_id', runId, { ...page, ...OLDEST_FIRST }),
  },
  BacktestTrade: {
    instrument: ({ instrumentId }) => ({ symbol: instrumentId }),
    side: ({ side }) => shown(side),
  },
  StartBacktestPayload: { backtest },
  CancelBacktestPayload: { backtest },
  BacktestChange: { backtest: rowOf },
};
