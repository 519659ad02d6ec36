/** Closes of stored bars, as statistics take them. */
import { sql } from '../../../platform/database/sql.ts';
import type { Context } from '../context.ts';
import { storedInterval } from '../enums.ts';
import type { CandleInterval } from '../generated/resolvers.ts';
import type { Close } from './rules/statistics.ts';

/** The closes of the newest bars before an instant, oldest first. */
export async function readCloses(
  context: Context,
  symbols: readonly string[],
  interval: CandleInterval,
  to: string,
  count: number,
): Promise<Map<string, Close[]>> {
  const rows = await context.db.query<{ symbol: string; startMs: number; price: number }>(sql`
    select bars.symbol, extract(epoch from start_time)::float8 * 1000 as start_ms, close::float8 as price
      from unnest(${[...symbols]}::text[]) as wanted(symbol)
     cross join lateral (
       select symbol, start_time, close from candles
        where candles.symbol = wanted.symbol and "interval" = ${storedInterval(interval)}
          and end_time <= ${to}::timestamptz and start_time < ${to}::timestamptz
        order by start_time desc limit ${count}) as bars
     order by bars.symbol, start_time`);
  return Map.groupBy(rows, ({ symbol }) => symbol);
}
