/** What of market data can be followed. */
import { raw } from '../../platform/database/sql.ts';
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
