/** What subscriptions tell, under the name of what has changed. */
import { rowOf } from '../../../platform/feed/events.ts';
import type { Resolvers } from '../generated/resolvers.ts';
import { toldBook } from '../order-book-changes.ts';

export const changes: Resolvers = {
  PriceChange: { ticker: rowOf },
  CandleChange: { candle: rowOf },
  OrderBookSnapshotChange: {
    venue: ({ row }) => row && { venueId: row.venueId },
    orderBook: (event, _, context) => toldBook(context, event),
  },
};
