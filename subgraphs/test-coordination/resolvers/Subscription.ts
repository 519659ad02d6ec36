import { domainEvents } from '../../../platform/feed/domain-events.ts';
import type { SubscriptionResolvers } from '../generated/resolvers.ts';

export const Subscription: SubscriptionResolvers = {
  testCoordinationEvents: domainEvents,
};
