/** How the graph does, as it says itself, while parts of it are taken away. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DOMAINS } from '../../../platform/domains.ts';
import type { DomainHealth } from '../../../platform/health.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { type OwnPostgres, startOwnPostgres } from '../../support/own-postgres.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { ask, done, registration } from './directory.ts';

const PATIENCE = { timeout: 30_000, interval: 100 };
const HEALTH = `domain status service instance version environment checkedAt reasons
  stores { store connected latencyMs error version since }`;

let postgres: OwnPostgres;
let redis: RedisServer;
let graph: TestGraph;

beforeAll(async () => {
  postgres = await startOwnPostgres();
  redis = await startRedis();
  graph = await startGraph({ domains: DOMAINS, databaseUrl: postgres.databaseUrl, redisUrl: redis.url });
});
afterAll(async () => {
  await graph.close().catch(() => undefined); // its database is gone by then
  await redis.stop();
  await postgres.close();
});

async function health(): Promise<{ status: string; domains: DomainHealth[] }> {
  return (await ask(graph, `{ health { status checkedAt domains { ${HEALTH} } } }`)).health;
}

const whenever = (status: string) =>
  vi.waitFor(async () => {
    const found = await health();
    expect(found.status).toBe(status);
    return found;
  }, PATIENCE);

describe('the health of the graph', () => {
  it('is good while every store answers, and says which program answered where', async () => {
    const { domains } = await whenever('HEALTHY');
    expect(domains.map(({ domain }) => domain)).toEqual(DOMAINS);
    for (const one of domains) {
      expect(one).toMatchObject({ status: 'HEALTHY', service: one.domain, environment: 'test', reasons: [] });
      expect(one.instance).toMatch(new RegExp(`:${process.pid}$`));
      expect(one.version).toMatch(/^\d+\.\d+\.\d+$/);
      expect(one.stores.map(({ store, connected }) => [store, connected])).toEqual([
        ['POSTGRESQL', true],
        ['REDIS', true],
      ]);
      for (const { version, latencyMs, error } of one.stores) {
        expect(version).toMatch(/^\d+\./);
        expect(latencyMs).toBeGreaterThanOrEqual(0);
        expect(error).toBeNull();
      }
    }
  });

  it('is looked into once for many who ask at once', async () => {
    await health();
    const before = graph.calls.length;
    const answers = await Promise.all(Array.from({ length: 20 }, () => health()));
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBeLessThanOrEqual(2);
    const inner = graph.calls.slice(before).filter((domain) => domain !== 'registry');
    expect(inner.length).toBeLessThanOrEqual(2 * (DOMAINS.length - 1));
  });

  it('names the processes that are there', async () => {
    await done(graph, 'registerService', registration('risk-1'));
    const { health: found } = await ask(graph, '{ health { services { serviceId name isHealthy } } }');
    expect(found.services).toEqual([{ serviceId: 'risk-1', name: 'risk', isHealthy: true }]);
  });

  it('takes further reasons from whoever has some', async () => {
    const trading = graph.subgraphs.get('trading')?.health;
    let complains = true;
    trading?.heed('the marks', () => (complains ? [{ status: 'DEGRADED', reason: 'The marks are old.' }] : []));
    const { domains } = await whenever('DEGRADED');
    expect(domains.filter(({ status }) => status === 'DEGRADED')).toMatchObject([
      { domain: 'trading', reasons: ['The marks are old.'] },
    ]);
    complains = false;
    await whenever('HEALTHY');
  });

  it('names a source of reasons that fails', async () => {
    const exchange = graph.subgraphs.get('exchange')?.health;
    let fails = true;
    exchange?.heed('the book', () => (fails ? Promise.reject(new Error('broken')) : []));
    const { domains } = await whenever('DEGRADED');
    expect(domains.flatMap(({ reasons }) => reasons)).toEqual(['How the book does is not known.']);
    fails = false;
    await whenever('HEALTHY');
  });

  it('is less good without Redis, whether that is gone or hangs, and good again with it', async () => {
    await redis.kill();
    const { domains } = await whenever('DEGRADED');
    await vi.waitFor(async () => {
      for (const one of (await health()).domains) expect(one.status).toBe('DEGRADED');
    }, PATIENCE);
    expect(domains.find(({ status }) => status === 'DEGRADED')?.reasons).toEqual(['Redis cannot be reached.']);
    const { data } = await graph.run('{ health { status services { serviceId } } }');
    expect(data).toEqual({ health: { status: 'DEGRADED', services: null } });

    await redis.start();
    await whenever('HEALTHY');
    redis.signal('SIGSTOP');
    const { domains: hung } = await whenever('DEGRADED');
    expect(hung.find(({ status }) => status === 'DEGRADED')?.reasons[0]).toMatch(/^Redis (does not answer|cannot)/);
    redis.signal('SIGCONT');
    await whenever('HEALTHY');
  });

  it('is less good while Redis takes no values, and its services say that they cannot be told of', async () => {
    await redis.command('CONFIG', 'SET', 'maxmemory', '1');
    await vi.waitFor(async () => {
      const { domains } = await health();
      // A domain that keeps something of its own there may have more to say.
      for (const { reasons } of domains) expect(reasons).toContain('Redis takes no values (OOM).');
    }, PATIENCE);
    const input = registration('risk-1');
    const { data, errors } = await graph.run(
      'mutation ($input: RegisterServiceInput!) { registerService(input: $input) { errors { code } } }',
      { input },
    );
    expect({ data, errors }).toEqual({ data: { registerService: { errors: [{ code: 'DOMAIN_UNAVAILABLE' }] } } });
    await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    await whenever('HEALTHY');
    await done(graph, 'registerService', input);
  });

  it('is bad for the domain that does not answer', async () => {
    const trading = graph.subgraphs.get('trading');
    if (!trading) throw new Error('There is no trading');
    const { execute } = trading;
    trading.execute = () => Promise.reject(Object.assign(new Error('gone'), { code: 'ECONNREFUSED' }));
    const { domains } = await whenever('UNHEALTHY');
    expect(domains.filter(({ status }) => status !== 'HEALTHY')).toMatchObject([
      { domain: 'trading', instance: '', stores: [], reasons: ['The trading domain does not answer.'] },
    ]);
    trading.execute = execute;
    await whenever('HEALTHY');
  });

  it('is bad without PostgreSQL, says why without a secret, and services are told of all the same', async () => {
    await postgres.stop();
    const { domains } = await whenever('UNHEALTHY');
    const bad = domains.filter(({ status }) => status === 'UNHEALTHY');
    for (const { reasons, stores } of bad) {
      expect(reasons).toHaveLength(1);
      expect(reasons[0]).toMatch(/^PostgreSQL (cannot be reached \(\w+\)|does not answer within 1 second)\.$/);
      expect(stores[0]).toMatchObject({ store: 'POSTGRESQL', connected: false, latencyMs: null });
    }
    await done(graph, 'registerService', registration('risk-2'));
    await done(graph, 'heartbeat', { serviceId: 'risk-2' });
    expect((await ask(graph, '{ services { serviceId } }')).services).toContainEqual({ serviceId: 'risk-2' });
  });
});
