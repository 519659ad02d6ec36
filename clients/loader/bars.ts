import { shownInterval } from '../../subgraphs/market-data/enums.ts';
import type { CandleInput } from '../../subgraphs/market-data/generated/resolvers.ts';
import type { Interval } from '../../subgraphs/market-data/rules/candle-intervals.ts';
import { decimalOf, type Fields, instantOf } from './fields.ts';
import type { Market } from './items.ts';

/** A row of bars: time (start of the bar), open, high, low, close in the quote asset, volume in the base asset. */
export function readBar(fields: Fields, file: Market & { interval: Interval }): CandleInput {
  return {
    symbol: file.symbol,
    interval: shownInterval(file.interval),
    startTime: instantOf(fields, 'time'),
    open: decimalOf(fields, 'open'),
    high: decimalOf(fields, 'high'),
    low: decimalOf(fields, 'low'),
    close: decimalOf(fields, 'close'),
    volume: decimalOf(fields, 'volume'),
    source: file.venue,
  };
}
