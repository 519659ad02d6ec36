/** Every shipped scenario, accelerated, against the whole graph. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DOMAINS } from '../../../platform/domains.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ask, leftovers, libraryLoaded, over, start } from './bench.ts';

// The custodian settles what is traded, as it does outside of tests.
vi.hoisted(() => {
  process.env.CUSTODIAN_FOLLOW_TRADES = 'true';
  process.env.CUSTODIAN_SETTLE = 'true';
});

let graph: TestGraph;

beforeAll(async () => {
  graph = await startGraph({ domains: DOMAINS, isChaosOn: true, poolSize: 5 });
  await libraryLoaded(graph);
});
afterAll(() => graph.close());

const SCENARIOS = [
  'market-crash',
  'stablecoin-depeg',
  'volatility-spike',
  'strategy-runaway',
  'risk-stress',
  'custodian-offline',
  'settlement-cascade',
  'service-restart',
];

describe('a shipped scenario', () => {
  it.each(SCENARIOS)(
    '%s passes, makes its detections in time and leaves nothing behind',
    async (scenarioId) => {
      const runId = await start(graph, scenarioId);
      const run = await over(graph, runId);
      const { testReport } = await ask(
        graph,
        `query ($id: ID!) { testReport(runId: $id) { summary impact recommendations
         detections { name delayMs isDetected isWithinDeadline } } }`,
        { id: runId },
      );
      expect(run, JSON.stringify({ run, testReport }, null, 1)).toMatchObject({
        status: 'PASSED',
        exitCode: 0,
        rollbackStatus: 'COMPLETED',
      });
      for (const detection of testReport.detections) {
        expect(detection).toMatchObject({ isDetected: true, isWithinDeadline: true });
      }
      expect(await leftovers(graph)).toEqual([]);
    },
    120_000,
  );
});
