/** Recorded order books: what is stored of them and how they are read. */

import { type Sql, sql } from '../../platform/database/sql.ts';
import { badInput } from '../../platform/errors.ts';
import { equals, equalsSymbol, within } from '../../platform/filters.ts';
import { type Connection, type ConnectionArgs, connectionSource } from '../../platform/paging.ts';
import { isStorable } from '../../platform/texts.ts';
import type { Context } from './context.ts';
import type { OrderBookSnapshotFilter } from './generated/resolvers.ts';
import { type Level, MAX_DEPTH } from './rules/order-book.ts';

/** A level as it is stored: [price, quantity]. */
export type StoredLevel = [price: string, quantity: string];

/** A row of `order_book_snapshots`. */
export interface OrderBookRow {
  snapshotId: string;
  symbol: string;
  venueId: string;
  timestamp: string;
  sequence: string;
  depth: number;
  bids: StoredLevel[];
  asks: StoredLevel[];
  createdAt: string;
  traceId: string | null;
}

/** A book of which so many levels a side were asked for. */
export interface ShownOrderBook extends OrderBookRow {
  shownDepth: number;
}

export type OrderBookPage = Connection<ShownOrderBook>;

const DEFAULT_DEPTH = 20;

/** In the order they happened: by instant, then by the venue's sequence. */
const orderBookList = connectionSource<OrderBookRow>({
  table: 'order_book_snapshot_list',
  id: 'position',
  sorts: { TIMESTAMP: 'timestamp' },
});

export function levelOf([price, quantity]: StoredLevel): Level {
  return { price, quantity };
}

/** A page of recorded books. Throws BAD_USER_INPUT on a depth outside 1 to 100. */
export async function orderBookHistory(
  context: Context,
  filter: OrderBookSnapshotFilter | null | undefined,
  depth: number | null | undefined,
  page: ConnectionArgs,
): Promise<OrderBookPage> {
  const show = showing(depth);
  const { edges, nodes, ...rest } = await context.connect(orderBookList, page, orderBookConditions(filter));
  return { ...rest, edges: edges.map(({ cursor, node }) => ({ cursor, node: show(node) })), nodes: nodes.map(show) };
}

function orderBookConditions(filter: OrderBookSnapshotFilter | null | undefined): Sql[] {
  if (!filter) return [];
  return [
    ...equalsSymbol('symbol', filter.symbol),
    ...equals('venue_id', filter.venueId),
    ...within('timestamp', filter),
  ];
}

/**
 * The newest book of the symbol, of one venue or of any; symbols asked for in one tick cost one statement.
 * Throws BAD_USER_INPUT on a depth outside 1 to 100.
 */
export async function latestOrderBook(
  context: Context,
  symbol: string,
  venueId: string | null | undefined,
  depth: number | null | undefined,
): Promise<ShownOrderBook | null> {
  const show = showing(depth);
  if (venueId && !isStorable(venueId)) return null;
  // On one venue the sequence always rises; between venues only the instants compare.
  const newest = venueId
    ? sql`and venue_id = ${venueId} order by sequence desc`
    : sql`order by timestamp desc, sequence desc`;
  const book = await context.batch<string, OrderBookRow | null>(
    `latestOrderBook:${venueId ?? ''}`,
    symbol,
    async (symbols) => {
      const rows = await context.db.query<OrderBookRow>(sql`
        select newest.* from unnest(${[...symbols]}::text[]) as wanted(symbol)
         cross join lateral (
           select * from order_book_snapshots books where books.symbol = wanted.symbol ${newest} limit 1) as newest`);
      const bySymbol = new Map(rows.map((row) => [row.symbol, row]));
      return symbols.map((wanted) => bySymbol.get(wanted) ?? null);
    },
  );
  return book && show(book);
}

function showing(depth: number | null | undefined): (row: OrderBookRow) => ShownOrderBook {
  const shownDepth = bookDepth(depth);
  return (row) => ({ ...row, shownDepth });
}

/** How many levels a side are shown. Throws BAD_USER_INPUT on a depth outside 1 to 100. */
export function bookDepth(depth: number | null | undefined): number {
  const shownDepth = depth ?? DEFAULT_DEPTH;
  if (shownDepth >= 1 && shownDepth <= MAX_DEPTH) return shownDepth;
  throw badInput(`depth must be from 1 to ${MAX_DEPTH}, but got ${shownDepth}.`, ['depth']);
}
