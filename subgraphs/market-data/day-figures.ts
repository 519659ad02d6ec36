/**
 * The 24-hour figures of live prices. The volume is a sum of 1,440 bars, and the same for all prices of a minute unless a
 * bar is written; the price before is looked up to the minute. The cache holds them so long, and what it holds of bars is no
 * older than the feed has come: of ticks that are brought in a day late it tells within a minute.
 */
import type { Family, Reading } from '../../platform/cache/family.ts';
import { sql } from '../../platform/database/sql.ts';
import { dec } from '../../platform/decimal.ts';
import type { Context } from './context.ts';
import type { PriceBatch } from './price-store.ts';
import type { Observation } from './ticker-advance.ts';

const MINUTE_MS = 60_000; // a minute
const MINUTES_A_DAY = 1_440;
const DAY_MS = MINUTES_A_DAY * MINUTE_MS;

/** Prices so far from now are few: the statement that stores them looks for their figures. */
const LIVE_MS = 2 * MINUTE_MS;

interface DayFigures {
  /** The price 24 hours before, or null. */
  before: string | null;
  /** Null without any bar. */
  volume: string | null;
}

/** Nobody is told what it degrades: where the cache is none, the figures are read each time. */
const READING: Reading = { isFresh: false, after: [], degrade: () => undefined };

/** The batch with the figures of what was seen, where all of it is live. */
export async function withDayFigures(context: Context, batch: PriceBatch, nowMs: number): Promise<PriceBatch> {
  const isLive = ({ timestamp }: Observation) => Math.abs(nowMs - Date.parse(timestamp)) < LIVE_MS;
  const bringsHistory = batch.ticks.some(({ timestamp }) => Date.parse(timestamp) < nowMs - DAY_MS + LIVE_MS);
  if (bringsHistory || !batch.seen.every(isLive)) return batch;
  const figures = new Map<string, DayFigures>();
  for (const [key, seen] of Map.groupBy(batch.seen, ({ timestamp }) => momentOf(timestamp))) {
    const symbols = seen.map(({ symbol }) => symbol);
    const read = await readFigures(context, key, symbols);
    for (const [i, symbol] of symbols.entries()) figures.set(symbol, read[i] ?? { before: null, volume: null });
  }
  return { ...batch, isComplete: true, seen: batch.seen.map((seen) => completed(seen, figures.get(seen.symbol))) };
}

function completed(seen: Observation, { before, volume }: DayFigures = { before: null, volume: null }): Observation {
  const { lastPrice, priceChange24h, volume24h } = seen;
  const change = before === null ? null : dec(lastPrice).minus(before).toFixed();
  return { ...seen, volume24h: volume24h ?? volume, priceChange24h: priceChange24h ?? change };
}

/** Twice the minutes since 1970, and one more between two of them: all instants of a moment have the same bars behind them. */
function momentOf(timestamp: string): number {
  const minutes = Date.parse(timestamp) / MINUTE_MS;
  const hasMore = /\.\d{3}\d*[1-9]/.test(timestamp); // microseconds, which Date leaves out
  return 2 * Math.floor(minutes) + (Number.isInteger(minutes) && !hasMore ? 0 : 1);
}

function readFigures(context: Context, moment: number, symbols: readonly string[]): Promise<DayFigures[]> {
  const family: Family<DayFigures> = {
    name: `dayFigures:${moment % (2 * MINUTES_A_DAY)}`,
    table: 'candles',
    column: 'symbol',
    ttlMs: MINUTE_MS,
  };
  const [begun, ended] = [Math.floor(moment / 2), Math.ceil(moment / 2)].map((minute) => minute * MINUTE_MS);
  const instants = [begun, ended, (begun as number) - 2 * DAY_MS].map((ms) => new Date(ms as number).toISOString());
  const [at, until, oldest] = instants.map((instant) => sql`${instant}::timestamptz`);
  return context.cache.read(
    family,
    symbols,
    (missing) =>
      context.db.query<DayFigures>(sql`
        select before, volume from unnest(${[...missing]}::text[]) with ordinality as wanted(symbol, place)
         cross join lateral price_day_before(symbol, ${at}, ${oldest}, ${until})
         cross join lateral volume_of_day(symbol, ${until}, ${oldest}, ${until}) order by place`),
    READING,
  );
}
