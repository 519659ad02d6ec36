/** How tickers advance: by newer observations only, each state kept in the history. */
import { identifier, type Sql, sql } from '../../platform/database/sql.ts';
import { dec } from '../../platform/decimal.ts';
import type { Tx } from './context.ts';
import { type Columns, columnNames, rowSet } from './row-set.ts';
import { change24h } from './rules/market-figures.ts';
import { compareInstants, isNewer } from './rules/price-tick.ts';

/** What a source said of the market; 24-hour figures it left out are null. */
export interface Observation {
  symbol: string;
  source: string;
  timestamp: string;
  sequence: string;
  lastPrice: string;
  bid: string | null;
  ask: string | null;
  /** When bid and ask were seen; null without them. */
  quotedAt: string | null;
  volume24h: string | null;
  priceChange24h: string | null;
  metadata: object | null;
  /** Trace of the call that brought it. */
  traceId: string;
}

/** An observation with its 24-hour figures. */
export interface MarketState extends Observation {
  priceChangePercent24h: string | null;
}

/** The newest observation of each symbol. */
export function newestBySymbol<Seen extends Pick<Observation, 'symbol' | 'timestamp' | 'sequence'>>(
  observations: Iterable<Seen>,
): Map<string, Seen> {
  const newest = new Map<string, Seen>();
  for (const observation of observations) {
    const known = newest.get(observation.symbol);
    if (!known || isNewer(observation, known)) newest.set(observation.symbol, observation);
  }
  return newest;
}

/**
 * Completes observations: the price 24 hours before is the last tick, else the last one-minute close, of the day that
 * ended then; the volume is the sum of the one-minute bars of the last 24 hours. What is not known stays null.
 */
export async function withFigures(tx: Tx, observations: readonly Observation[]): Promise<MarketState[]> {
  if (observations.length === 0) return [];
  const seen = rowSet(
    'seen',
    {
      place: ['integer', ({ place }) => place],
      symbol: ['text', ({ symbol }) => symbol],
      at: ['timestamptz', ({ timestamp }) => timestamp],
    },
    observations.map(({ symbol, timestamp }, place) => ({ place, symbol, timestamp })),
  );
  const known = await tx.$queryRaw<{ before: string | null; volume: string | null }[]>(sql`
    select coalesce(
             (select price from price_feeds
               where symbol = seen.symbol and timestamp <= seen.at - interval '24 hours'
                 and timestamp > seen.at - interval '48 hours' and ${isRecent('timestamp', observations)}
               order by timestamp desc, sequence desc limit 1),
             (select close from candles
               where symbol = seen.symbol and "interval" = '1m' and end_time <= seen.at - interval '24 hours'
                 and start_time > seen.at - interval '48 hours' and ${isRecent('start_time', observations)}
               order by start_time desc limit 1))::text as before,
           (select sum(volume) from candles
             where symbol = seen.symbol and "interval" = '1m'
               and start_time >= seen.at - interval '24 hours' and start_time < seen.at
               and ${isRecent('start_time', observations)})::text as volume
      from ${seen} order by place`);
  return observations.map((observation, index) => {
    const { before = null, volume = null } = known[index] ?? {};
    return withChange({ ...observation, volume24h: observation.volume24h ?? volume }, before);
  });
}

const TWO_DAYS_MS = 48 * 3_600_000;

/** Bounds that the planner knows beforehand, so that it leaves the partitions of other days and months alone. */
function isRecent(column: string, observations: readonly Observation[]): Sql {
  const instants = observations.map(({ timestamp }) => timestamp).toSorted(compareInstants);
  const [oldest = '', newest = ''] = [instants[0], instants.at(-1)];
  const from = new Date(Date.parse(oldest) - TWO_DAYS_MS).toISOString();
  return sql`${identifier(column)} >= ${from}::timestamptz and ${identifier(column)} <= ${newest}::timestamptz`;
}

function withChange(observation: Observation, before: string | null): MarketState {
  const { lastPrice, priceChange24h } = observation;
  const figures = change24h(lastPrice, priceChange24h === null ? before : dec(lastPrice).minus(priceChange24h));
  return {
    ...observation,
    priceChange24h: figures?.change.toFixed() ?? null,
    priceChangePercent24h: figures?.percent.toFixed() ?? null,
  };
}

const STATE_COLUMNS: Columns<MarketState> = {
  symbol: ['text', (state) => state.symbol],
  source: ['text', (state) => state.source],
  timestamp: ['timestamptz', (state) => state.timestamp],
  sequence: ['bigint', (state) => state.sequence],
  last_price: ['numeric', (state) => state.lastPrice],
  bid: ['numeric', (state) => state.bid],
  ask: ['numeric', (state) => state.ask],
  quoted_at: ['timestamptz', (state) => state.quotedAt],
  volume_24h: ['numeric', (state) => state.volume24h],
  price_change_24h: ['numeric', (state) => state.priceChange24h],
  price_change_percent_24h: ['numeric', (state) => state.priceChangePercent24h],
  metadata: ['jsonb', (state) => state.metadata],
  trace_id: ['text', (state) => state.traceId],
};
const STATE_NAMES = columnNames(STATE_COLUMNS);

/**
 * Moves tickers on where the state is newer, and keeps what they became in the history. A state without a quote, or
 * with an older one, leaves bid and ask as they were; one without a volume leaves the volume. One state a symbol.
 */
export async function advanceTickers(tx: Tx, states: readonly MarketState[]): Promise<void> {
  if (states.length === 0) return;
  // Rows are locked in the order of their symbols, so that two writers never deadlock.
  await tx.$executeRaw(sql`
    with advanced as (
      insert into tickers as kept (${STATE_NAMES})
      select ${STATE_NAMES} from ${rowSet('state', STATE_COLUMNS, states)} order by symbol
      on conflict (symbol) do update set
        source = excluded.source, timestamp = excluded.timestamp, sequence = excluded.sequence,
        last_price = excluded.last_price, volume_24h = coalesce(excluded.volume_24h, kept.volume_24h),
        price_change_24h = excluded.price_change_24h, price_change_percent_24h = excluded.price_change_percent_24h,
        metadata = excluded.metadata, trace_id = excluded.trace_id,
        bid = case when excluded.quoted_at >= coalesce(kept.quoted_at, '-infinity') then excluded.bid else kept.bid end,
        ask = case when excluded.quoted_at >= coalesce(kept.quoted_at, '-infinity') then excluded.ask else kept.ask end,
        quoted_at = greatest(excluded.quoted_at, kept.quoted_at)
      where (excluded.timestamp, excluded.sequence) > (kept.timestamp, kept.sequence)
      returning *)
    insert into market_snapshots (${STATE_NAMES})
    select ${STATE_NAMES} from advanced
    on conflict do nothing`);
}

/** Keeps reported states in the history. Gives how many were new. */
export async function recordStates(tx: Tx, states: readonly MarketState[]): Promise<number> {
  return tx.$executeRaw(sql`
    insert into market_snapshots (${STATE_NAMES})
    select ${STATE_NAMES} from ${rowSet('state', STATE_COLUMNS, states)}
     order by symbol, timestamp, sequence, source
    on conflict do nothing`);
}
