/** What follows from prices: the one-minute bars of charts, and the marks at which positions are valued. */
import type { GraphClient } from '../../platform/graph-client.ts';
import { command } from './commands.ts';
import type { Markets } from './markets.ts';
import type { MinuteBars } from './minute-bars.ts';
import { markOf } from './prices.ts';
import type { Routine } from './routine.ts';
import type { Troubles } from './troubles.ts';

const BARS_EVERY_MS = 5_000; // 5 seconds: each report is rolled up into all longer bars
const MARKS_EVERY_MS = 1_000; // 1 second
/** Bars a command; a graph that was away for hours is told of them in parts. */
const BARS_A_COMMAND = 200;

export interface BarSettings {
  graph: GraphClient;
  bars: MinuteBars;
  troubles: Troubles;
}

/** Reports the bars: the open ones as they stand, those that are over for good. */
export function barRoutine({ graph, bars, troubles }: BarSettings): Routine {
  return {
    name: 'bars',
    everyMs: BARS_EVERY_MS,
    async run(nowMs) {
      const reports = bars.due(nowMs).slice(0, BARS_A_COMMAND);
      if (reports.length === 0) return;
      const { refused } = await command<{ refused: { index: number; error: { message: string } }[] }>(
        graph,
        'ingestCandles',
        { candles: reports.map(({ candle }) => candle) },
        'refused { index error { message } }',
      );
      bars.settle(reports); // one that was refused would be refused again
      for (const { index, error } of refused) {
        troubles.note(`bar of ${reports[index]?.candle.symbol} refused`, `bars: ${error.message}`);
      }
    },
  };
}

/** Values open positions at the market. */
export function markRoutine(graph: GraphClient, markets: Markets): Routine {
  return {
    name: 'marks',
    everyMs: MARKS_EVERY_MS,
    async run(nowMs) {
      const at = new Date(nowMs).toISOString();
      const marks = [...markets.values()].map((market) => ({
        symbol: market.course.symbol,
        price: markOf(market),
        at,
      }));
      if (marks.length > 0) await command(graph, 'markPositions', { marks });
    },
  };
}
