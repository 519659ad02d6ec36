/** The statement that stores ticks and publishes what nothing stands in the way of, and what becomes of the calls. */
import { randomUUID } from 'node:crypto';
import { type Sql, sql } from '../../platform/database/sql.ts';
import type { Spreads } from './chaos/quotes.ts';
import type { PricesResult, ReadyPrices } from './price-ingestion.ts';
import { type Guards, type PublishedTick, plainObservations } from './publication.ts';
import { type Columns, columnArrays } from './row-set.ts';
import type { SourceMessage } from './sources/rules/source-state.ts';
import { type Observation, observationArrays } from './ticker-advance.ts';

interface CalledTick extends PublishedTick {
  feedId: string;
  /** Which of the calls it came with. */
  call: number;
}

/** The ticks of several calls, each once, and what is seen with them. */
export interface PriceBatch {
  ticks: CalledTick[];
  /** What is published of them where nothing stands in the way: one a symbol. */
  seen: Observation[];
  /** Whether the 24-hour figures of what was seen have been looked for. */
  isComplete: boolean;
  /** What the sources said, refused prices too. */
  heard: Map<string, SourceMessage[]>;
}

/** What `store_prices` did. */
export interface StoredPrices extends Guards {
  /** The transaction's number; null where nothing was done. */
  xid: string | null;
  /** Ids of the ticks that are new; null when all of them are. */
  newIds: string[] | null;
  /** Of a statement that is a transaction of its own: the tickers that moved, as the feed's log has them. */
  moved: string[] | null;
  isPublished: boolean;
}

/** Of a tick that several calls bring, the first one's counts. */
export function batchOf(calls: readonly ReadyPrices[], spreads: Spreads): PriceBatch {
  const ticks = distinctTicks(calls);
  return { ticks, seen: plainObservations(ticks, spreads), isComplete: false, heard: heardFrom(calls) };
}

/**
 * Stores the ticks of a batch, and publishes what was seen unless something stands in the way of any of it.
 * @param traceparent of a statement that is a transaction of its own: then it stores nothing unless it can publish all
 */
export function storing({ ticks, seen, isComplete, heard }: PriceBatch, traceparent: string | null = null): Sql {
  return sql`
    select xid, new_ids as "newIds", moved, is_published as "isPublished", is_registered as "isRegistered",
           is_bent as "isBent", guarded
      from store_prices(${traceparent !== null}, ${traceparent}, ${[...heard.keys()]}::text[],
                        ${columnArrays(TICK_COLUMNS, ticks)}, ${observationArrays(seen, isComplete)})`;
}

/** What became of each call. */
export function resultsOf(calls: readonly ReadyPrices[], { ticks }: PriceBatch, stored: StoredPrices): PricesResult[] {
  const newIds = stored.newIds && new Set(stored.newIds);
  const accepted = calls.map(() => 0);
  for (const { feedId, call } of ticks) if (!newIds || newIds.has(feedId)) accepted[call] = (accepted[call] ?? 0) + 1;
  return calls.map((call, i) => ({
    accepted: accepted[i] ?? 0,
    duplicates: call.ticks.length - (accepted[i] ?? 0),
    refused: call.refused,
    symbols: [...new Set(call.ticks.map(({ symbol }) => symbol))],
  }));
}

function heardFrom(calls: readonly ReadyPrices[]): Map<string, SourceMessage[]> {
  const bySource = Map.groupBy(
    calls.flatMap(({ heard }) => heard),
    ({ source }) => source,
  );
  return new Map([...bySource].map(([source, heard]) => [source, heard.map(({ message }) => message)]));
}

function distinctTicks(calls: readonly ReadyPrices[]): CalledTick[] {
  const distinct = new Map<string, CalledTick>();
  for (const [call, { ticks, traceId }] of calls.entries()) {
    for (const tick of ticks) {
      const key = `${tick.symbol} ${tick.timestamp} ${BigInt(tick.sequence)} ${tick.source}`;
      if (!distinct.has(key)) distinct.set(key, { ...tick, feedId: randomUUID(), call, traceId });
    }
  }
  return [...distinct.values()];
}

/** In the order in which `store_prices` takes them. */
const TICK_COLUMNS: Columns<CalledTick> = {
  feed_id: ['uuid', (tick) => tick.feedId],
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
  metadata: ['jsonb', (tick) => tick.metadata],
  trace_id: ['text', (tick) => tick.traceId],
};
