import { toldAsIs as resolve } from '../../../platform/feed/events.ts';
import type { SubscriptionResolvers } from '../generated/resolvers.ts';
import { custodyAccountTopic } from '../topics.ts';

export const Subscription: SubscriptionResolvers = {
  custodyAccountChanges: {
    subscribe: (_, { after, ...choice }, context) => context.changes(custodyAccountTopic, { choice, after }),
    resolve,
  },
};
