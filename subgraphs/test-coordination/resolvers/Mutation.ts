import { invalidateCache } from '../../../platform/cache/invalidation.ts';
import { clearChaos, injectChaos } from '../chaos/chaos-commands.ts';
import type { MutationResolvers } from '../generated/resolvers.ts';
import { recordTestResult, recordTestResults } from '../results/result-commands.ts';
import { deleteTestRun, startTestRun, stopTestRun } from '../runs/run-commands.ts';
import {
  createScenario,
  deleteScenario,
  renderTemplate,
  stepScenario,
  updateScenario,
  validateScenario,
} from '../scenarios/scenario-commands.ts';

export const Mutation: MutationResolvers = {
  invalidateTestCoordinationCache: invalidateCache,
  createScenario: (_, { input }, context) => createScenario(context, input),
  updateScenario: (_, { input }, context) => updateScenario(context, input),
  deleteScenario: (_, { input }, context) => deleteScenario(context, input),
  activateScenario: (_, { input }, context) => stepScenario(context, 'activateScenario', input, 'active'),
  deprecateScenario: (_, { input }, context) => stepScenario(context, 'deprecateScenario', input, 'deprecated'),
  archiveScenario: (_, { input }, context) => stepScenario(context, 'archiveScenario', input, 'archived'),
  validateScenario: (_, { input }, context) => validateScenario(context, input),
  renderTemplate: (_, { input }, context) => renderTemplate(context, input),
  startTestRun: (_, { input }, context) => startTestRun(context, input),
  stopTestRun: (_, { input }, context) => stopTestRun(context, input),
  deleteTestRun: (_, { input }, context) => deleteTestRun(context, input),
  recordTestResult: (_, { input }, context) => recordTestResult(context, input),
  recordTestResults: (_, { input }, context) => recordTestResults(context, input),
  injectChaos: (_, { input }, context) => injectChaos(context, input),
  clearChaos: (_, { input }, context) => clearChaos(context, input),
};
