/** Storing order books in bulk. */
import { type CommandPayload, command } from '../../platform/command.ts';
import { sql } from '../../platform/database/sql.ts';
import { refuse } from '../../platform/errors.ts';
import { byIndex, type RowRefusal, readBatch, refusedRow } from './bulk.ts';
import type { Context, Tx } from './context.ts';
import type { OrderBookInput, RecordOrderBooksInput } from './generated/resolvers.ts';
import { lockNames } from './locks.ts';
import { levelOf, type StoredLevel } from './order-books.ts';
import { refusable } from './refusable.ts';
import { type Columns, columnNames, rowSet } from './row-set.ts';
import { type BookReport, bookFault, type Level } from './rules/order-book.ts';
import { arrangeBooks, bookKey, marketKey, type StoredBooks } from './rules/order-book-sequence.ts';

export type OrderBooksPayload = CommandPayload<{ recorded: number; duplicates: number; refused: RowRefusal[] }>;

/** Books a call at most: with 20 levels a side about 2 MiB of JSON. */
const MAX_BOOKS = 1_000;

/** Stores the books that keep every rule; those that are stored already are counted. */
export function recordOrderBooks(context: Context, input: RecordOrderBooksInput): Promise<OrderBooksPayload> {
  return refusable(context, async () => {
    const nowMs = context.now().getTime();
    const batch = await readBatch(context, 'books', input.books, MAX_BOOKS, (book, symbol) => {
      const report = bookReport(book, symbol);
      return bookFault(report, nowMs) ?? report;
    });
    return command(context, 'recordOrderBooks', input, async (tx) => {
      const books = batch.rows.map(({ row }) => row);
      await lockNames(tx, 'books', new Set(books.map(marketKey)));
      const arranged = arrangeBooks(batch.rows, await readStored(tx, books));
      await insertBooks(tx, arranged.fresh, context.traceId);
      const misplaced = arranged.misplaced.map(({ index, message }) =>
        refusedRow('books', index, 'sequence', refuse.validation(message).userError),
      );
      return {
        recorded: arranged.fresh.length,
        duplicates: arranged.duplicates,
        refused: byIndex([...batch.refused, ...misplaced]),
      };
    });
  });
}

function bookReport(book: OrderBookInput, symbol: string): BookReport {
  const { venueId, timestamp, sequence, bids, asks } = book;
  return { symbol, venueId, timestamp, sequence, bids, asks };
}

const KEY_COLUMNS: Columns<BookReport> = {
  symbol: ['text', (book) => book.symbol],
  venue_id: ['text', (book) => book.venueId],
  sequence: ['bigint', (book) => book.sequence],
};

/** The stored neighbours of each of the books, and those of the books that are stored already. */
async function readStored(tx: Tx, books: readonly BookReport[]): Promise<StoredBooks> {
  const wanted = rowSet('wanted', KEY_COLUMNS, books);
  const isSameMarket = sql`stored.symbol = wanted.symbol and stored.venue_id = wanted.venue_id`;
  const places = await tx.$queryRaw<{ market: string; sequence: string; at: string }[]>(sql`
    select distinct symbol || ' ' || venue_id as market, sequence::text,
           (extract(epoch from timestamp) * 1000000)::bigint::text as at
      from (select nearest.* from ${wanted} cross join lateral (
              (select * from order_book_snapshots stored
                where ${isSameMarket} and stored.sequence <= wanted.sequence order by stored.sequence desc limit 1)
              union all
              (select * from order_book_snapshots stored
                where ${isSameMarket} and stored.sequence > wanted.sequence order by stored.sequence limit 1)
           ) as nearest) as neighbour`);
  const known = await tx.$queryRaw<
    { symbol: string; venueId: string; sequence: string; bids: StoredLevel[]; asks: StoredLevel[] }[]
  >(sql`
    select symbol, venue_id as "venueId", sequence::text, bids, asks
      from ${wanted} join order_book_snapshots using (symbol, venue_id, sequence)`);
  const placesByMarket = Map.groupBy(
    places.map(({ market, sequence, at }) => ({ market, sequence: BigInt(sequence), at: BigInt(at) })),
    ({ market }) => market,
  );
  const levels = known.map(
    (row) => [bookKey(row), { bids: row.bids.map(levelOf), asks: row.asks.map(levelOf) }] as const,
  );
  return { places: placesByMarket, books: new Map(levels) };
}

const BOOK_COLUMNS: Columns<BookReport> = {
  ...KEY_COLUMNS,
  timestamp: ['timestamptz', (book) => book.timestamp],
  bids: ['jsonb', (book) => book.bids.map(storedLevel)],
  asks: ['jsonb', (book) => book.asks.map(storedLevel)],
};
const BOOK_NAMES = columnNames(BOOK_COLUMNS);

function storedLevel({ price, quantity }: Level): StoredLevel {
  return [price, quantity];
}

async function insertBooks(tx: Tx, books: readonly BookReport[], traceId: string): Promise<void> {
  if (books.length === 0) return;
  await tx.$executeRaw(sql`
    insert into order_book_snapshots (${BOOK_NAMES}, trace_id)
    select ${BOOK_NAMES}, ${traceId} from ${rowSet('book', BOOK_COLUMNS, books)}`);
}
