import { stored } from '../../../platform/enums.ts';
import { domainEvents } from '../../../platform/feed/domain-events.ts';
import { toldAsIs as resolve } from '../../../platform/feed/events.ts';
import { readMinInterval } from '../../../platform/feed/min-interval.ts';
import type { SubscriptionResolvers } from '../generated/resolvers.ts';
import { metricInstrument } from '../measures/metrics.ts';
import { accountReference } from '../references.ts';
import { alertTopic, breakerTopic, metricTopic, utilisationTopic } from '../topics.ts';

/** What is calculated anew is told at most so often, unless the client says otherwise (domain.md §5.2). */
const METRICS_MS = 5_000; // 5 seconds

const account = (accountId: string | null | undefined) => accountId && accountReference(accountId);

export const Subscription: SubscriptionResolvers = {
  riskEvents: domainEvents,
  limitUtilisationChanges: {
    subscribe: (_, { limitId, accountId, after }, context) =>
      context.changes(utilisationTopic, { choice: { limitId, accountId: account(accountId) }, after }),
    resolve,
  },
  alertChanges: {
    subscribe: (_, { severities, accountId, after }, context) =>
      context.changes(alertTopic, {
        choice: { accountId: account(accountId), severity: severities?.map(stored) },
        after,
      }),
    resolve,
  },
  circuitBreakerChanges: {
    subscribe: (_, { after }, context) => context.changes(breakerTopic, { choice: {}, after }),
    resolve,
  },
  riskMetricChanges: {
    subscribe: (_, { accountId, symbol, minIntervalMs, after }, context) =>
      context.changes(metricTopic, {
        choice: { accountId: account(accountId), instrumentId: symbol && metricInstrument(symbol, ['symbol']) },
        minIntervalMs: readMinInterval(minIntervalMs ?? METRICS_MS),
        after,
      }),
    resolve,
  },
};
