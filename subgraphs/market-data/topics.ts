/** What of market data can be followed. */
import { raw } from '../../platform/database/sql.ts';
import { badInput } from '../../platform/errors.ts';
import type { ChangeEvent } from '../../platform/feed/row-changes.ts';
import { topic } from '../../platform/feed/topic.ts';
import type { CandleRow } from './candles.ts';
import type { TickerRow } from './tickers.ts';

export type PriceEvent = ChangeEvent<TickerRow>;
export type CandleEvent = ChangeEvent<CandleRow>;

export const priceTopic = topic<TickerRow>({
  table: 'tickers',
  key: 'symbol',
  fields: { symbol: 'text' },
  mode: 'conflated',
});

export const candleTopic = topic<CandleRow>({
  table: 'candles',
  key: 'candle_id',
  fields: { symbol: 'text', interval: 'text' },
  mode: 'conflated',
  snapshotOrder: raw('start_time desc'),
  snapshotRows: 1,
});

const MAX_INTERVAL_MS = 60_000; // a minute

/** @throws GraphQLError (bad input) outside 0 to 60,000 */
export function readMinInterval(minIntervalMs: number): number {
  if (minIntervalMs >= 0 && minIntervalMs <= MAX_INTERVAL_MS) return minIntervalMs;
  throw badInput(`minIntervalMs must be from 0 to ${MAX_INTERVAL_MS}, but got ${minIntervalMs}.`, ['minIntervalMs']);
}
