import { domainEvents } from '../../../platform/feed/domain-events.ts';
import { toldAsIs as resolve } from '../../../platform/feed/events.ts';
import { readMinInterval } from '../../../platform/feed/min-interval.ts';
import { normaliseSymbol, normaliseSymbols } from '../../../platform/symbols.ts';
import { storedInterval } from '../enums.ts';
import type { SubscriptionResolvers } from '../generated/resolvers.ts';
import { orderBookSnapshotChanges } from '../order-book-changes.ts';
import { candleTopic, priceTopic } from '../topics.ts';

export const Subscription: SubscriptionResolvers = {
  marketDataEvents: domainEvents,
  priceChanges: {
    subscribe: (_, { symbols, minIntervalMs, after }, context) =>
      context.changes(priceTopic, {
        choice: { symbol: normaliseSymbols(symbols) },
        minIntervalMs: readMinInterval(minIntervalMs),
        after,
      }),
    resolve,
  },
  candleChanges: {
    subscribe: (_, { symbol, interval, after }, context) =>
      context.changes(candleTopic, {
        choice: { symbol: normaliseSymbol(symbol, ['symbol']), interval: storedInterval(interval) },
        after,
      }),
    resolve,
  },
  orderBookSnapshotChanges: {
    subscribe: (_, args, context) => orderBookSnapshotChanges(context, args),
    resolve,
  },
};
