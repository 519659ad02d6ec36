/** Runs, and everything that they leave behind. */
import { shown } from '../../../platform/enums.ts';
import { existing } from '../../../platform/loaders.ts';
import { chaosEvents, eventsOfRun } from '../chaos/chaos-events.ts';
import type { Resolvers } from '../generated/resolvers.ts';
import { countsOfRun, RESULT_STATUSES, rateOf, resultList, results } from '../results/results.ts';
import { logList, phasesOfRun, runs, snapshotsOfRun } from '../runs/runs.ts';
import { scenarios } from '../scenarios/scenarios.ts';

export const runResolvers: Resolvers = {
  TestRun: {
    __resolveReference: ({ runId }, context) => context.load(runs, runId),
    scenario: ({ scenarioId }, _, context) => existing(context.load(scenarios, scenarioId), 'Scenario', scenarioId),
    status: ({ status }) => shown(status),
    rollbackStatus: ({ rollbackStatus }) => shown(rollbackStatus),
    isDryRun: ({ dryRun }) => dryRun,
    phases: ({ runId }, _, context) => context.list(phasesOfRun, runId),
    results: ({ runId }, page, context) =>
      context.connectChildren(resultList, 'run_id', runId, { ...page, sortOrder: 'ASC' }),
    resultCounts: async ({ runId }, _, context) => {
      const counts = await countsOfRun(context, runId);
      return RESULT_STATUSES.map((status) => ({ status: shown(status), count: counts[status] }));
    },
    passRate: async ({ runId }, _, context) => rateOf(await countsOfRun(context, runId)),
    chaosEvents: ({ runId }, _, context) => context.list(eventsOfRun, runId),
    snapshots: ({ runId }, _, context) => context.list(snapshotsOfRun, runId),
    logs: ({ runId }, page, context) =>
      context.connectChildren(logList, 'run_id', runId, { ...page, sortOrder: 'ASC' }),
    trace: ({ traceId }) => ({ traceId }),
  },
  RunPhase: {
    index: ({ phaseIndex }) => phaseIndex,
    isSuccessful: ({ success }) => success,
  },
  ExecutionLog: {
    at: ({ loggedAt }) => loggedAt,
    level: ({ level }) => shown(level),
  },
  TestResult: {
    __resolveReference: ({ resultId }, context) => context.load(results, resultId),
    run: ({ runId }, _, context) => existing(context.load(runs, runId), 'TestRun', runId),
    name: ({ assertionName }) => assertionName,
    type: ({ assertionType }) => shown(assertionType),
    status: ({ status }) => shown(status),
  },
  AssertionStatistics: { type: ({ type }) => shown(type) },
  ChaosEvent: {
    __resolveReference: ({ eventId }, context) => context.load(chaosEvents, eventId),
    run: ({ runId }, _, context) => existing(context.load(runs, runId), 'TestRun', runId),
    type: ({ eventType }) => shown(eventType),
    status: ({ status }) => shown(status),
    service: ({ serviceId }) => (serviceId === null ? null : { serviceId }),
  },
  TestReport: { format: ({ format }) => shown(format) },
  TimelineEntry: { level: ({ level }) => shown(level) },
};
