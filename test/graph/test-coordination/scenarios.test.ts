/** What people do with scenarios: writing, finding, validating, and making them from templates. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ask, done, libraryLoaded, over, refused, scenarioOf, start, waiting, write } from './bench.ts';

let graph: TestGraph;

beforeAll(async () => {
  graph = await startGraph({ domains: ['test-coordination'] });
  await libraryLoaded(graph);
});
afterAll(() => graph.close());

describe('a scenario', () => {
  it('is written, read, changed and deleted', async () => {
    await write(graph, 'written', { tags: ['one', 'two'], schedule: '0 5 * * *' }, false);
    expect(await scenarioOf(graph, 'written')).toMatchObject({
      name: 'Scenario written',
      status: 'DRAFT',
      version: 1,
      tags: ['one', 'two'],
      schedule: '0 5 * * *',
      nextRunAt: expect.stringContaining('T05:00:00Z'),
      passRate: null,
      averageDurationMs: null,
      timeoutSeconds: 7200,
    });
    expect(
      await refused(graph, 'updateScenario', { scenarioId: 'written', name: 'x', expectedVersion: 7 }),
    ).toMatchObject({
      code: 'CONFLICT',
    });
    await done(graph, 'updateScenario', {
      scenarioId: 'written',
      name: 'Changed',
      schedule: null,
      configuration: waiting(7),
    });
    expect(await scenarioOf(graph, 'written')).toMatchObject({
      name: 'Changed',
      version: 2,
      schedule: null,
      nextRunAt: null,
      durationSeconds: 7,
    });
    expect(await done(graph, 'deleteScenario', { scenarioId: 'written' }, 'wasDeleted')).toMatchObject({
      wasDeleted: true,
    });
    expect(await done(graph, 'deleteScenario', { scenarioId: 'written' }, 'wasDeleted')).toMatchObject({
      wasDeleted: false,
    });
    expect(await scenarioOf(graph, 'written')).toBeNull();
    expect(await refused(graph, 'updateScenario', { scenarioId: 'written', name: 'x' })).toMatchObject({
      code: 'NOT_FOUND',
    });
  });

  it('goes from draft to active to deprecated and back, and is archived for good', async () => {
    await write(graph, 'moved', {}, false);
    expect(await refused(graph, 'deprecateScenario', { scenarioId: 'moved' })).toMatchObject({
      code: 'INVALID_TRANSITION',
      from: 'DRAFT',
      allowed: ['ACTIVE', 'ARCHIVED'],
    });
    for (const [operation, status] of [
      ['activateScenario', 'ACTIVE'],
      ['deprecateScenario', 'DEPRECATED'],
      ['activateScenario', 'ACTIVE'],
      ['archiveScenario', 'ARCHIVED'],
    ] as const) {
      const { scenario } = await done(graph, operation, { scenarioId: 'moved' }, 'scenario { status }');
      expect(scenario.status).toBe(status);
    }
    expect(await refused(graph, 'activateScenario', { scenarioId: 'moved' })).toMatchObject({
      code: 'INVALID_TRANSITION',
    });
    expect(await refused(graph, 'updateScenario', { scenarioId: 'moved', name: 'x' })).toMatchObject({
      code: 'VALIDATION_FAILED',
    });
    expect(await refused(graph, 'startTestRun', { scenarioId: 'moved' })).toMatchObject({ code: 'VALIDATION_FAILED' });
  });

  it('is found by type, category, status, tag and service', async () => {
    await write(graph, 'found', { tags: ['exactly-this'], type: 'NETWORK_LATENCY', category: 'RISK' }, false);
    const find = async (filter: object) => {
      const { scenarios } = await ask(
        graph,
        'query ($filter: ScenarioFilter) { scenarios(filter: $filter) { nodes { scenarioId } } }',
        { filter },
      );
      return scenarios.nodes.map(({ scenarioId }: { scenarioId: string }) => scenarioId).sort();
    };
    expect(await find({ tag: 'exactly-this' })).toEqual(['found']);
    expect(await find({ tag: 'exactly' })).toEqual([]);
    expect(await find({ type: 'NETWORK_LATENCY', statuses: ['ACTIVE'] })).toEqual(['risk-stress']);
    expect(await find({ category: 'RISK' })).toEqual(['found', 'risk-stress']);
    expect(await find({ service: 'custodian' })).toEqual(['custodian-offline', 'settlement-cascade']);
  });

  it('is validated, whether it is stored or not', async () => {
    const validate = (input: object) => done(graph, 'validateScenario', input, 'isValid problems durationSeconds');
    expect(await validate({ scenarioId: 'market-crash' })).toMatchObject({
      isValid: true,
      problems: [],
      durationSeconds: 1620,
    });
    const wrong = await validate({
      configuration: { phases: [{ name: 'a', durationSeconds: 1, actions: [{ action: 'x' }] }] },
    });
    expect(wrong).toMatchObject({ isValid: false, durationSeconds: null });
    expect(wrong.problems[0]).toContain('phases.0.actions.0.action');
    expect(
      await refused(graph, 'createScenario', { name: 'x', type: 'COMBINED', category: 'RISK', configuration: {} }),
    ).toMatchObject({
      code: 'VALIDATION_FAILED',
      path: ['input', 'configuration'],
    });
    expect(await refused(graph, 'validateScenario', {})).toMatchObject({ code: 'VALIDATION_FAILED' });
  });

  it('is made from a template, with parameters of their types', async () => {
    const { scenarioTemplates, scenarioTemplate } = await ask(
      graph,
      `{ scenarioTemplates { templateId parameters { name type isRequired default min max } }
         scenarioTemplate(id: "market-crash") { name type category } }`,
    );
    expect(scenarioTemplates).toHaveLength(8);
    expect(scenarioTemplate).toEqual({ name: 'Market crash', type: 'COMBINED', category: 'MARKET' });
    const { configuration } = await done(
      graph,
      'renderTemplate',
      { templateId: 'market-crash', parameters: { symbol: 'eth/usd', deviation: '-0.2' } },
      'configuration',
    );
    expect(configuration.bench.instruments[0].symbol).toBe('ETH-USD');
    expect(configuration.phases[1].actions[0]).toMatchObject({ symbols: ['ETH-USD'], deviation: '-0.2' });
    expect(
      await refused(graph, 'renderTemplate', { templateId: 'market-crash', parameters: { deviation: '-0.5' } }),
    ).toMatchObject({
      code: 'VALIDATION_FAILED',
      path: ['input', 'parameters', 'deviation'],
    });
    expect(await refused(graph, 'renderTemplate', { templateId: 'none' })).toMatchObject({ code: 'NOT_FOUND' });
    await done(graph, 'createScenario', {
      scenarioId: 'mild',
      name: 'Mild',
      templateId: 'market-crash',
      parameters: { deviation: '-0.02' },
    });
    expect(await scenarioOf(graph, 'mild')).toMatchObject({
      templateId: 'market-crash',
      type: 'COMBINED',
      category: 'MARKET',
    });
  });

  it('depends on others, which must have passed, and never on itself', async () => {
    await write(graph, 'needed');
    await write(graph, 'dependent', { dependsOn: ['needed'] });
    expect(await refused(graph, 'updateScenario', { scenarioId: 'needed', dependsOn: ['dependent'] })).toMatchObject({
      code: 'VALIDATION_FAILED',
    });
    expect(await refused(graph, 'deleteScenario', { scenarioId: 'needed' })).toMatchObject({
      code: 'VALIDATION_FAILED',
    });
    expect((await refused(graph, 'startTestRun', { scenarioId: 'dependent' })).message).toContain('it has never run');
    expect(await over(graph, await start(graph, 'needed'))).toMatchObject({ status: 'PASSED' });
    expect(await over(graph, await start(graph, 'dependent'))).toMatchObject({ status: 'PASSED' });
  });

  it('is started by itself when its time has come', async () => {
    await write(graph, 'scheduled', { schedule: '0 0 1 1 *' });
    await graph.sql(
      'test-coordination',
      `update scenarios set next_run_at = now() - interval '1 second' where scenario_id = 'scheduled'`,
    );
    await vi.waitFor(
      async () => {
        const { testRuns } = await ask(
          graph,
          '{ testRuns(filter: { scenarioId: "scheduled" }) { nodes { status requestedBy } } }',
        );
        expect(testRuns.nodes).toEqual([{ status: 'PASSED', requestedBy: 'schedule' }]);
      },
      { timeout: 15_000, interval: 100 },
    );
    const { nextRunAt } = await scenarioOf(graph, 'scheduled');
    expect(Date.parse(nextRunAt)).toBeGreaterThan(Date.now());
  });
});
