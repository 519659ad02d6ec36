/** Bending what is published of prices, and setting it right again. The tickers of the symbols are locked throughout. */
import type { Database } from '../../../platform/database/database.ts';
import { sql } from '../../../platform/database/sql.ts';
import { type Decimal, dec } from '../../../platform/decimal.ts';
import type { Tx } from '../context.ts';
import { type Columns, rowSet } from '../row-set.ts';
import { change24h } from '../rules/market-figures.ts';
import { bentPrice, bentQuote, type Manipulation, type Pattern } from './rules/price-effect.ts';

/** An active manipulation of a symbol. */
export interface ActiveManipulation extends Manipulation {
  manipulationId: string;
  symbol: string;
  original: Quote;
}

/** A price with its quote. */
export interface Quote {
  price: Decimal;
  bid: Decimal | null;
  ask: Decimal | null;
}

interface StoredManipulation {
  manipulationId: string;
  symbol: string;
  pattern: Pattern;
  deviation: string;
  seed: number;
  anchor: string;
  price: string;
  bid: string | null;
  ask: string | null;
  startMs: number;
  fullMs: number;
  recoversMs: number;
  endsMs: number;
}

const STORED = sql`manipulation_id as "manipulationId", symbol, pattern, deviation::text, seed, anchor_price::text as anchor,
           original_price::text as price, original_bid::text as bid, original_ask::text as ask,
           extract(epoch from started_at)::float8 * 1000 as "startMs", extract(epoch from full_at)::float8 * 1000 as "fullMs",
           extract(epoch from recovers_at)::float8 * 1000 as "recoversMs",
           extract(epoch from ends_at)::float8 * 1000 as "endsMs"`;

function manipulationOf({ deviation, anchor, price, bid, ask, ...rest }: StoredManipulation): ActiveManipulation {
  return { ...rest, deviation: dec(deviation), anchor: dec(anchor), original: quoteOf({ price, bid, ask }) };
}

/** The active manipulations of the symbols, by symbol. */
export async function activeManipulations(
  tx: Tx,
  symbols: readonly string[],
): Promise<Map<string, ActiveManipulation>> {
  const rows = await tx.$queryRaw<StoredManipulation[]>(
    sql`select ${STORED} from price_manipulations where symbol = any(${[...symbols]}::text[]) and state = 'ACTIVE'`,
  );
  return new Map(rows.map((row) => [row.symbol, manipulationOf(row)]));
}

/** A price of a symbol at an instant, RFC 3339. */
export interface Sighting {
  symbol: string;
  timestamp: string;
}

/** What bent each of the prices at its instant; undefined where nothing did. */
export async function manipulationsAt(
  db: Database,
  sightings: readonly Sighting[],
): Promise<(ActiveManipulation | undefined)[]> {
  const symbols = [...new Set(sightings.map(({ symbol }) => symbol))];
  const instants = sightings.map(({ timestamp }) => Date.parse(timestamp));
  const rows = await db.query<StoredManipulation & { untilMs: number | null }>(sql`
    select ${STORED}, extract(epoch from ended_at)::float8 * 1000 as "untilMs"
      from price_manipulations
     where symbol = any(${symbols}::text[]) and started_at <= ${new Date(Math.max(...instants)).toISOString()}::timestamptz
       and (ended_at is null or ended_at > ${new Date(Math.min(...instants)).toISOString()}::timestamptz)`);
  return sightings.map(({ symbol }, i) => {
    const atMs = instants[i] as number;
    const found = rows.find((row) => row.symbol === symbol && row.startMs <= atMs && atMs < (row.untilMs ?? Infinity));
    return found && manipulationOf(found);
  });
}

/** The quote of texts. */
export function quoteOf({ price, bid, ask }: { price: string; bid: string | null; ask: string | null }): Quote {
  return { price: dec(price), bid: bid === null ? null : dec(bid), ask: ask === null ? null : dec(ask) };
}

/** What is published of the quote at the instant. */
export function bend(manipulation: ActiveManipulation | undefined, original: Quote, atMs: number): Quote {
  if (!manipulation) return original;
  const price = bentPrice(manipulation, original.price, atMs);
  const side = (quote: Decimal | null) => bentQuote(quote, original.price, price);
  return { price, bid: side(original.bid), ask: side(original.ask) };
}

interface KeptOriginal {
  manipulationId: string;
  original: Quote;
  published: Decimal;
}

const ORIGINAL_COLUMNS: Columns<KeptOriginal> = {
  id: ['text', ({ manipulationId }) => manipulationId],
  price: ['numeric', ({ original }) => original.price.toFixed()],
  bid: ['numeric', ({ original }) => original.bid?.toFixed()],
  ask: ['numeric', ({ original }) => original.ask?.toFixed()],
  published: ['numeric', ({ published }) => published.toFixed()],
};

