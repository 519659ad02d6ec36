/** The recorded books of an instrument as they come in. */
import { sql } from '../../platform/database/sql.ts';
import { readMinInterval } from '../../platform/feed/min-interval.ts';
import type { ChangeEvent } from '../../platform/feed/row-changes.ts';
import { mapStream } from '../../platform/streams.ts';
import { normaliseSymbol } from '../../platform/symbols.ts';
import type { Context } from './context.ts';
import type { SubscriptionOrderBookSnapshotChangesArgs } from './generated/resolvers.ts';
import { bookDepth, type OrderBookRow, type ShownOrderBook } from './order-books.ts';
import { type NewestOrderBookRow, newestOrderBookTopic } from './topics.ts';

/** A newer book is there; it is read when the event goes out. */
export type OrderBookSnapshotEvent = ChangeEvent<NewestOrderBookRow> & { shownDepth: number };

type Choice = Pick<SubscriptionOrderBookSnapshotChangesArgs, 'symbol' | 'venueId' | 'depth' | 'after'> & {
  minIntervalMs: number;
};

/**
 * The newest book of the symbol on each venue, or on one, and every newer one.
 * @throws GraphQLError (bad input) on a depth outside 1 to 100, Refusal (validation) on a symbol that is none
 */
export function orderBookSnapshotChanges(
  context: Context,
  { symbol, venueId, depth, minIntervalMs, after }: Choice,
): AsyncIterable<OrderBookSnapshotEvent> {
  const shownDepth = bookDepth(depth);
  const changes = context.changes(newestOrderBookTopic, {
    choice: { symbol: normaliseSymbol(symbol, ['symbol']), venueId },
    minIntervalMs: readMinInterval(minIntervalMs),
    after,
  });
  return mapStream(changes, (event) => ({ ...event, shownDepth }));
}

/** The book that an event tells of; null where it was removed. A book never changes, so it is the one of the event. */
export async function toldBook(
  context: Context,
  { kind, row, shownDepth }: OrderBookSnapshotEvent,
): Promise<ShownOrderBook | null> {
  if (row === null || kind === 'DELETE') return null;
  const [book] = await context.db.query<OrderBookRow>(
    sql`select * from order_book_snapshots where snapshot_id = ${row.snapshotId}::uuid`,
  );
  return book ? { ...book, shownDepth } : null;
}
