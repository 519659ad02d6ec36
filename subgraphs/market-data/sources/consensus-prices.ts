/** The price on which the registered sources agree: what is stored of it and how it advances. */
import { sql } from '../../../platform/database/sql.ts';
import { type Decimal, dec, round8 } from '../../../platform/decimal.ts';
import type { ChangeEvent } from '../../../platform/feed/row-changes.ts';
import { topic } from '../../../platform/feed/topic.ts';
import { entity } from '../../../platform/loaders.ts';
import type { Context, Tx } from '../context.ts';
import { type Columns, rowSet } from '../row-set.ts';
import { type Breaker, type BreakerState, CLOSED, observe, type PricePoint } from './rules/breaker.ts';
import { consensusOf, type SourceQuote, smooth } from './rules/consensus.ts';

/** A row of `consensus_prices`. */
export interface ConsensusPriceRow {
  symbol: string;
  price: string;
  agreedPrice: string;
  confidence: string;
  sourceCount: number;
  outliers: string[];
  pricedAt: string;
  recent: PricePoint[];
  breaker: BreakerState;
  trippedAt: string | null;
  trippedPrice: string | null;
  referencePrice: string | null;
  inBandSince: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
  traceId: string | null;
}

/** A row of `source_prices`, of a consensus that judged it. */
export interface SourcePriceRow {
  symbol: string;
  source: string;
  price: string;
  volume24h: string | null;
  timestamp: string;
  isOutlier: boolean;
}

export type ConsensusEvent = ChangeEvent<ConsensusPriceRow>;

export const consensusPrices = entity<ConsensusPriceRow>({
  name: 'ConsensusPrice',
  table: 'consensus_prices',
  key: 'symbol',
  keyType: 'text',
});

export const consensusTopic = topic<ConsensusPriceRow>({
  table: 'consensus_prices',
  key: 'symbol',
  fields: { symbol: 'text' },
  mode: 'conflated',
});

/** The newest price of each registered source, the first by priority first; symbols of one tick cost one statement. */
export function sourcePricesOf(context: Context, { symbol, outliers }: ConsensusPriceRow): Promise<SourcePriceRow[]> {
  const read = async (symbols: readonly string[]) => {
    const rows = await context.db.query<Omit<SourcePriceRow, 'isOutlier'>>(sql`
      select prices.symbol, source, price, volume_24h, timestamp
        from source_prices as prices join data_sources on name = source
       where prices.symbol = any(${[...symbols]}::text[]) and is_enabled order by priority, source`);
    const bySymbol = Map.groupBy(rows, (row) => row.symbol);
    return symbols.map((wanted) => bySymbol.get(wanted) ?? []);
  };
  return context
    .batch('sourcePrices', symbol, read)
    .then((rows) => rows.map((row) => ({ ...row, isOutlier: outliers.includes(row.source) })));
}

/** What a source says of a price. */
interface SourceTick {
  symbol: string;
  source: string;
  price: string;
  volume24h: string | null;
  timestamp: string;
  sequence: string;
}

const SOURCE_TICK_COLUMNS: Columns<SourceTick> = {
  symbol: ['text', (tick) => tick.symbol],
  source: ['text', (tick) => tick.source],
  price: ['numeric', (tick) => tick.price],
  volume_24h: ['numeric', (tick) => tick.volume24h],
  timestamp: ['timestamptz', (tick) => tick.timestamp],
  sequence: ['bigint', (tick) => tick.sequence],
};

/** Keeps the newest tick of each registered source. The tickers of the symbols must be locked. */
export async function keepSourcePrices(tx: Tx, ticks: readonly SourceTick[]): Promise<void> {
  await tx.$executeRaw(sql`
    insert into source_prices as kept (symbol, source, price, volume_24h, timestamp, sequence)
    select distinct on (symbol, source) symbol, source, price, volume_24h, timestamp, sequence
      from ${rowSet('tick', SOURCE_TICK_COLUMNS, ticks)}
     where exists (select from data_sources where name = source and is_enabled)
     order by symbol, source, timestamp desc, sequence desc
    on conflict (symbol, source) do update set
       price = excluded.price, volume_24h = coalesce(excluded.volume_24h, kept.volume_24h),
       timestamp = excluded.timestamp, sequence = excluded.sequence
     where (excluded.timestamp, excluded.sequence) > (kept.timestamp, kept.sequence)`);
}

/** What may not be published of a symbol. */
export interface Verdict {
  isTripped: boolean;
  outliers: readonly string[];
}

interface StoredMarket {
  symbol: string;
  threshold: string;
  quotes: { source: string; priority: number; price: string; volume: string | null; atMs: number }[];
  kept: {
    price: string;
    agreed: string;
    pricedAtMs: number;
    recent: PricePoint[];
    breaker: BreakerState;
    trippedAtMs: number | null;
    trippedPrice: string | null;
    referencePrice: string | null;
    inBandSinceMs: number | null;
  } | null;
}

/**
 * Advances the consensus of the symbols that registered sources speak of. While the breaker is tripped the price stays.
 * The tickers of the symbols must be locked. `bend` is what a scenario makes of a price.
 */
export async function advanceConsensus(
  tx: Tx,
  symbols: readonly string[],
  nowMs: number,
  bend: (symbol: string, price: Decimal) => Decimal,
  traceId: string,
): Promise<Map<string, Verdict>> {
  const advanced = (await readMarkets(tx, symbols)).flatMap((market) => advance(market, nowMs, bend));
  if (advanced.length > 0) await writeConsensus(tx, advanced, traceId);
  return new Map(
    advanced.map(({ symbol, breaker, outliers }) => [symbol, { isTripped: breaker.state === 'TRIPPED', outliers }]),
  );
}

