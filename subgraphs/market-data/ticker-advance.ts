/** How tickers advance: by newer observations only, each state kept in the history. */
import { type Sql, sql } from '../../platform/database/sql.ts';
import { dec } from '../../platform/decimal.ts';
import { compareInstants } from '../../platform/instant.ts';
import type { Tx } from './context.ts';
import { type Columns, columnArrays, columnNames, rowSet } from './row-set.ts';
import { change24h } from './rules/market-figures.ts';
import { isNewer } from './rules/price-tick.ts';

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

/** Completes observations with the figures that they do not bring (`price_day_before`, `volume_of_day`). */
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
  const instants = observations.map(({ timestamp }) => timestamp).toSorted(compareInstants);
  const [first = '', newest = ''] = [instants[0], instants.at(-1)];
  const oldest = new Date(Date.parse(first) - TWO_DAYS_MS).toISOString();
  const known = await tx.$queryRaw<{ before: string | null; volume: string | null }[]>(sql`
    select before::text, volume::text
      from ${seen}
     cross join lateral price_day_before(symbol, at, ${oldest}::timestamptz, ${newest}::timestamptz)
     cross join lateral volume_of_day(symbol, at, ${oldest}::timestamptz, ${newest}::timestamptz)
     order by place`);
  return observations.map((observation, index) => {
    const { before = null, volume = null } = known[index] ?? {};
    return withChange({ ...observation, volume24h: observation.volume24h ?? volume }, before);
  });
}

const TWO_DAYS_MS = 48 * 3_600_000;

function withChange(observation: Observation, before: string | null): MarketState {
  const { lastPrice, priceChange24h } = observation;
  const figures = change24h(lastPrice, priceChange24h === null ? before : dec(lastPrice).minus(priceChange24h));
  return {
    ...observation,
    priceChange24h: figures?.change.toFixed() ?? null,
    priceChangePercent24h: figures?.percent.toFixed() ?? null,
  };
}

const OBSERVATION_COLUMNS: Columns<Observation> = {
  symbol: ['text', (seen) => seen.symbol],
  source: ['text', (seen) => seen.source],
  timestamp: ['timestamptz', (seen) => seen.timestamp],
  sequence: ['bigint', (seen) => seen.sequence],
  last_price: ['numeric', (seen) => seen.lastPrice],
  bid: ['numeric', (seen) => seen.bid],
  ask: ['numeric', (seen) => seen.ask],
  quoted_at: ['timestamptz', (seen) => seen.quotedAt],
  volume_24h: ['numeric', (seen) => seen.volume24h],
  before: ['numeric', priceBefore],
  metadata: ['jsonb', (seen) => seen.metadata],
  trace_id: ['text', (seen) => seen.traceId],
};

function priceBefore({ lastPrice, priceChange24h }: Observation): string | null {
  return priceChange24h === null ? null : dec(lastPrice).minus(priceChange24h).toFixed();
}

/**
 * The observations as `advance_tickers` and `store_prices` take them.
 * @param isComplete whether 24-hour figures that they do not bring are not known, and need not be looked for
 */
export function observationArrays(observations: readonly Observation[], isComplete: boolean): Sql {
  return sql`${isComplete}, ${columnArrays(OBSERVATION_COLUMNS, observations)}`;
}

/** Moves tickers on where the observation is newer, with their 24-hour figures, and keeps what they became. One a symbol. */
export async function advanceTickers(tx: Tx, observations: readonly Observation[]): Promise<void> {
  if (observations.length === 0) return;
  await tx.$executeRaw(sql`select advance_tickers(${observationArrays(observations, false)})`);
}

const { before: _, ...SHARED_COLUMNS } = OBSERVATION_COLUMNS;
const STATE_COLUMNS: Columns<MarketState> = {
  ...SHARED_COLUMNS,
  price_change_24h: ['numeric', (state) => state.priceChange24h],
  price_change_percent_24h: ['numeric', (state) => state.priceChangePercent24h],
};
const STATE_NAMES = columnNames(STATE_COLUMNS);

/** Keeps reported states in the history. Gives how many were new. */
export async function recordStates(tx: Tx, states: readonly MarketState[]): Promise<number> {
  return tx.$executeRaw(sql`
    insert into market_snapshots (${STATE_NAMES})
    select ${STATE_NAMES} from ${rowSet('state', STATE_COLUMNS, states)}
     order by symbol, timestamp, sequence, source
    on conflict do nothing`);
}
