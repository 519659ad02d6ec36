/** Every shipped scenario, accelerated, against the whole graph. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DOMAINS } from '../../../platform/domains.ts';
import { settings as audit } from '../../../subgraphs/audit/settings.ts';
import { settings as custodian } from '../../../subgraphs/custodian/settings.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ask, done, leftovers, libraryLoaded, over, start } from './bench.ts';

/** The custodian settles what is traded, and the audit follows, as they do outside of tests. */
function automate(isOn: boolean): void {
  Object.assign(custodian, { followTrades: isOn, settle: isOn });
  audit.follow = isOn;
}

/** Scenarios that disturb different domains run beside each other; the last disturb what all of them need. */
const LANES = [
  ['market-crash', 'stablecoin-depeg', 'volatility-spike', 'risk-stress'],
  ['custodian-offline', 'settlement-cascade'],
];
const ALONE = ['strategy-runaway', 'service-restart'];

let graph: TestGraph;
// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its query asked for
const runs = new Map<string, any>();

async function runAll(scenarioIds: readonly string[]): Promise<void> {
  for (const scenarioId of scenarioIds) runs.set(scenarioId, await over(graph, await start(graph, scenarioId)));
}

beforeAll(async () => {
  automate(true);
  graph = await startGraph({ domains: DOMAINS, isChaosOn: true, poolSize: 5 });
  await libraryLoaded(graph);
  await done(graph, 'registerService', { serviceId: 'custodian-1', name: 'custodian', version: '1', host: 'here' });
  await Promise.all(LANES.map(runAll));
  await runAll(ALONE);
}, 180_000);
afterAll(async () => {
  automate(false);
  await graph.close();
});

const REPORT = `query ($id: ID!) {
  testReport(runId: $id) { summary impact detections { name delayMs isDetected isWithinDeadline } }
  testRun(id: $id) { results(first: 100) { nodes { name status actualValue } } }
  scenarioValidation(runId: $id) { status } }`;

describe('a shipped scenario', () => {
  it.each([...LANES.flat(), ...ALONE])('%s passes, and its detections are made in time', async (scenarioId) => {
    const run = runs.get(scenarioId);
    const { testReport, testRun, scenarioValidation } = await ask(graph, REPORT, { id: run.runId });
    const why = JSON.stringify({ summary: testReport.summary, impact: testReport.impact });
    expect(run, why).toMatchObject({ status: 'PASSED', exitCode: 0, rollbackStatus: 'COMPLETED' });
    for (const detection of testReport.detections) {
      expect(detection).toMatchObject({ isDetected: true, isWithinDeadline: true });
    }
    const trail = testRun.results.nodes.find(({ name }: { name: string }) => name === 'audit_trail');
    expect(trail).toMatchObject({ status: 'PASSED' });
    if (scenarioId !== 'service-restart') expect(scenarioValidation).toEqual({ status: 'PASSED' });
  });

  it('leaves nothing behind', async () => {
    expect(await leftovers(graph)).toEqual([]);
    const { riskLimits, activeStrategies, exchangeAccounts } = await ask(
      graph,
      `{ riskLimits(filter: { isEnabled: true }) { nodes { limitId } } activeStrategies { nodes { strategyId } }
         exchangeAccounts(first: 100) { nodes { client { clientId } status } } }`,
    );
    expect([riskLimits.nodes, activeStrategies.nodes]).toEqual([[], []]);
    const open = exchangeAccounts.nodes.filter(
      ({ client, status }: { client: { clientId: string }; status: string }) =>
        client.clientId.startsWith('test-') && status !== 'CLOSED',
    );
    expect(open).toEqual([]);
  });

  it('leads from its run by what it disturbed to all that the audit knows of it', async () => {
    const { offline, crash } = await ask(
      graph,
      `query ($offline: ID!, $crash: ID!) {
        offline: testRun(id: $offline) { chaosEvents { action service { serviceId name events(first: 1) { totalCount nodes { domain } } } } }
        crash: testRun(id: $crash) { trace { events(first: 500) { nodes { domain } } } } }`,
      { offline: runs.get('custodian-offline').runId, crash: runs.get('market-crash').runId },
    );
    expect(offline.chaosEvents).toEqual([
      {
        action: 'inject_downtime',
        service: {
          serviceId: 'custodian-1',
          name: 'custodian',
          events: { totalCount: expect.any(Number), nodes: [{ domain: 'custodian' }] },
        },
      },
    ]);
    const domains = new Set(crash.trace.events.nodes.map(({ domain }: { domain: string }) => domain));
    expect([...domains]).toEqual(
      expect.arrayContaining(['market-data', 'exchange', 'trading', 'risk', 'test-coordination']),
    );
  });
});
