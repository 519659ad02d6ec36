/** Scenarios and what they are made from. */
import { shown } from '../../../platform/enums.ts';
import { existing } from '../../../platform/loaders.ts';
import type { Resolvers } from '../generated/resolvers.ts';
import { runList } from '../runs/runs.ts';
import { figuresOf, scenarios, scenariosOfStrategy } from '../scenarios/scenarios.ts';

const text = (value: string | number | boolean | undefined) => (value === undefined ? null : String(value));

export const scenarioResolvers: Resolvers = {
  Scenario: {
    __resolveReference: ({ scenarioId }, context) => context.load(scenarios, scenarioId),
    type: ({ scenarioType }) => shown(scenarioType),
    category: ({ category }) => shown(category),
    status: ({ status }) => shown(status),
    dependsOn: ({ dependsOn }, _, context) =>
      Promise.all(dependsOn.map((id) => existing(context.load(scenarios, id), 'Scenario', id))),
    durationSeconds: ({ durationMs }) => Number(durationMs) / 1_000,
    timeoutSeconds: ({ timeoutMs }) => Number(timeoutMs) / 1_000,
    runs: ({ scenarioId }, page, context) => context.connectChildren(runList, 'scenario_id', scenarioId, page),
    passRate: async ({ scenarioId }, _, context) => (await figuresOf(context, scenarioId)).passRate,
    averageDurationMs: async ({ scenarioId }, _, context) => (await figuresOf(context, scenarioId)).averageDurationMs,
  },
  ScenarioTemplate: {
    type: ({ type }) => shown(type),
    category: ({ category }) => shown(category),
    parameters: ({ parameters }) =>
      Object.entries(parameters).map(([name, parameter]) => ({
        name,
        type: shown(parameter.type),
        isRequired: parameter.default === undefined,
        default: text(parameter.default),
        min: text(parameter.min),
        max: text(parameter.max),
        description: parameter.description,
      })),
  },
  Strategy: {
    __resolveReference: ({ strategyId }) => ({ strategyId }),
    scenarios: ({ strategyId }, _, context) => scenariosOfStrategy(context, strategyId),
  },
};
