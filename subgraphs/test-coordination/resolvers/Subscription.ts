import { domainEvents } from '../../../platform/feed/domain-events.ts';
import { toldAsIs as resolve } from '../../../platform/feed/events.ts';
import type { SubscriptionResolvers } from '../generated/resolvers.ts';
import { chaosTopic, resultTopic, runTopic, timelineTopic } from '../topics.ts';

export const Subscription: SubscriptionResolvers = {
  testCoordinationEvents: domainEvents,
  testRunUpdated: {
    subscribe: (_, { runId, after }, context) => context.changes(runTopic, { choice: { runId }, after }),
    resolve,
  },
  scenarioTimeline: {
    subscribe: (_, { runId, after }, context) => context.changes(timelineTopic, { choice: { runId }, after }),
    resolve,
  },
  assertionEvaluated: {
    subscribe: (_, { runId, after }, context) => context.changes(resultTopic, { choice: { runId }, after }),
    resolve,
  },
  chaosEventUpdated: {
    subscribe: (_, { runId, after }, context) => context.changes(chaosTopic, { choice: { runId }, after }),
    resolve,
  },
};
