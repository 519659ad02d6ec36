/** Runs whose process is gone, and locks and writes of whoever was only slow. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DOMAINS } from '../../../platform/domains.ts';
import { createLogger } from '../../../platform/log.ts';
import { connectRedis } from '../../../platform/redis.ts';
import type { Subgraph } from '../../../platform/subgraph.ts';
import type { Context } from '../../../subgraphs/test-coordination/context.ts';
import { Hold, HoldLost } from '../../../subgraphs/test-coordination/runner/hold.ts';
import { redisLocks, storedLocks, type TargetLocks } from '../../../subgraphs/test-coordination/runner/locks.ts';
import type { TestRunRow } from '../../../subgraphs/test-coordination/runs/runs.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { ask, done, leftovers, libraryLoaded, over, runOf, start } from './bench.ts';

let graph: TestGraph;
let redis: RedisServer;

const coordination = () => graph.subgraphs.get('test-coordination') as Subgraph;
const contextOf = () => coordination().createContext({}) as Context;

beforeAll(async () => {
  graph = await startGraph({ domains: DOMAINS, isChaosOn: true, poolSize: 5 });
  redis = await startRedis();
  await libraryLoaded(graph);
});
afterAll(async () => {
  await graph.close();
  await redis.stop();
});

describe('a run whose process is killed in the middle', () => {
  it('is taken over by another, rolled back and ended as ERROR, and leaves no fault behind', async () => {
    const { configuration } = await done(
      graph,
      'renderTemplate',
      { templateId: 'risk-stress', parameters: { delayMs: 1 } },
      'configuration',
    );
    const [baseline, chaos] = configuration.phases;
    const phases = [baseline, { ...chaos, durationSeconds: 2_500_000, assertions: [] }];
    await done(graph, 'createScenario', {
      scenarioId: 'endless',
      name: 'Endless',
      type: 'COMBINED',
      category: 'RISK',
      configuration: { ...configuration, phases },
    });
    await done(graph, 'activateScenario', { scenarioId: 'endless' });
    const runId = await start(graph, 'endless');
    await vi.waitFor(
      async () => {
        const { chaosEvents } = await runOf(graph, runId);
        expect(chaosEvents.map(({ status }: { status: string }) => status)).toEqual(['IN_PROGRESS', 'IN_PROGRESS']);
      },
      { timeout: 30_000, interval: 100 },
    );
    expect((await leftovers(graph)).length).toBeGreaterThan(0);
    // The process is gone: it neither renews nor ends anything. The next one finds the lease run out.
    const gone = coordination();
    await contextOf().service.runner.stop();
    await graph.sql(
      'test-coordination',
      `update test_runs set lease_until = now() - interval '1 second' where run_id = $1`,
      [runId],
    );
    const { startTestCoordination } = await import('../../../subgraphs/test-coordination/service.ts');
    const context = contextOf();
    const next = startTestCoordination({
      ...context,
      redisUrl: undefined,
      redisPrefix: 'test:',
      dataDir: undefined,
      context: () => context,
    } as never);
    const run = await over(graph, runId);
    expect(run).toMatchObject({
      status: 'ERROR',
      exitCode: 2,
      rollbackStatus: 'COMPLETED',
      errorMessage: 'Whoever carried it out is gone.',
    });
    expect(run.chaosEvents.map(({ status }: { status: string }) => status)).toEqual(['RECOVERED', 'RECOVERED']);
    expect(await leftovers(graph)).toEqual([]);
    const { strategy, exchangeAccounts, riskLimits } = await ask(
      graph,
      `query ($id: ID!, $client: ID!) { strategy(id: $id) { status } client(id: $client) { accounts { status } }
         exchangeAccounts(filter: { clientId: $client }) { nodes { status } }
         riskLimits(filter: { isEnabled: true }) { nodes { limitId } } }`,
      { id: `test-${runId}`, client: `test-${runId}` },
    );
    expect(strategy).toEqual({ status: 'STOPPED' });
    expect(exchangeAccounts.nodes).toEqual([{ status: 'CLOSED' }]);
    expect(riskLimits.nodes).toEqual([]);
    await next.stop();
    expect(gone.name).toBe('test-coordination');
  }, 120_000);
});

describe('whoever held a run before', () => {
  it('writes nothing of it any more', async () => {
    const [row] = await graph.sql(
      'test-coordination',
      'select run_id as "runId", trace_id as "traceId", fence::text from test_runs limit 1',
    );
    const { db, feed } = contextOf();
    const parts = { db, feed, now: () => new Date() };
    await new Hold(parts as never, row as TestRunRow).log('info', 'the holder writes');
    const former = new Hold(parts as never, { ...row, fence: String(BigInt(row.fence) - 1n) } as TestRunRow);
    await expect(former.log('info', 'who was only slow writes')).rejects.toThrow(HoldLost);
    await expect(former.end('passed', null)).rejects.toThrow(HoldLost);
    const lines = await graph.sql(
      'test-coordination',
      `select message from execution_logs where message like '%writes'`,
    );
    expect(lines).toEqual([{ message: 'the holder writes' }]);
  });
});

describe('locks of targets', () => {
  const kinds: [string, () => TargetLocks][] = [
    ['PostgreSQL', () => storedLocks(contextOf().db)],
    [
      'Redis',
      () => {
        const log = createLogger({ level: 'silent', service: 'test' });
        return redisLocks(connectRedis({ url: redis.urlOf('test-coordination'), log }), 'test:');
      },
    ],
  ];

  it.each(kinds)('in %s are had by one run, all or none, until they are released', async (_, make) => {
    const locks = make();
    expect(await locks.acquire('one', ['risk', 'exchange'])).toBeNull();
    expect(await locks.acquire('one', ['exchange', 'risk'])).toBeNull();
    expect(await locks.acquire('two', ['custodian', 'risk'])).toEqual({ target: 'risk', runId: 'one' });
    expect(await locks.acquire('three', ['custodian'])).toBeNull();
    expect(await locks.renew('one', ['risk', 'exchange'])).toBe(true);
    expect(await locks.renew('two', ['risk'])).toBe(false);
    await locks.release('two', ['custodian', 'risk']);
    expect(await locks.acquire('two', ['risk'])).toEqual({ target: 'risk', runId: 'one' });
    await locks.release('one', ['risk', 'exchange']);
    expect(await locks.acquire('two', ['risk', 'exchange'])).toBeNull();
    expect(await locks.renew('one', ['risk'])).toBe(false);
    await Promise.all(['two', 'three'].map((runId) => locks.release(runId, ['custodian', 'risk', 'exchange'])));
    const taken = await Promise.all(['a', 'b', 'c'].map((runId) => locks.acquire(runId, ['risk', 'trading'])));
    expect(taken.filter((holder) => holder === null)).toHaveLength(1);
    await Promise.all(['a', 'b', 'c'].map((runId) => locks.release(runId, ['risk', 'trading'])));
    locks.close();
  });
});
