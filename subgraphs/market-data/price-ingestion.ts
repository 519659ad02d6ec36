/** Storing ticks: many calls in one transaction, with the tickers that they advance. */
import { type CommandPayload, failed } from '../../platform/command.ts';
import { sql } from '../../platform/database/sql.ts';
import { Refusal, refuse } from '../../platform/errors.ts';
import type { GroupedCall } from '../../platform/group-commit.ts';
import { isStorable } from '../../platform/texts.ts';
import { checkLength, type ReadRow, type RowRefusal, readRows, readTradable, type Tradable } from './bulk.ts';
import { type Spreads, spreadsOf } from './chaos/quotes.ts';
import type { Context, Tx } from './context.ts';
import type { IngestPriceInput, IngestPricesInput, PriceInput } from './generated/resolvers.ts';
import { batchOf, resultsOf, type StoredPrices, storing } from './price-store.ts';
import { publishGuarded } from './publication.ts';
import { readTick, type Tick } from './rules/price-tick.ts';
import type { SourceMessage } from './sources/rules/source-state.ts';

export interface PricesResult {
  accepted: number;
  duplicates: number;
  refused: RowRefusal[];
  /** Whose tickers the payload shows. */
  symbols: string[];
}

export type PricesPayload = CommandPayload<PricesResult>;

interface PriceResult {
  isDuplicate: boolean;
  symbol: string;
}

export type PricePayload = CommandPayload<PriceResult>;

/** What of a call is to be written. */
export interface ReadyPrices {
  ticks: Tick[];
  refused: RowRefusal[];
  /** What each source said, in the order of the input. */
  heard: { source: string; message: SourceMessage }[];
  nowMs: number;
  traceId: string;
  spreads: Spreads;
}

/** Ticks a call at most: about 3 MiB of JSON. */
const MAX_TICKS = 10_000;
/** Each day is a partition; a call that would make hundreds is a mistake. */
const MAX_DAYS = 100;

/** Code of what is refused since its source is silent: nobody has heard it. */
const SILENT = 'DOMAIN_UNAVAILABLE';

export type Call = GroupedCall<Context, IngestPricesInput>;

/** Stores the ticks that keep every rule; those that are stored already are counted. */
export function ingestPrices(context: Context, input: IngestPricesInput): Promise<PricesPayload> {
  return context.service.prices.run(context, input);
}

/** Stores one tick. What would be a refused row is the refusal of the call. */
export async function ingestPrice(context: Context, input: IngestPriceInput): Promise<PricePayload> {
  const { price, idempotencyKey } = input;
  const payload = await ingestPrices(context, { prices: [price], idempotencyKey });
  const [refused] = payload.refused ?? [];
  if (refused) {
    const [, , , ...field] = refused.error.path ?? [];
    return failed<PriceResult>(new Refusal({ ...refused.error, path: ['input', 'price', ...field] }));
  }
  const { errors, readToken = null, duplicates = 0, symbols = [] } = payload;
  const [symbol] = symbols;
  return { errors, readToken, ...(symbol !== undefined && { isDuplicate: duplicates > 0, symbol }) };
}

/** Reads the calls' ticks, and makes the partitions that they need outside the transaction that fills them. */
export function preparePrices(calls: readonly Call[]): Promise<(ReadyPrices | Refusal)[]> {
  return prepareKnowing(calls, readTradable, ensureDays);
}

/** The same with what is known already of instruments and partitions. */
export async function prepareKnowing(
  calls: readonly Call[],
  knowTradable: typeof readTradable,
  ensure: typeof ensureDays,
): Promise<(ReadyPrices | Refusal)[]> {
  const [first] = calls;
  if (!first) return [];
  const { context } = first;
  const short = calls.filter(({ input }) => input.prices.length <= MAX_TICKS);
  const tradable = await knowTradable(
    context,
    short.flatMap(({ input }) => input.prices),
  );
  const prepared = calls.map((call) => prepareCall(call, tradable));
  const days = new Set(prepared.flatMap((ready) => (ready instanceof Refusal ? [] : [...daysOf(ready.ticks)])));
  if (days.size > 0) await ensure(context, [...days]);
  return prepared;
}

/** Makes the partitions of the days ("2026-03-02"). */
export async function ensureDays({ db }: Context, days: readonly string[]): Promise<void> {
  await db.query(sql`select ensure_price_feed_partitions(${[...days]}::timestamptz[])`);
}

function prepareCall({ context, input }: Call, tradable: Tradable): ReadyPrices | Refusal {
  try {
    checkLength('prices', input.prices, MAX_TICKS);
    const nowMs = context.now().getTime();
    const { rows, refused } = readRows('prices', input.prices, tradable, (price, symbol) =>
      readTick(tickReport(price, symbol), nowMs),
    );
    const ticks = rows.map(({ row }) => row);
    const days = daysOf(ticks).size;
    if (days > MAX_DAYS) {
      const message = `prices may lie on at most ${MAX_DAYS} different days, but got ${days}.`;
      throw refuse.validation(message, ['input', 'prices']);
    }
    const heard = heardOf(input, rows, refused, nowMs);
    return { ticks, refused, heard, nowMs, traceId: context.traceId, spreads: spreadsOf(context.faults) };
  } catch (error) {
    if (error instanceof Refusal) return error;
    throw error;
  }
}

function heardOf(
  { prices }: IngestPricesInput,
  rows: readonly ReadRow<Tick>[],
  refused: readonly RowRefusal[],
  nowMs: number,
): ReadyPrices['heard'] {
  const messages: (SourceMessage | undefined)[] = [];
  for (const { index, row } of rows) messages[index] = { latencyMs: nowMs - Date.parse(row.timestamp) };
  for (const { index, error } of refused)
    messages[index] = error.code === SILENT ? undefined : { error: error.message };
  return prices.flatMap(({ source }, index) => {
    const message = messages[index];
    return message && isStorable(source) ? [{ source, message }] : []; // nobody can be registered under another name
  });
}

function daysOf(ticks: readonly Tick[]): Set<string> {
  return new Set(ticks.map(({ timestamp }) => timestamp.slice(0, 10)));
}

/** Writes the ticks of the calls, in a transaction that is under way. */
export async function writePrices(tx: Tx, calls: readonly ReadyPrices[]): Promise<PricesResult[]> {
  const [first] = calls;
  if (!first) return [];
  const batch = batchOf(calls, first.spreads);
  const [stored] = await tx.$queryRaw<StoredPrices[]>(storing(batch));
  if (!stored) throw new Error('store_prices gave no row');
  if (!stored.isPublished) await publishGuarded(tx, batch.ticks, batch.heard, stored, first);
  return resultsOf(calls, batch, stored);
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
    metadata: price.metadata ?? null,
  };
}
