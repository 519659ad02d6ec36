/** Bars: what is stored of them and how they are read. */

import { type Sql, sql } from '../../platform/database/sql.ts';
import { equals, equalsSymbol, is, within } from '../../platform/filters.ts';
import { entity } from '../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../platform/paging.ts';
import type { Context } from './context.ts';
import { storedInterval } from './enums.ts';
import type { CandleFilter, CandleInterval, CandleOrigin } from './generated/resolvers.ts';
import type { Interval } from './rules/candle-intervals.ts';

/** A row of `candles`. */
export interface CandleRow {
  candleId: string;
  symbol: string;
  interval: Interval;
  startTime: string;
  endTime: string;
  open: string;
  high: string;
  low: string;
  close: string;
  volume: string;
  vwap: string | null;
  turnover: string | null;
  numTrades: number | null;
  isClosed: boolean;
  origin: CandleOrigin;
  coveredMinutes: number;
  source: string | null;
  metadata: Record<string, unknown> | null;
  createdAt: string;
  updatedAt: string;
  version: number;
  traceId: string | null;
}

export type CandlePage = Connection<CandleRow>;

export const candles = entity<CandleRow>({ name: 'Candle', table: 'candles', key: 'candle_id', keyType: 'uuid' });

export const candleList = connectionSource<CandleRow>({
  table: 'candles',
  id: 'candle_id',
  sorts: { START_TIME: 'start_time' },
  parents: { symbol: 'text' },
});

/** The bar has that length. */
export function ofInterval(interval: CandleInterval): Sql {
  return sql`"interval" = ${storedInterval(interval)}`;
}

/** The conditions of a filter. Throws a validation Refusal on a symbol that is none. */
export function candleConditions(filter: CandleFilter | null | undefined): Sql[] {
  if (!filter) return [];
  return [
    ...equalsSymbol('symbol', filter.symbol),
    ...(filter.interval ? [ofInterval(filter.interval)] : []),
    ...within('start_time', filter),
    ...is('is_closed', filter.isClosed),
    ...equals('origin', filter.origin),
    ...equals('source', filter.source),
  ];
}

/** The newest bar of the symbol, which may still be open; symbols asked for in one tick cost one statement. */
export function latestCandle(context: Context, symbol: string, interval: CandleInterval): Promise<CandleRow | null> {
  return context.batch<string, CandleRow | null>(`latestCandle:${interval}`, symbol, async (symbols) => {
    const rows = await context.db.query<CandleRow>(sql`
      select newest.* from unnest(${[...symbols]}::text[]) as wanted(symbol)
       cross join lateral (
         select * from candles where candles.symbol = wanted.symbol and ${ofInterval(interval)}
          order by start_time desc limit 1) as newest`);
    const bySymbol = new Map(rows.map((row) => [row.symbol, row]));
    return symbols.map((wanted) => bySymbol.get(wanted) ?? null);
  });
}