async function readMarkets(tx: Tx, symbols: readonly string[]): Promise<StoredMarket[]> {
  const rows = await tx.$queryRaw<{ market: StoredMarket }[]>(sql`
    select json_build_object('symbol', symbols.symbol, 'threshold', circuit_breaker_threshold::text,
             'quotes', quotes.list, 'kept', case when kept.symbol is null then null else json_build_object(
               'price', kept.price::text, 'agreed', agreed_price::text,
               'pricedAtMs', extract(epoch from priced_at) * 1000, 'recent', recent, 'breaker', breaker,
               'trippedAtMs', extract(epoch from tripped_at) * 1000, 'trippedPrice', tripped_price::text,
               'referencePrice', reference_price::text, 'inBandSinceMs', extract(epoch from in_band_since) * 1000) end
           ) as market
      from symbols
     cross join lateral (
       select json_agg(json_build_object('source', source, 'priority', priority, 'price', prices.price::text,
                'volume', volume_24h::text, 'atMs', extract(epoch from timestamp) * 1000) order by source) as list
         from source_prices as prices join data_sources on name = source and is_enabled
        where prices.symbol = symbols.symbol) as quotes
      left join consensus_prices as kept on kept.symbol = symbols.symbol
     where symbols.symbol = any(${[...symbols]}::text[]) and quotes.list is not null
     order by symbols.symbol`);
  return rows.map(({ market }) => market);
}

interface AdvancedConsensus {
  symbol: string;
  price: Decimal;
  agreed: Decimal;
  confidence: Decimal;
  sourceCount: number;
  outliers: string[];
  pricedAtMs: number;
  breaker: Breaker;
}

function advance(
  { symbol, threshold, quotes, kept }: StoredMarket,
  nowMs: number,
  bend: (symbol: string, price: Decimal) => Decimal,
): AdvancedConsensus[] {
  const consensus = consensusOf(quotes.map(readQuote), nowMs);
  if (consensus === null) return [];
  const before = kept && { price: dec(kept.agreed), atMs: kept.pricedAtMs };
  const isTripped = kept?.breaker === 'TRIPPED';
  const agreed = isTripped ? consensus.price : smooth(before, consensus.price, nowMs);
  const breaker = observe(kept ? readBreaker(kept) : CLOSED, agreed, nowMs, dec(threshold));
  const isHeld = breaker.state === 'TRIPPED' && kept !== null;
  return [
    {
      symbol,
      ...consensus,
      agreed: isHeld ? dec(kept.agreed) : agreed,
      price: isHeld ? dec(kept.price) : round8(bend(symbol, agreed)),
      pricedAtMs: isHeld ? kept.pricedAtMs : nowMs,
      breaker,
    },
  ];
}

function readQuote({ source, priority, price, volume, atMs }: StoredMarket['quotes'][number]): SourceQuote {
  return { source, priority, price: dec(price), volume: volume === null ? null : dec(volume), atMs };
}

function readBreaker(kept: NonNullable<StoredMarket['kept']>): Breaker {
  const { recent, breaker: state, trippedAtMs, trippedPrice, referencePrice, inBandSinceMs } = kept;
  const price = (text: string | null) => (text === null ? null : dec(text));
  return {
    state,
    recent,
    trippedAtMs,
    trippedPrice: price(trippedPrice),
    referencePrice: price(referencePrice),
    inBandSinceMs,
  };
}

const CONSENSUS_COLUMNS: Columns<AdvancedConsensus> = {
  symbol: ['text', ({ symbol }) => symbol],
  price: ['numeric', ({ price }) => price.toFixed()],
  agreed_price: ['numeric', ({ agreed }) => agreed.toFixed()],
  confidence: ['numeric', ({ confidence }) => confidence.toFixed()],
  source_count: ['integer', ({ sourceCount }) => sourceCount],
  outliers: ['jsonb', ({ outliers }) => outliers],
  priced_ms: ['double precision', ({ pricedAtMs }) => pricedAtMs],
  recent: ['jsonb', ({ breaker }) => breaker.recent],
  breaker: ['text', ({ breaker }) => breaker.state],
  tripped_ms: ['double precision', ({ breaker }) => breaker.trippedAtMs],
  tripped_price: ['numeric', ({ breaker }) => breaker.trippedPrice?.toFixed()],
  reference_price: ['numeric', ({ breaker }) => breaker.referencePrice?.toFixed()],
  in_band_ms: ['double precision', ({ breaker }) => breaker.inBandSinceMs],
};

async function writeConsensus(tx: Tx, advanced: readonly AdvancedConsensus[], traceId: string): Promise<void> {
  await tx.$executeRaw(sql`
    insert into consensus_prices (symbol, price, agreed_price, confidence, source_count, outliers, priced_at, recent,
                                  breaker, tripped_at, tripped_price, reference_price, in_band_since, trace_id)
    select symbol, price, agreed_price, confidence, source_count,
           array(select jsonb_array_elements_text(outliers)), to_timestamp(priced_ms / 1000), recent, breaker,
           to_timestamp(tripped_ms / 1000), tripped_price, reference_price, to_timestamp(in_band_ms / 1000), ${traceId}
      from ${rowSet('advanced', CONSENSUS_COLUMNS, advanced)} order by symbol
    on conflict (symbol) do update set
       price = excluded.price, agreed_price = excluded.agreed_price, confidence = excluded.confidence,
       source_count = excluded.source_count, outliers = excluded.outliers, priced_at = excluded.priced_at,
       recent = excluded.recent, breaker = excluded.breaker, tripped_at = excluded.tripped_at,
       tripped_price = excluded.tripped_price, reference_price = excluded.reference_price,
       in_band_since = excluded.in_band_since, trace_id = excluded.trace_id`);
}
