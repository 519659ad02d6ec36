/** Runs of scenarios for the tests: commands in a line each, and runs followed to their end. */
import { expect, vi } from 'vitest';
import type { TestGraph } from '../../support/graph.ts';

export { ask, done, refused, send } from '../trading/desk.ts';

import { ask, done } from '../trading/desk.ts';

// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its query asked for
type Data = any;

/** Accelerates every planned time to next to nothing; deadlines have their least. */
export const FAST = '100000';

/** The shipped scenarios are stored when the domain has started. */
export async function libraryLoaded(graph: TestGraph): Promise<void> {
  await vi.waitFor(async () => {
    const { scenarios } = await ask(graph, '{ scenarios(filter: { statuses: [ACTIVE] }) { totalCount } }');
    expect(scenarios.totalCount).toBeGreaterThanOrEqual(8);
  }, 10_000);
}

export async function start(graph: TestGraph, scenarioId: string, more: object = {}): Promise<string> {
  const { run } = await done(graph, 'startTestRun', { scenarioId, timeScale: FAST, ...more }, 'run { runId }');
  return run.runId;
}

const RUN = `query ($id: ID!) { testRun(id: $id) {
  runId status exitCode errorMessage rollbackStatus currentPhase durationMs traceId isDryRun
  phases { name isSuccessful error actions { name status detail } assertions { name status detail } }
  chaosEvents { eventId type action targetService status recoveryTimeMs externalId error }
  resultCounts { status count } passRate snapshots { phase services metrics } } }`;

export async function runOf(graph: TestGraph, id: string): Promise<Data> {
  return (await ask(graph, RUN, { id })).testRun;
}

const UNDER_WAY = ['PENDING', 'RUNNING'];

/** Waits until a run is over. */
export function over(graph: TestGraph, id: string): Promise<Data> {
  return vi.waitFor(
    async () => {
      const run = await runOf(graph, id);
      expect(UNDER_WAY).not.toContain(run.status);
      return run;
    },
    { timeout: 90_000, interval: 100 },
  );
}

/** Faults that some domain still suffers, and prices that are still bent. */
export async function leftovers(graph: TestGraph): Promise<Data[]> {
  const fields = '{ faultId runId kind domain }';
  const found = await ask(
    graph,
    `{ marketDataFaults ${fields} exchangeFaults ${fields} tradingFaults ${fields} custodianFaults ${fields} riskFaults ${fields}
       activeMarketScenarios { nodes { scenarioId name } } chaosEvents(filter: { isActive: true }) { nodes { eventId } } }`,
  );
  const { activeMarketScenarios, chaosEvents, ...faults } = found;
  return [...Object.values(faults).flat(), ...activeMarketScenarios.nodes, ...chaosEvents.nodes];
}

/** Phases that do nothing but wait. */
export const waiting = (seconds: number, more: object = {}) => ({
  phases: [
    { name: 'first', durationSeconds: 0, actions: [{ action: 'wait', seconds: 0 }] },
    { name: 'second', durationSeconds: seconds },
  ],
  ...more,
});

export async function write(graph: TestGraph, scenarioId: string, more: object = {}, isActive = true): Promise<void> {
  const input = {
    scenarioId,
    name: `Scenario ${scenarioId}`,
    type: 'COMBINED',
    category: 'OPERATIONAL',
    configuration: waiting(0),
    ...more,
  };
  await done(graph, 'createScenario', input);
  if (isActive) await done(graph, 'activateScenario', { scenarioId });
}

export const scenarioOf = async (graph: TestGraph, id: string): Promise<Data> =>
  (
    await ask(
      graph,
      `query ($id: ID!) { scenario(id: $id) { scenarioId name status type category version tags schedule nextRunAt passRate
         averageDurationMs servicesUnderTest durationSeconds timeoutSeconds templateId configuration
         dependsOn { scenarioId } runs { nodes { runId } totalCount } } }`,
      { id },
    )
  ).scenario;
