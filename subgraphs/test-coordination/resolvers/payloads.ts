/** What commands give back: the things they name, as they are after the command. */
import { chaosEvents } from '../chaos/chaos-events.ts';
import type { Context } from '../context.ts';
import type { Resolvers } from '../generated/resolvers.ts';
import { results, type TestResultRow } from '../results/results.ts';
import { runs } from '../runs/runs.ts';
import { scenarios } from '../scenarios/scenarios.ts';

const scenario = ({ scenarioId }: { scenarioId?: string }, _: object, context: Context) =>
  scenarioId === undefined ? null : context.load(scenarios, scenarioId);

const run = ({ runId }: { runId?: string }, _: object, context: Context) =>
  runId === undefined ? null : context.load(runs, runId);

const event = ({ eventId }: { eventId?: string }, _: object, context: Context) =>
  eventId === undefined ? null : context.load(chaosEvents, eventId);

const wasDeleted = ({ wasDeleted: was }: { wasDeleted?: boolean }) => was ?? false;

async function resultsOf({ resultIds = [] }: { resultIds?: string[] }, context: Context): Promise<TestResultRow[]> {
  const rows = await Promise.all(resultIds.map((id) => context.load(results, id)));
  return rows.filter((row) => row !== null);
}

export const payloads: Resolvers = {
  CreateScenarioPayload: { scenario },
  UpdateScenarioPayload: { scenario },
  ActivateScenarioPayload: { scenario },
  DeprecateScenarioPayload: { scenario },
  ArchiveScenarioPayload: { scenario },
  DeleteScenarioPayload: { wasDeleted },
  ValidateScenarioPayload: {
    isValid: ({ isValid }) => isValid ?? false,
    problems: ({ problems }) => problems ?? [],
    durationSeconds: ({ durationSeconds }) => durationSeconds ?? null,
  },
  RenderTemplatePayload: { configuration: ({ configuration }) => configuration ?? null },
  StartTestRunPayload: { run },
  StopTestRunPayload: { run },
  DeleteTestRunPayload: { wasDeleted },
  RecordTestResultPayload: { result: async (payload, _, context) => (await resultsOf(payload, context))[0] ?? null },
  RecordTestResultsPayload: { results: (payload, _, context) => resultsOf(payload, context) },
  InjectChaosPayload: { event },
  ClearChaosPayload: { event },
};
