/** Services as they come, change and go, told live. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { type Told, type Watcher, watch } from '../../support/watch.ts';
import { done, registration } from './directory.ts';

const CHANGES = /* GraphQL */ `
  subscription ($name: String, $after: String) {
    serviceChanges(name: $name, after: $after) {
      kind cursor at service { serviceId version status isHealthy }
    }
  }
`;
const brief = ({ kind, service }: Told) => [kind, service?.serviceId, service?.status];
const about = (serviceId: string, kind: string) => (told: Told) =>
  told.kind === kind && told.service?.serviceId === serviceId;
const follow = (graph: TestGraph, variables: object = {}): Watcher =>
  watch(graph.client, 'serviceChanges', CHANGES, variables);

describe('services, live', () => {
  let graph: TestGraph;
  let clock = Date.parse('2026-01-01T00:00:00Z');
  beforeAll(async () => {
    graph = await startGraph({ now: () => new Date(clock) });
    await done(graph, 'registerService', registration('a'));
    await done(graph, 'registerService', registration('other', { name: 'audit' }));
  });
  afterAll(() => graph.close());

  it('begin with those that are there, and go on with who comes, changes and says goodbye', async () => {
    const watcher = follow(graph, { name: 'risk' });
    await watcher.begun();
    expect(watcher.all.map(brief)).toEqual([
      ['SNAPSHOT', 'a', 'HEALTHY'],
      ['PROGRESS', undefined, undefined],
    ]);
    await done(graph, 'heartbeat', { serviceId: 'a' });
    await done(graph, 'setServiceStatus', { serviceId: 'other', status: 'DEGRADED' });
    await done(graph, 'registerService', registration('b'));
    await watcher.until(about('b', 'UPSERT'));
    await done(graph, 'setServiceStatus', { serviceId: 'b', status: 'DEGRADED' });
    await watcher.until((told) => told.service?.status === 'DEGRADED');
    await done(graph, 'deregisterService', { serviceId: 'b' });
    await watcher.until(about('b', 'DELETE'));
    expect(watcher.changes().map(brief)).toEqual([
      ['SNAPSHOT', 'a', 'HEALTHY'],
      ['UPSERT', 'b', 'HEALTHY'],
      ['UPSERT', 'b', 'DEGRADED'],
      ['DELETE', 'b', 'DEGRADED'],
    ]);
    await watcher.leave();
  });

  it('tell who falls silent: first that it is not healthy any more, then that it has gone', async () => {
    await done(graph, 'registerService', registration('silent'));
    const watcher = follow(graph);
    await watcher.begun();
    clock += 61_000;
    const late = await watcher.until(about('silent', 'UPSERT'));
    expect(late.service).toMatchObject({ status: 'HEALTHY', isHealthy: false });
    clock += 30_000;
    await watcher.until(about('silent', 'DELETE'));
    await watcher.until(about('a', 'DELETE'));
    await watcher.leave();
    await done(graph, 'registerService', registration('a'));
  });

  it('tell nothing but progress while nothing happens', async () => {
    const watcher = follow(graph, { name: 'risk' });
    const first = await watcher.begun();
    await watcher.until((told) => told.kind === 'PROGRESS' && told.at > first.at);
    expect(watcher.changes().map(brief)).toEqual([['SNAPSHOT', 'a', 'HEALTHY']]);
    await watcher.leave();
  });

  it('go on after a cursor with exactly what followed', async () => {
    const before = follow(graph);
    const { cursor } = await before.begun();
    await done(graph, 'registerService', registration('c'));
    await before.until(about('c', 'UPSERT'));
    await before.leave();
    await done(graph, 'setServiceStatus', { serviceId: 'a', status: 'DEGRADED' });
    const again = follow(graph, { after: cursor });
    await again.until(about('a', 'UPSERT'));
    expect(again.changes().map(brief)).toEqual([
      ['UPSERT', 'c', 'HEALTHY'],
      ['UPSERT', 'a', 'DEGRADED'],
    ]);
    await again.leave();
  });

  it.each(['abcdef012345.7', 'nonsense'])('begin anew after the cursor %s of another history', async (after) => {
    const watcher = follow(graph, { after });
    await watcher.begun();
    const kinds = watcher.all.map(({ kind }) => kind);
    expect(kinds[0]).toBe('RESYNC');
    expect(kinds.slice(1, -1)).toEqual(watcher.all.slice(1, -1).map(() => 'SNAPSHOT'));
    expect(kinds.length).toBeGreaterThan(2);
    await watcher.leave();
  });

  it('refuse a name that no service can have', async () => {
    const watcher = follow(graph, { name: 'Not a name' });
    expect(await watcher.ended).toMatchObject({ message: expect.stringContaining('name must be 1 to 63') });
  });
});

describe('services in Redis, live', () => {
  let redis: RedisServer;
  let graphs: [TestGraph, TestGraph];
  beforeAll(async () => {
    redis = await startRedis();
    graphs = [await startGraph({ redisUrl: redis.url }), await startGraph({ redisUrl: redis.url })];
  });
  afterAll(async () => {
    await Promise.all(graphs.map((graph) => graph.close()));
    await redis.stop();
  });

  it('are told by every process of the registry, whichever was told and whoever has died', async () => {
    const [one, two] = graphs;
    const watchers = [follow(one), follow(two)];
    await Promise.all(watchers.map((watcher) => watcher.begun()));
    const all = (told: (one: Told) => boolean) => Promise.all(watchers.map((watcher) => watcher.until(told)));
    await done(one, 'registerService', registration('a'));
    await all(about('a', 'UPSERT'));
    await done(two, 'setServiceStatus', { serviceId: 'a', status: 'DEGRADED' });
    await all((told) => told.service?.status === 'DEGRADED');
    await redis.command('PEXPIRE', 'registry:service:a', '1');
    await all(about('a', 'DELETE'));
    await Promise.all(watchers.map((watcher) => watcher.leave()));
  });

  it('are silent while Redis is away, and tell what has been lost with it', async () => {
    const [graph] = graphs;
    await done(graph, 'registerService', registration('b'));
    const watcher = follow(graph);
    await watcher.begun();
    await redis.kill();
    await redis.start();
    await watcher.until(about('b', 'DELETE'));
    await done(graph, 'registerService', registration('b'));
    await watcher.until(about('b', 'UPSERT'));
    await watcher.leave();
  });
});
