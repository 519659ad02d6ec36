import { toldAsIs as resolve } from '../../../platform/feed/events.ts';
import { pickStream } from '../../../platform/streams.ts';
import type { SubscriptionResolvers } from '../generated/resolvers.ts';
import { breakTopic, correlationTopic, eventTopic, validationTopic } from '../topics.ts';

export const Subscription: SubscriptionResolvers = {
  auditEventIngested: {
    subscribe: (_, { serviceNames, traceId, after }, context) =>
      context.changes(eventTopic, {
        choice: { traceId: traceId?.toLowerCase(), serviceName: serviceNames },
        after,
      }),
    resolve,
  },
  correlationFound: {
    subscribe: (_, { minConfidence, after }, context) => {
      const least = Number(minConfidence ?? 0);
      const all = context.changes(correlationTopic, { choice: {}, after });
      return pickStream(all, (event) => (event.row && Number(event.row.confidence) < least ? null : event));
    },
    resolve,
  },
  scenarioValidationChanged: {
    subscribe: (_, { runId, after }, context) => context.changes(validationTopic, { choice: { runId }, after }),
    resolve,
  },
  chainBroken: {
    subscribe: (_, { after }, context) => context.changes(breakTopic, { choice: {}, after }),
    resolve,
  },
};
