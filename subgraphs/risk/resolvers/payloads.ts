/** What commands give back: the things they name, as they are after the command. */
import { alerts } from '../alerts/alerts.ts';
import { breakers } from '../breaker/breaker.ts';
import type { Context } from '../context.ts';
import type { Resolvers } from '../generated/resolvers.ts';
import { limitChanges, limits } from '../limits/limits.ts';
import { metrics, type RiskMetricRow } from '../measures/metrics.ts';
import { type StressTestRow, stressTestById } from '../reports/stress-tests.ts';

const limit = ({ limitId }: { limitId?: string }, _: object, context: Context) =>
  limitId === undefined ? null : context.load(limits, limitId);

const change = ({ changeId }: { changeId?: string | null }, _: object, context: Context) =>
  typeof changeId === 'string' ? context.load(limitChanges, changeId) : null;

const alert = ({ alertId }: { alertId?: string }, _: object, context: Context) =>
  alertId === undefined ? null : context.load(alerts, alertId);

const circuitBreaker = ({ breakerId }: { breakerId?: string }, _: object, context: Context) =>
  breakerId === undefined ? null : context.load(breakers, breakerId);

const deletedCount = ({ deletedCount: count }: { deletedCount?: number }) => count ?? 0;

async function metricsOf({ metricIds = [] }: { metricIds?: string[] }, context: Context): Promise<RiskMetricRow[]> {
  const rows = await Promise.all(metricIds.map((id) => context.load(metrics, id)));
  return rows.filter((row) => row !== null);
}

export const payloads: Resolvers = {
  SetRiskLimitPayload: { limit, pendingChange: change },
  EnableLimitPayload: { limit, pendingChange: change },
  DisableLimitPayload: { limit, pendingChange: change },
  ApproveLimitChangePayload: { change },
  RejectLimitChangePayload: { change },
  RaiseAlertPayload: { alert, isNew: ({ isNew }) => isNew ?? false },
  AcknowledgeAlertPayload: { alert },
  ResolveAlertPayload: { alert },
  EscalateAlertPayload: { alert },
  ExpireAlertsPayload: { expiredCount: ({ expiredCount }) => expiredCount ?? 0 },
  TriggerCircuitBreakerPayload: { circuitBreaker },
  ResetCircuitBreakerPayload: { circuitBreaker },
  CalculateRiskPayload: {
    metric: async (payload, _, context) => (await metricsOf(payload, context))[0] ?? null,
    metrics: async (payload, _, context) => (await metricsOf(payload, context)).slice(1),
  },
  RecordRiskMetricsPayload: { metrics: (payload, _, context) => metricsOf(payload, context) },
  CompleteRiskMetricPayload: {
    metric: ({ metricId }, _, context) => (metricId === undefined ? null : context.load(metrics, metricId)),
  },
  DeleteRiskMetricsPayload: { deletedCount },
  DeletePositionSnapshotsPayload: { deletedCount },
  CapturePositionsPayload: { capturedCount: ({ capturedCount }) => capturedCount ?? 0, at: ({ at }) => at ?? null },
  RunStressTestsPayload: {
    results: async ({ resultIds = [] }, _, context) => {
      const rows = await Promise.all(resultIds.map((id) => stressTestById(context, id)));
      return rows.filter((row): row is StressTestRow => row !== null);
    },
  },
};
