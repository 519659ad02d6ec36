/** Longer bars from shorter ones, exactly: 1m → 5m → 15m → 1h → 4h → 1d (domain.md §2.4). */
import { type Bar, isSameBar } from './candle-bar.ts';
import { barStart, durationMs, INTERVALS, type Interval } from './candle-intervals.ts';
import type { CandleSeries } from './candle-series.ts';
import { divideHalfEven, higher, lower } from './units.ts';

/**
 * Computes the longer bars above the changed ones, from the next shorter interval each, and puts into the series those
 * that differ. A reported bar stays as it is: its source knows more than parts that may be missing. So does a bar that
 * covers more than its parts do: some of them have been purged since.
 * @param series the changed bars and every bar of `neededPeriods`
 * @returns the bars that were put, shortest interval first
 */
export function rollUp(series: CandleSeries, changed: Iterable<Bar>, nowMs: number): Bar[] {
  const written: Bar[] = [];
  const waiting = Map.groupBy(changed, (bar) => bar.interval);
  for (const [index, interval] of INTERVALS.slice(1).entries()) {
    const part = INTERVALS[index] as Interval;
    const risen = rollUpInto(interval, part, series, waiting.get(part) ?? [], nowMs);
    written.push(...risen);
    waiting.set(interval, [...(waiting.get(interval) ?? []), ...risen]);
  }
  return written;
}

function rollUpInto(interval: Interval, part: Interval, series: CandleSeries, changed: Bar[], nowMs: number): Bar[] {
  const written: Bar[] = [];
  const seen = new Map<string, Set<number>>();
  for (const { symbol, startMs: partStartMs } of changed) {
    const startMs = barStart(partStartMs, interval);
    const starts = seen.get(symbol) ?? new Set();
    if (starts.has(startMs)) continue;
    seen.set(symbol, starts.add(startMs));

    const stored = series.get(symbol, interval, startMs);
    if (stored?.origin === 'REPORTED') continue;
    const parts = series.within(symbol, part, startMs, startMs + durationMs(interval));
    const bar = { ...combineBars(parts, interval, nowMs), version: stored?.version ?? 0 };
    if (stored && (isSameBar(stored, bar) || stored.coveredMinutes > bar.coveredMinutes)) continue;
    series.put(bar);
    written.push(bar);
  }
  return written;
}

/**
 * One bar from the bars of a shorter interval that lie in it (oldest first, at least one): open of the first, close of
 * the last, highest and lowest, sums, vwap weighted by volume. What a part does not know, the sum does not know.
 */
export function combineBars(parts: readonly Bar[], interval: Interval, nowMs: number): Bar {
  const [first, last] = [parts[0], parts.at(-1)];
  if (!first || !last) throw new Error('A bar is combined from at least one part.');
  const startMs = barStart(first.startMs, interval);
  let { high, low } = first;
  let volume = 0n;
  let turnover: bigint | null = 0n;
  let numTrades: number | null = 0;
  let coveredMinutes = 0;
  for (const part of parts) {
    high = higher(high, part.high);
    low = lower(low, part.low);
    volume += part.volume;
    turnover = addTurnover(turnover, part);
    numTrades = numTrades === null || part.numTrades === null ? null : numTrades + part.numTrades;
    coveredMinutes += part.coveredMinutes;
  }
  return {
    symbol: first.symbol,
    interval,
    startMs,
    open: first.open,
    high,
    low,
    close: last.close,
    volume,
    vwap: turnover === null || volume === 0n ? null : divideHalfEven(turnover, volume),
    turnover,
    numTrades,
    isClosed: startMs + durationMs(interval) <= nowMs,
    origin: 'ROLLED_UP',
    coveredMinutes,
    source: parts.every((part) => part.source === first.source) ? first.source : null,
    metadata: null,
    version: 0,
  };
}

function addTurnover(sum: bigint | null, part: Bar): bigint | null {
  if (part.volume === 0n) return sum;
  return sum === null || part.turnover === null ? null : sum + part.turnover;
}
