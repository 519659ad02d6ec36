/** Alerts, breaches and the circuit breaker. */

import { shown } from '../../../platform/enums.ts';
import { existing } from '../../../platform/loaders.ts';
import { alerts, alertsOfBreach, breaches, escalationsOf } from '../alerts/alerts.ts';
import type { Resolvers } from '../generated/resolvers.ts';
import { limits } from '../limits/limits.ts';
import { escalatesAfterMs } from '../rules/alert-lifecycle.ts';
import { scoped } from './scope.ts';

export const alertResolvers: Resolvers = {
  RiskAlert: {
    __resolveReference: ({ alertId }, context) => context.load(alerts, alertId),
    ...scoped,
    severity: ({ severity }) => shown(severity),
    status: ({ status }) => shown(status),
    limit: ({ limitId }, _, context) => (limitId === null ? null : context.load(limits, limitId)),
    breach: ({ breachId }, _, context) => (breachId === null ? null : context.load(breaches, breachId)),
    escalatesAt: ({ severity, status, escalationLevel, triggeredAt }) => {
      const afterMs = escalatesAfterMs(severity);
      if (afterMs === null || status !== 'active' || escalationLevel > 0) return null;
      return new Date(Date.parse(triggeredAt) + afterMs).toISOString();
    },
    notified: ({ notified }) => notified.map(shown),
    escalations: ({ alertId }, _, context) => escalationsOf(context, alertId),
  },
  AlertEscalation: {
    targets: ({ targets }) => targets.map(shown),
    acknowledgedAt: ({ ackedAt }) => ackedAt,
    by: ({ escalatedBy }) => escalatedBy,
  },
  AlertCount: {
    status: ({ status }) => shown(status),
    severity: ({ severity }) => shown(severity),
  },
  RiskBreach: {
    __resolveReference: ({ breachId }, context) => context.load(breaches, breachId),
    ...scoped,
    limit: ({ limitId }, _, context) => existing(context.load(limits, limitId), 'RiskLimit', limitId),
    current: ({ currentValue }) => currentValue,
    threshold: ({ thresholdValue }) => thresholdValue,
    peak: ({ peakValue }) => peakValue,
    alerts: async ({ breachId }, _, context) => (await context.list(alertsOfBreach, breachId)).toReversed(),
  },
  CircuitBreaker: {
    state: ({ state }) => shown(state),
    cause: ({ cause }) => cause && shown(cause),
  },
  CircuitBreakerEvent: {
    from: ({ fromState }) => shown(fromState),
    to: ({ toState }) => shown(toState),
    cause: ({ cause }) => cause && shown(cause),
    by: ({ changedBy }) => changedBy,
    at: ({ changedAt }) => changedAt,
  },
};
