/**
 * The volume of the last 24 hours, which is a sum of 1,440 bars, is the same for all prices of a minute unless a bar is
 * written. The cache holds it so long: what it holds is no older than the feed has come.
 */
import type { Reading } from '../../platform/cache/family.ts';
import { sql } from '../../platform/database/sql.ts';
import type { Context } from './context.ts';
import type { Observation } from './ticker-advance.ts';

const MINUTE_MS = 60_000; // a minute
const MINUTES_A_DAY = 1_440;

/** Prices so far from now are few: each is completed by the statement that stores it. */
const LIVE_MS = 2 * MINUTE_MS;

interface DayVolume {
  /** Null without any bar. */
  volume: string | null;
}

/** Nobody is told what it degrades: the volume is read again where the cache is none. */
const READING: Reading = { isFresh: false, after: [], degrade: () => undefined };

/** The observations with the volume where it is not reported, and known by now. */
export async function withVolumes(
  context: Context,
  observations: readonly Observation[],
  nowMs: number,
): Promise<Observation[]> {
  const wanted = observations.filter(
    ({ volume24h, timestamp }) => volume24h === null && Math.abs(nowMs - Date.parse(timestamp)) < LIVE_MS,
  );
  const byMinute = Map.groupBy(wanted, ({ timestamp }) => minuteOf(timestamp));
  const volumes = new Map<Observation, string | null>();
  for (const [minute, ofMinute] of byMinute) {
    const read = await readVolumes(
      context,
      minute,
      ofMinute.map(({ symbol }) => symbol),
    );
    for (const [i, observation] of ofMinute.entries()) volumes.set(observation, read[i]?.volume ?? null);
  }
  return observations.map((observation) => {
    const volume24h = volumes.get(observation) ?? null;
    return volume24h === null ? observation : { ...observation, volume24h };
  });
}

/** The minute at whose end the instant lies at latest: the same bars are within the 24 hours before all its instants. */
function minuteOf(timestamp: string): number {
  const sinceMinuteMs = Date.parse(timestamp) / MINUTE_MS;
  const hasMore = /\.\d{3}\d*[1-9]/.test(timestamp); // microseconds, which Date leaves out
  return hasMore && Number.isInteger(sinceMinuteMs) ? sinceMinuteMs + 1 : Math.ceil(sinceMinuteMs);
}

function readVolumes(context: Context, minute: number, symbols: readonly string[]): Promise<DayVolume[]> {
  const family = {
    name: `dayVolume:${minute % MINUTES_A_DAY}`,
    table: 'candles',
    column: 'symbol',
    ttlMs: MINUTE_MS,
  };
  const [start, end] = [minute - MINUTES_A_DAY, minute].map((at) => new Date(at * MINUTE_MS).toISOString());
  return context.cache.read<DayVolume>(
    family,
    symbols,
    async (missing) => {
      const rows = await context.db.query<{ symbol: string; volume: string }>(sql`
        select symbol, sum(volume)::text as volume from candles
         where symbol = any(${[...missing]}::text[]) and "interval" = '1m'
           and start_time >= ${start}::timestamptz and start_time < ${end}::timestamptz
         group by symbol`);
      const known = new Map(rows.map(({ symbol, volume }) => [symbol, volume]));
      return missing.map((symbol) => ({ volume: known.get(symbol) ?? null }));
    },
    READING,
  );
}
