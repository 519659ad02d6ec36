/** What a batch of reported bars does to the bars that are stored. */
import { type Bar, mergeBar } from './candle-bar.ts';
import type { CandleSeries } from './candle-series.ts';

export interface ReportedBar {
  /** Place in the caller's input. */
  index: number;
  bar: Bar;
}

export interface Applied {
  inserted: number;
  updated: number;
  /** Reports that say what is stored already. */
  ignored: number;
  /** Reports that contradict a closed bar. */
  contradicted: { index: number; stored: Bar }[];
  /** The bars to store, each once, as the last report left them. */
  changed: Bar[];
}

/** Applies the reports in the order given and puts what they change into the series. */
export function applyReports(series: CandleSeries, reports: readonly ReportedBar[]): Applied {
  const applied: Applied = { inserted: 0, updated: 0, ignored: 0, contradicted: [], changed: [] };
  const touched = new Set<Bar>();
  for (const { index, bar } of reports) {
    const stored = series.get(bar.symbol, bar.interval, bar.startMs);
    const outcome = stored ? mergeBar(stored, bar) : bar;
    if (outcome === 'same') applied.ignored++;
    else if (outcome === 'closed') applied.contradicted.push({ index, stored: stored ?? bar });
    else {
      if (stored) {
        applied.updated++;
        touched.delete(stored);
      } else applied.inserted++;
      touched.add(outcome);
      series.put(outcome);
    }
  }
  applied.changed = [...touched];
  return applied;
}
