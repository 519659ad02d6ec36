/** What an instrument did in the last 24 hours, from its one-minute bars. */
import { sql } from '../../../platform/database/sql.ts';
import { dec, round8 } from '../../../platform/decimal.ts';
import type { Context } from '../context.ts';
import { type Change24h, change24h } from '../rules/market-figures.ts';

export interface DayFigures {
  symbol: string;
  from: string;
  to: string;
  open: string;
  high: string;
  low: string;
  close: string;
  volume: string;
  turnover: string | null;
  numTrades: number | null;
  bars: number;
  /** Deviation of the logarithmic returns of a minute. */
  spread: number | null;
}

const DAY_MS = 86_400_000;
const MINUTES_A_DAY = 1_440;

/** The statistics, or null without any bar; symbols asked for in one tick cost one statement. */
export function dayStatistics(context: Context, symbol: string): Promise<DayFigures | null> {
  const to = context.now();
  const from = new Date(to.getTime() - DAY_MS);
  return context.batch('dayStatistics', symbol, async (symbols) => {
    const rows = await context.db.query<Omit<DayFigures, 'from' | 'to'>>(sql`
      select symbol, (array_agg(open order by start_time))[1] as open, max(high) as high, min(low) as low,
             (array_agg(close order by start_time desc))[1] as close, sum(volume) as volume,
             case when bool_and(turnover is not null or volume = 0) then coalesce(sum(turnover), 0) end as turnover,
             case when bool_and(num_trades is not null) then sum(num_trades)::int end as num_trades,
             count(*)::int as bars, stddev_samp(step) as spread
        from (select *, ln(close::float8 / lag(close::float8) over (partition by symbol order by start_time)) as step
                from candles where symbol = any(${[...symbols]}::text[]) and "interval" = '1m'
                 and start_time >= ${from.toISOString()}::timestamptz and start_time < ${to.toISOString()}::timestamptz) as bars
       group by symbol`);
    const bySymbol = new Map(rows.map((row) => [row.symbol, row]));
    return symbols.map((wanted) => {
      const row = bySymbol.get(wanted);
      return row ? { ...row, from: from.toISOString(), to: to.toISOString() } : null;
    });
  });
}

/** The change of the day, from the first open to the last close. */
export function dayChange({ open, close }: DayFigures): Change24h {
  return change24h(close, open) as Change24h;
}

/** Average price weighted by volume; null when nothing was traded or a part is not known. */
export function dayVwap({ turnover, volume }: DayFigures): string | null {
  return turnover === null || dec(volume).isZero() ? null : round8(dec(turnover).dividedBy(volume)).toFixed();
}

/** The minute's deviation scaled to a day; null of fewer than three bars. */
export function dayVolatility({ spread }: DayFigures): string | null {
  return spread === null ? null : (spread * Math.sqrt(MINUTES_A_DAY)).toFixed(8);
}
