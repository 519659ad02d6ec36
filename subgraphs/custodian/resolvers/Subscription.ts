import { domainEvents } from '../../../platform/feed/domain-events.ts';
import { toldAsIs as resolve } from '../../../platform/feed/events.ts';
import type { SubscriptionResolvers } from '../generated/resolvers.ts';
import { custodyAccountTopic, reconciliationBreakTopic, settlementTopic, transferTopic } from '../topics.ts';
import { approvalRequestChanges } from '../transfer/approval-changes.ts';

export const Subscription: SubscriptionResolvers = {
  custodianEvents: domainEvents,
  custodyAccountChanges: {
    subscribe: (_, { after, ...choice }, context) => context.changes(custodyAccountTopic, { choice, after }),
    resolve,
  },
  settlementChanges: {
    subscribe: (_, { after, ...choice }, context) => context.changes(settlementTopic, { choice, after }),
    resolve,
  },
  transferChanges: {
    subscribe: (_, { after, ...choice }, context) => context.changes(transferTopic, { choice, after }),
    resolve,
  },
  approvalRequests: {
    subscribe: (_, args, context) => approvalRequestChanges(context, args),
    resolve,
  },
  reconciliationBreakChanges: {
    subscribe: (_, { after, ...choice }, context) => context.changes(reconciliationBreakTopic, { choice, after }),
    resolve,
  },
};
