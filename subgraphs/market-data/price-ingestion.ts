/** Storing ticks in bulk: in one transaction with the tickers that they advance. */
import { type CommandPayload, command } from '../../platform/command.ts';
import { sql } from '../../platform/database/sql.ts';
import { refuse } from '../../platform/errors.ts';
import { type RowRefusal, readBatch } from './bulk.ts';
import type { Context, Tx } from './context.ts';
import type { IngestPricesInput, PriceInput } from './generated/resolvers.ts';
import { refusable } from './refusable.ts';
import { type Columns, columnNames, rowSet } from './row-set.ts';
import { readTick, type Tick } from './rules/price-tick.ts';
import { advanceTickers, newestBySymbol, type Observation, withFigures } from './ticker-advance.ts';

export type PricesPayload = CommandPayload<{
  accepted: number;
  duplicates: number;
  refused: RowRefusal[];
  /** Whose tickers the payload shows. */
  symbols: string[];
}>;

/** Ticks a call at most: about 3 MiB of JSON. */
const MAX_TICKS = 10_000;
/** Each day is a partition; a call that would make hundreds is a mistake. */
const MAX_DAYS = 100;

/** Stores the ticks that keep every rule; those that are stored already are counted. */
export function ingestPrices(context: Context, input: IngestPricesInput): Promise<PricesPayload> {
  return refusable(context, async () => {
    const nowMs = context.now().getTime();
    const { rows, refused } = await readBatch(context, 'prices', input.prices, MAX_TICKS, (price, symbol) =>
      readTick(tickReport(price, symbol), nowMs),
    );
    const ticks = rows.map(({ row }) => row);
    await preparePartitions(context, ticks);
    return command(context, 'ingestPrices', input, async (tx) => {
      const accepted = await insertTicks(tx, ticks, context.traceId);
      await advanceTickers(tx, await withFigures(tx, observationsOf(ticks)), context.traceId);
      return {
        accepted,
        duplicates: ticks.length - accepted,
        refused,
        symbols: [...new Set(ticks.map(({ symbol }) => symbol))],
      };
    });
  });
}

function tickReport(price: PriceInput, symbol: string) {
  return {
    symbol,
    source: price.source,
    timestamp: price.timestamp,
    sequence: price.sequence ?? '0',
    price: price.price ?? null,
    bid: price.bid ?? null,
    ask: price.ask ?? null,
    bidSize: price.bidSize ?? null,
    askSize: price.askSize ?? null,
    quantity: price.quantity ?? null,
    takerSide: price.takerSide ?? null,
    volume24h: price.volume24h ?? null,
    confidence: price.confidence ?? null,
    isManipulated: price.isManipulated ?? false,
    metadata: price.metadata ?? null,
  };
}

/** Makes the days' partitions, outside the transaction that fills them. */
async function preparePartitions(context: Context, ticks: readonly Tick[]): Promise<void> {
  const days = [...new Set(ticks.map(({ timestamp }) => timestamp.slice(0, 10)))];
  if (days.length > MAX_DAYS) {
    const message = `prices may lie on at most ${MAX_DAYS} different days, but got ${days.length}.`;
    throw refuse.validation(message, ['input', 'prices']);
  }
  if (days.length > 0) await context.db.query(sql`select ensure_price_feed_partitions(${days}::timestamptz[])`);
}

const TICK_COLUMNS: Columns<Tick> = {
  symbol: ['text', (tick) => tick.symbol],
  source: ['text', (tick) => tick.source],
  timestamp: ['timestamptz', (tick) => tick.timestamp],
  sequence: ['bigint', (tick) => tick.sequence],
  price: ['numeric', (tick) => tick.price],
  bid: ['numeric', (tick) => tick.bid],
  ask: ['numeric', (tick) => tick.ask],
  bid_size: ['numeric', (tick) => tick.bidSize],
  ask_size: ['numeric', (tick) => tick.askSize],
  quantity: ['numeric', (tick) => tick.quantity],
  taker_side: ['text', (tick) => tick.takerSide],
  volume_24h: ['numeric', (tick) => tick.volume24h],
  confidence: ['numeric', (tick) => tick.confidence],
  is_manipulated: ['boolean', (tick) => tick.isManipulated],
  metadata: ['jsonb', (tick) => tick.metadata],
};
const TICK_NAMES = columnNames(TICK_COLUMNS);

/** Gives how many were new. Sorted by key, so that two writers of the same ticks never deadlock. */
async function insertTicks(tx: Tx, ticks: readonly Tick[], traceId: string): Promise<number> {
  if (ticks.length === 0) return 0;
  return tx.$executeRaw(sql`
    insert into price_feeds (${TICK_NAMES}, trace_id)
    select ${TICK_NAMES}, ${traceId} from ${rowSet('tick', TICK_COLUMNS, ticks)}
     order by symbol, timestamp, sequence, source
    on conflict do nothing`);
}

/** One observation a symbol: its newest tick, with the newest quote and the newest reported volume among its ticks. */
function observationsOf(ticks: readonly Tick[]): Observation[] {
  const quotes = newestBySymbol(ticks.filter(({ bid, ask }) => bid !== null || ask !== null));
  const volumes = newestBySymbol(ticks.filter(({ volume24h }) => volume24h !== null));
  return [...newestBySymbol(ticks).values()].map((tick) => {
    const quote = quotes.get(tick.symbol);
    return {
      symbol: tick.symbol,
      source: tick.source,
      timestamp: tick.timestamp,
      sequence: tick.sequence,
      lastPrice: tick.price,
      bid: quote?.bid ?? null,
      ask: quote?.ask ?? null,
      quotedAt: quote?.timestamp ?? null,
      volume24h: volumes.get(tick.symbol)?.volume24h ?? null,
      priceChange24h: null,
      metadata: tick.metadata,
    };
  });
}
