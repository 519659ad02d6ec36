/** Reporting one-minute bars, so that charts move: all longer bars are rolled up from them. */
import type { GraphClient } from '../../platform/graph-client.ts';
import { command } from './commands.ts';
import type { MinuteBars } from './minute-bars.ts';
import type { Routine } from './routine.ts';
import type { Troubles } from './troubles.ts';

const BARS_EVERY_MS = 5_000; // 5 seconds: each report is rolled up into all longer bars
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