/** Keeps the truth behind what is being published. A quote that was not seen anew stays. */
export async function keepOriginals(tx: Tx, kept: readonly KeptOriginal[], traceId: string): Promise<void> {
  if (kept.length === 0) return;
  await tx.$executeRaw(sql`
    update price_manipulations as stored set
           original_price = truth.price, original_bid = coalesce(truth.bid, stored.original_bid),
           original_ask = coalesce(truth.ask, stored.original_ask), published_price = truth.published,
           trace_id = ${traceId}
      from ${rowSet('truth', ORIGINAL_COLUMNS, kept)} where manipulation_id = truth.id::uuid`);
}

/** Publishes the manipulated symbols as they must be now, though no new price has come. */
export async function republish(
  tx: Tx,
  manipulations: readonly ActiveManipulation[],
  nowMs: number,
  traceId: string,
): Promise<void> {
  const published = manipulations.map((manipulation) => ({
    manipulation,
    quote: bend(manipulation, manipulation.original, nowMs),
  }));
  await publishQuotes(tx, new Map(published.map(({ manipulation, quote }) => [manipulation.symbol, quote])), traceId);
  const kept = published.map(({ manipulation: { manipulationId, original }, quote }) => ({
    manipulationId,
    original,
    published: quote.price,
  }));
  await keepOriginals(tx, kept, traceId);
  await bendConsensus(tx, manipulations, nowMs, traceId);
}

/** Publishes the true quotes again. */
export async function restore(tx: Tx, manipulations: readonly ActiveManipulation[], traceId: string): Promise<void> {
  await publishQuotes(tx, new Map(manipulations.map(({ symbol, original }) => [symbol, original])), traceId);
  const symbols = manipulations.map(({ symbol }) => symbol);
  await tx.$executeRaw(sql`
    update consensus_prices set price = agreed_price, trace_id = ${traceId}
     where symbol = any(${symbols}::text[]) and price <> agreed_price`);
}

interface PublishedQuote extends Quote {
  symbol: string;
  change: string | null;
  percent: string | null;
}

const QUOTE_COLUMNS: Columns<PublishedQuote> = {
  symbol: ['text', ({ symbol }) => symbol],
  price: ['numeric', ({ price }) => price.toFixed()],
  bid: ['numeric', ({ bid }) => bid?.toFixed()],
  ask: ['numeric', ({ ask }) => ask?.toFixed()],
  change: ['numeric', ({ change }) => change],
  percent: ['numeric', ({ percent }) => percent],
};

/** Writes the quotes into the tickers, where they differ; the price 24 hours before stays what it was. */
async function publishQuotes(tx: Tx, quotes: ReadonlyMap<string, Quote>, traceId: string): Promise<void> {
  if (quotes.size === 0) return;
  const stored = await tx.$queryRaw<{ symbol: string; price: string; change: string | null }[]>(sql`
    select symbol, last_price::text as price, price_change_24h::text as change
      from tickers where symbol = any(${[...quotes.keys()]}::text[])`);
  const rows = stored.map(({ symbol, price, change }) => {
    const quote = quotes.get(symbol) as Quote;
    const figures = change24h(quote.price, change === null ? null : dec(price).minus(change));
    return {
      symbol,
      ...quote,
      change: figures?.change.toFixed() ?? null,
      percent: figures?.percent.toFixed() ?? null,
    };
  });
  await tx.$executeRaw(sql`
    update tickers set last_price = quote.price, bid = quote.bid, ask = quote.ask, price_change_24h = quote.change,
           price_change_percent_24h = quote.percent, trace_id = ${traceId}
      from ${rowSet('quote', QUOTE_COLUMNS, rows)}
     where tickers.symbol = quote.symbol
       and (last_price, tickers.bid, tickers.ask) is distinct from (quote.price, quote.bid, quote.ask)`);
}

async function bendConsensus(
  tx: Tx,
  manipulations: readonly ActiveManipulation[],
  nowMs: number,
  traceId: string,
): Promise<void> {
  const bySymbol = new Map(manipulations.map((manipulation) => [manipulation.symbol, manipulation]));
  const agreed = await tx.$queryRaw<{ symbol: string; price: string }[]>(sql`
    select symbol, agreed_price::text as price from consensus_prices
     where symbol = any(${[...bySymbol.keys()]}::text[]) and breaker = 'CLOSED'`);
  if (agreed.length === 0) return;
  const columns: Columns<{ symbol: string; price: Decimal }> = {
    symbol: ['text', ({ symbol }) => symbol],
    price: ['numeric', ({ price }) => price.toFixed()],
  };
  const bent = agreed.map(({ symbol, price }) => {
    const manipulation = bySymbol.get(symbol) as ActiveManipulation;
    return { symbol, price: bentPrice(manipulation, dec(price), nowMs) };
  });
  await tx.$executeRaw(sql`
    update consensus_prices set price = bent.price, trace_id = ${traceId}
      from ${rowSet('bent', columns, bent)}
     where consensus_prices.symbol = bent.symbol and consensus_prices.price <> bent.price`);
}
