/** Bars in memory, found by symbol, interval and start: those a command has read, and those it writes. */
import type { Bar } from './candle-bar.ts';
import { barStart, durationMs, INTERVALS, type Interval, longer } from './candle-intervals.ts';

export class CandleSeries {
  readonly #bars = new Map<string, Map<number, Bar>>();

  constructor(bars: Iterable<Bar> = []) {
    for (const bar of bars) this.put(bar);
  }

  get(symbol: string, interval: Interval, startMs: number): Bar | undefined {
    return this.#bars.get(`${symbol} ${interval}`)?.get(startMs);
  }

  put(bar: Bar): void {
    const name = `${bar.symbol} ${bar.interval}`;
    let series = this.#bars.get(name);
    if (!series) {
      series = new Map();
      this.#bars.set(name, series);
    }
    series.set(bar.startMs, bar);
  }

  /** The bars of the interval that lie in the period, oldest first. */
  within(symbol: string, interval: Interval, fromMs: number, toMs: number): Bar[] {
    const series = this.#bars.get(`${symbol} ${interval}`);
    if (!series) return [];
    const bars: Bar[] = [];
    for (let startMs = fromMs; startMs < toMs; startMs += durationMs(interval)) {
      const bar = series.get(startMs);
      if (bar) bars.push(bar);
    }
    return bars;
  }
}

/** A period of bars of one symbol and interval; half-open. */
export interface Period {
  symbol: string;
  interval: Interval;
  fromMs: number;
  toMs: number;
}

/**
 * The periods that must be known to store these bars and roll them up: at each interval from the bar's own upwards, the
 * siblings within the next longer bar. Neighbouring periods are joined.
 */
export function neededPeriods(bars: Iterable<Pick<Bar, 'symbol' | 'interval' | 'startMs'>>): Period[] {
  const periods: Period[] = [];
  for (const [symbol, starts] of startsBySymbol(bars)) {
    let risen = new Set<number>();
    for (const interval of INTERVALS) {
      for (const startMs of starts.get(interval) ?? []) risen.add(startMs);
      const parent = longer(interval) ?? interval;
      const parents = new Set<number>();
      for (const startMs of risen) parents.add(barStart(startMs, parent));
      periods.push(...joined(symbol, interval, parents, durationMs(parent)));
      risen = parents;
    }
  }
  return periods;
}

function startsBySymbol(bars: Iterable<Pick<Bar, 'symbol' | 'interval' | 'startMs'>>) {
  const bySymbol = new Map<string, Map<Interval, Set<number>>>();
  for (const { symbol, interval, startMs } of bars) {
    const starts = bySymbol.get(symbol) ?? new Map<Interval, Set<number>>();
    bySymbol.set(symbol, starts);
    starts.set(interval, (starts.get(interval) ?? new Set()).add(startMs));
  }
  return bySymbol;
}

function joined(symbol: string, interval: Interval, starts: Set<number>, lengthMs: number): Period[] {
  const periods: Period[] = [];
  for (const fromMs of [...starts].sort((a, b) => a - b)) {
    const last = periods.at(-1);
    if (last?.toMs === fromMs) last.toMs += lengthMs;
    else periods.push({ symbol, interval, fromMs, toMs: fromMs + lengthMs });
  }
  return periods;
}
