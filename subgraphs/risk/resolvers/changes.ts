/** What subscriptions tell, under the name of what has changed. */
import { rowOf } from '../../../platform/feed/events.ts';
import type { Resolvers } from '../generated/resolvers.ts';

export const changes: Resolvers = {
  LimitUtilisationChange: { utilisation: rowOf },
  AlertChange: { alert: rowOf },
  CircuitBreakerChange: { circuitBreaker: rowOf },
  RiskMetricChange: { metric: rowOf },
};
