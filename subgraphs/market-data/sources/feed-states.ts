/** Whether prices of an instrument still come in: told whenever that changes, though silence writes nothing. */
import type { Changes } from '../../../platform/context.ts';
import { sql } from '../../../platform/database/sql.ts';
import type { ChangeEvent } from '../../../platform/feed/row-changes.ts';
import { ageMs, isStale } from '../../../platform/instant.ts';
import { createLoaders } from '../../../platform/loaders.ts';
import { type Connection, type ConnectionArgs, connectionSource } from '../../../platform/paging.ts';
import { END } from '../../../platform/streams.ts';
import type { Context } from '../context.ts';
import { type TickerRow, tickers } from '../tickers.ts';
import { STALE_AFTER_MS } from './rules/source-state.ts';

/** The feed of an instrument; null where no price was ever seen. */
export interface InstrumentFeed {
  symbol: string;
  ticker: TickerRow | null;
}

export type FeedStateEvent = ChangeEvent<InstrumentFeed>;
export type FeedStatePage = Connection<InstrumentFeed>;

/** The feed of the symbol as it is now. */
export async function feedStateOf(context: Context, symbol: string): Promise<InstrumentFeed> {
  return { symbol, ticker: await context.load(tickers, symbol) };
}

/** Silence counts as stale: a feed that never spoke is. */
export function isFeedStale({ ticker }: InstrumentFeed, now: Date): boolean {
  return ticker === null || isStale(ticker.timestamp, now);
}

export function feedAgeMs({ ticker }: InstrumentFeed, now: Date): number | null {
  return ticker && ageMs(ticker.timestamp, now);
}

const tickerList = connectionSource<TickerRow>({ table: 'tickers', id: 'symbol', sorts: { TIMESTAMP: 'timestamp' } });

/** The feeds of active instruments that have fallen silent, the longest first. */
export async function staleFeeds(context: Context, page: ConnectionArgs): Promise<FeedStatePage> {
  const before = new Date(context.now().getTime() - STALE_AFTER_MS).toISOString();
  const { edges, nodes, ...rest } = await context.connect(tickerList, { ...page, sortOrder: 'ASC' }, [
    sql`timestamp < ${before}::timestamptz`,
    sql`exists (select from symbols where symbols.symbol = tickers.symbol and is_active)`,
  ]);
  const feed = (ticker: TickerRow): InstrumentFeed => ({ symbol: ticker.symbol, ticker });
  return { ...rest, edges: edges.map(({ cursor, node }) => ({ cursor, node: feed(node) })), nodes: nodes.map(feed) };
}

/** How often a subscriber's feed is looked at while no price comes. */
const LOOK_EVERY_MS = 1_000; // 1 second

/** The feed's state whenever it becomes stale or comes back. */
export function feedStateChanges(
  context: Context,
  symbol: string,
  after: string | null | undefined,
): Changes<InstrumentFeed> {
  const states = context.states<InstrumentFeed>({
    sources: [{ relation: 'tickers', route: { field: 'symbol', values: [symbol] } }],
    watch: (touch) => {
      const timer = setInterval(touch, LOOK_EVERY_MS);
      return () => clearInterval(timer);
    },
    // The subscription's own loaders would remember the first state.
    read: async () => {
      const { db, cache, reading } = context;
      return { symbol, ticker: await createLoaders(db, cache, reading).load(tickers, symbol) };
    },
    minIntervalMs: LOOK_EVERY_MS,
    after,
  });
  return onChangeOnly(states, (state) => isFeedStale(state, context.now()));
}

/** What says no more than the event before it becomes PROGRESS; a client is owed the first after it comes back. */
function onChangeOnly(
  states: Changes<InstrumentFeed>,
  judge: (state: InstrumentFeed) => boolean,
): Changes<InstrumentFeed> {
  let told: boolean | undefined;
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      const result = await states.next();
      if (result.done) return END;
      const { value } = result;
      if (value.kind === 'RESYNC') told = undefined;
      if (value.row === null) return result;
      const isStaleNow = judge(value.row);
      if (value.kind === 'UPSERT' && isStaleNow === told) return { value: { ...value, kind: 'PROGRESS', row: null } };
      told = isStaleNow;
      return result;
    },
    async return() {
      await states.return?.();
      return END;
    },
  };
}
