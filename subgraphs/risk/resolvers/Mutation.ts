import { invalidateCache } from '../../../platform/cache/invalidation.ts';
import { acknowledgeAlert, escalateAlert, expireAlerts, raiseAlert, resolveAlert } from '../alerts/alert-commands.ts';
import { resetCircuitBreaker, triggerCircuitBreaker } from '../breaker/breaker-commands.ts';
import { complianceMutations } from '../compliance/resolvers.ts';
import type { MutationResolvers } from '../generated/resolvers.ts';
import {
  approveLimitChange,
  disableLimit,
  enableLimit,
  rejectLimitChange,
  setRiskLimit,
} from '../limits/limit-commands.ts';
import {
  calculateRisk,
  completeRiskMetric,
  deletePositionSnapshots,
  deleteRiskMetrics,
  recordRiskMetrics,
} from '../measures/metric-commands.ts';
import { capturePositions } from '../measures/snapshot-commands.ts';
import { runStressTests } from '../reports/stress-tests.ts';

export const Mutation: MutationResolvers = {
  invalidateRiskCache: invalidateCache,
  setRiskLimit: (_, { input }, context) => setRiskLimit(context, input),
  enableLimit: (_, { input }, context) => enableLimit(context, input),
  disableLimit: (_, { input }, context) => disableLimit(context, input),
  approveLimitChange: (_, { input }, context) => approveLimitChange(context, input),
  rejectLimitChange: (_, { input }, context) => rejectLimitChange(context, input),
  raiseAlert: (_, { input }, context) => raiseAlert(context, input),
  acknowledgeAlert: (_, { input }, context) => acknowledgeAlert(context, input),
  resolveAlert: (_, { input }, context) => resolveAlert(context, input),
  escalateAlert: (_, { input }, context) => escalateAlert(context, input),
  expireAlerts: (_, { input }, context) => expireAlerts(context, input),
  triggerCircuitBreaker: (_, { input }, context) => triggerCircuitBreaker(context, input),
  resetCircuitBreaker: (_, { input }, context) => resetCircuitBreaker(context, input),
  calculateRisk: (_, { input }, context) => calculateRisk(context, input),
  recordRiskMetrics: (_, { input }, context) => recordRiskMetrics(context, input),
  completeRiskMetric: (_, { input }, context) => completeRiskMetric(context, input),
  deleteRiskMetrics: (_, { input }, context) => deleteRiskMetrics(context, input),
  capturePositions: (_, { input }, context) => capturePositions(context, input),
  deletePositionSnapshots: (_, { input }, context) => deletePositionSnapshots(context, input),
  runStressTests: (_, { input }, context) => runStressTests(context, input),
  ...complianceMutations,
};
