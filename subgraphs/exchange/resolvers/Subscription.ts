import { domainEvents } from '../../../platform/feed/domain-events.ts';
import { toldAsIs as resolve } from '../../../platform/feed/events.ts';
import type { SubscriptionResolvers } from '../generated/resolvers.ts';
import { orderBookChanges } from '../order-book-changes.ts';
import { exchangeBalanceTopic, exchangeOrderTopic } from '../topics.ts';
import { exchangeTradeChanges } from '../trade-changes.ts';

export const Subscription: SubscriptionResolvers = {
  exchangeEvents: domainEvents,
  exchangeOrderChanges: {
    subscribe: (_, { after, ...choice }, context) => context.changes(exchangeOrderTopic, { choice, after }),
    resolve,
  },
  exchangeTradeChanges: {
    subscribe: (_, args, context) => exchangeTradeChanges(context, args),
    resolve,
  },
  exchangeBalanceChanges: {
    subscribe: (_, { after, ...choice }, context) => context.changes(exchangeBalanceTopic, { choice, after }),
    resolve,
  },
  orderBookChanges: {
    subscribe: (_, args, context) => orderBookChanges(context, args),
    resolve,
  },
};
