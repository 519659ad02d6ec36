/** The order book as the public sees it: resting orders summed by price. */
import { sql } from '../../platform/database/sql.ts';
import { type Decimal, dec, round8 } from '../../platform/decimal.ts';
import { badInput } from '../../platform/errors.ts';
import { type Derived, derived } from '../../platform/loaders.ts';
import { isAsk, isBid } from './book-side.ts';
import type { Context } from './context.ts';

export interface OrderBookLevel {
  price: string;
  quantity: string;
  /** Of this level and all better ones. */
  total: string;
  orderCount: number;
}

export interface OrderBook {
  symbol: string;
  bids: OrderBookLevel[];
  asks: OrderBookLevel[];
  spread: Decimal | null;
  mid: Decimal | null;
  lastPrice: string | null;
  lastQuantity: string | null;
  lastTradedAt: string | null;
  version: number;
}

const DEPTH_LIMIT = 100;

/**
 * The depth itself.
 * @throws GraphQLError (bad input) when it is not from 1 to 100
 */
export function bookDepth(depth: number): number {
  if (depth >= 1 && depth <= DEPTH_LIMIT) return depth;
  throw badInput(`depth must be from 1 to ${DEPTH_LIMIT}, but got ${depth}.`, ['depth']);
}

type BookRow = Omit<OrderBook, 'spread' | 'mid' | 'bids' | 'asks'> & {
  bids: OrderBookLevel[] | null;
  asks: OrderBookLevel[] | null;
};

/**
 * The book of the symbol, from one instant; symbols asked in one tick share a statement.
 * @throws GraphQLError (bad input) when `depth` is not from 1 to 100
 */
export async function orderBookOf(context: Context, symbol: string, depth: number): Promise<OrderBook> {
  const row = await context.derive(BOOKS[bookDepth(depth)] as Derived<BookRow | null>, symbol, async (symbols) => {
    const rows = await context.db.query<BookRow>(readBooks(symbols, depth));
    const bySymbol = new Map(rows.map((book) => [book.symbol, book]));
    return symbols.map((wanted) => bySymbol.get(wanted) ?? null);
  });
  return toBook(symbol, row);
}

/** By depth. Every change of a book is one of its orders. */
const BOOKS = Array.from({ length: DEPTH_LIMIT + 1 }, (_, depth) =>
  derived<BookRow | null>({
    name: `order book to ${depth}`,
    table: 'orders',
    column: 'symbol',
    keyType: 'text',
    absent: null,
  }),
);

function readBooks(symbols: readonly string[], depth: number) {
  return sql`
    select books.symbol, last_price, last_quantity, last_traded_at, version, bids.levels as bids, asks.levels as asks
      from order_books as books
     cross join lateral (
       select json_agg(json_build_object(
                'price', price::text, 'quantity', quantity::text, 'total', total::text, 'orderCount', order_count)
                order by price desc) as levels
         from (select price, quantity, order_count, sum(quantity) over (order by price desc) as total
                 from (select price, sum(remaining_quantity) as quantity, count(*) as order_count
                         from orders where symbol = books.symbol and ${isBid}
                        group by price order by price desc limit ${depth}) as by_price) as level) as bids
     cross join lateral (
       select json_agg(json_build_object(
                'price', price::text, 'quantity', quantity::text, 'total', total::text, 'orderCount', order_count)
                order by price) as levels
         from (select price, quantity, order_count, sum(quantity) over (order by price) as total
                 from (select price, sum(remaining_quantity) as quantity, count(*) as order_count
                         from orders where symbol = books.symbol and ${isAsk}
                        group by price order by price limit ${depth}) as by_price) as level) as asks
     where books.symbol = any(${symbols}::text[])`;
}

function toBook(symbol: string, row: BookRow | null): OrderBook {
  const { bids, asks, ...rest } = row ?? emptyBook(symbol);
  const bid = bids?.[0] ? dec(bids[0].price) : null;
  const ask = asks?.[0] ? dec(asks[0].price) : null;
  return {
    ...rest,
    bids: bids ?? [],
    asks: asks ?? [],
    spread: bid && ask ? ask.minus(bid) : null,
    mid: bid && ask ? round8(ask.plus(bid).div(2)) : null,
  };
}

function emptyBook(symbol: string): BookRow {
  return { symbol, bids: null, asks: null, lastPrice: null, lastQuantity: null, lastTradedAt: null, version: 0 };
}
