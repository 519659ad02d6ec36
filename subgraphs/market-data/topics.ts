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

/** A row of `newest_order_books`: which book of an instrument on a venue is the newest. */
export interface NewestOrderBookRow {
  market: string;
  symbol: string;
  venueId: string;
  snapshotId: string;
  timestamp: string;
  sequence: string;
  createdAt: string;
  updatedAt: string;
  version: number;
  traceId: string | null;
}

export const newestOrderBookTopic = topic<NewestOrderBookRow>({
  table: 'newest_order_books',
  key: 'market',
  fields: { symbol: 'text', venueId: 'text' },
  mode: 'conflated',
});
