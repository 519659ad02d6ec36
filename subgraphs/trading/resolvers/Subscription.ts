import { domainEvents } from '../../../platform/feed/domain-events.ts';
import { toldAsIs as resolve } from '../../../platform/feed/events.ts';
import { backtestSubscriptions } from '../backtests/resolvers/fields.ts';
import type { SubscriptionResolvers } from '../generated/resolvers.ts';
import { portfolioChanges } from '../portfolio-changes.ts';
import { instrumentIds, orderTopic, positionTopic, quarantineTopic, strategyTopic, tradeTopic } from '../topics.ts';

export const Subscription: SubscriptionResolvers = {
  tradingEvents: domainEvents,
  positionChanges: {
    subscribe: (_, { accountId, strategyId, symbols, after }, context) =>
      context.changes(positionTopic, {
        choice: { accountId, strategyId, instrumentId: instrumentIds(symbols) },
        after,
      }),
    resolve,
  },
  orderChanges: {
    subscribe: (_, { after, ...choice }, context) => context.changes(orderTopic, { choice, after }),
    resolve,
  },
  tradeChanges: {
    subscribe: (_, { after, ...choice }, context) => context.changes(tradeTopic, { choice, after }),
    resolve,
  },
  strategyChanges: {
    subscribe: (_, { after, ...choice }, context) => context.changes(strategyTopic, { choice, after }),
    resolve,
  },
  quarantinedFillChanges: {
    subscribe: (_, { after, ...choice }, context) => context.changes(quarantineTopic, { choice, after }),
    resolve,
  },
  portfolioChanges: {
    subscribe: (_, { accountId, after }, context) => portfolioChanges(context, accountId, after),
    resolve,
  },
  ...backtestSubscriptions,
};
