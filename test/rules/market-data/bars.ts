import { toWire } from '../../../platform/decimal.ts';
import type { Bar, BarReport } from '../../../subgraphs/market-data/rules/candle-bar.ts';
import { type Interval, minutesOf } from '../../../subgraphs/market-data/rules/candle-intervals.ts';
import { unitsOf, unitsText } from '../../../subgraphs/market-data/rules/units.ts';

/** A Thursday morning long past, so that every bar in it is over at `NOW`. */
export const DAY = Date.UTC(2026, 0, 1);
export const NOW = Date.UTC(2026, 5, 1);

export function report(change: Partial<BarReport> = {}): BarReport {
  return {
    symbol: 'BTC-USD',
    interval: '1m',
    startTime: '2026-01-01T00:00:00Z',
    open: '100',
    high: '110',
    low: '90',
    close: '105',
    volume: '2',
    vwap: null,
    numTrades: null,
    isClosed: null,
    source: 'test',
    metadata: null,
    ...change,
  };
}

/** A reported bar `minute` minutes into the day; prices [open, high, low, close]. */
export function bar(
  minute: number,
  [open, high, low, close]: readonly [number | string, number | string, number | string, number | string],
  rest: { interval?: Interval; volume?: string; vwap?: string | null; symbol?: string } & Partial<
    Pick<Bar, 'isClosed' | 'numTrades' | 'source' | 'metadata' | 'version'>
  > = {},
): Bar {
  const { interval = '1m', volume = '1', vwap = null, ...others } = rest;
  return {
    symbol: 'BTC-USD',
    interval,
    startMs: DAY + minute * 60_000,
    open: unitsOf(String(open)),
    high: unitsOf(String(high)),
    low: unitsOf(String(low)),
    close: unitsOf(String(close)),
    volume: unitsOf(volume),
    vwap: vwap === null ? null : unitsOf(vwap),
    turnover: vwap === null ? null : unitsOf(vwap) * unitsOf(volume),
    numTrades: null,
    isClosed: true,
    origin: 'REPORTED',
    coveredMinutes: minutesOf(interval),
    source: 'test',
    metadata: null,
    version: 0,
    ...others,
  };
}

/** What a bar says, as plain text. */
export function shown({ open, high, low, close, volume, vwap }: Bar): string {
  const values = [open, high, low, close, volume].map((units) => toWire(unitsText(units)));
  return [...values, vwap === null ? '-' : toWire(unitsText(vwap))].join(' ');
}
