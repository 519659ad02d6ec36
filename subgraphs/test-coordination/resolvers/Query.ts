import { stored } from '../../../platform/enums.ts';
import { averageRecoveryTime, chaosEventList, chaosEvents, eventConditions } from '../chaos/chaos-events.ts';
import type { QueryResolvers } from '../generated/resolvers.ts';
import { findTemplate, templates } from '../library/library.ts';
import { reportOf } from '../reports/report.ts';
import { resultConditions, resultList, results, statisticsOf } from '../results/results.ts';
import { logConditions, logList, runConditions, runList, runs } from '../runs/runs.ts';
import { scenarioConditions, scenarioList, scenarios } from '../scenarios/scenarios.ts';

export const Query: QueryResolvers = {
  testCoordinationFeed: (_, __, context) => context.feed.status(),
  testCoordinationHealth: (_, __, context) => context.health.read(),

  scenario: (_, { id }, context) => context.load(scenarios, id),
  scenarios: (_, { filter, ...page }, context) => context.connect(scenarioList, page, scenarioConditions(filter)),
  scenarioTemplates: () => [...templates],
  scenarioTemplate: (_, { id }) => findTemplate(id),

  testRun: (_, { id }, context) => context.load(runs, id),
  testRuns: (_, { filter, ...page }, context) => context.connect(runList, page, runConditions(filter)),
  testRunLogs: (_, { runId, level, ...page }, context) =>
    context.connect(logList, page, logConditions(runId, level ? stored(level) : null)),

  testResult: (_, { id }, context) => context.load(results, id),
  testResults: (_, { filter, ...page }, context) => context.connect(resultList, page, resultConditions(filter)),
  assertionStatistics: (_, { type }, context) => statisticsOf(context, stored(type)),

  chaosEvent: (_, { id }, context) => context.load(chaosEvents, id),
  chaosEvents: (_, { filter, ...page }, context) => context.connect(chaosEventList, page, eventConditions(filter)),
  averageRecoveryTime: (_, { type }, context) => averageRecoveryTime(context, type ? stored(type) : null),

  testReport: async (_, { runId, format }, context) => {
    const run = await context.load(runs, runId);
    return run && reportOf(context, run, stored(format ?? 'JSON'));
  },
};
