/** Several instances in one database and one Redis, at once: none sees what another has. */
import { Redis } from 'ioredis';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { DOMAINS, type Domain, redisPrefixOf, roleOf, schemaOf } from '../../platform/domains.ts';
import { createLogger } from '../../platform/log.ts';
import { migrate } from '../../prisma/migrator.ts';
import { domainUrl } from '../../prisma/roles.ts';
import { eventually } from '../platform/feed/rows.ts';
import { copyTemplate } from '../support/databases.ts';
import { startGraph, type TestGraph } from '../support/graph.ts';
import { freePort, startProcess, untilReady } from '../support/processes.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { watch } from '../support/watch.ts';
import { addPosition, addStrategy } from './live/desk.ts';
import { send } from './trading/desk.ts';

const log = createLogger({ level: 'silent', service: 'test' });
const INSTANCES = [undefined, 'lh', 'alpha'];
const settingsOf = (instance: string | undefined): NodeJS.ProcessEnv => ({ INSTANCE: instance });
const nameOf = (instance: string | undefined) => instance ?? 'the singleton';

let redis: RedisServer;
let operator: Redis;
let database: { url: string; drop: () => Promise<void> };
const graphs = new Map<string | undefined, TestGraph>();
const served: readonly Domain[] = ['market-data', 'exchange', 'trading', 'registry'];
const of = (instance: string | undefined) => graphs.get(instance) as TestGraph;

beforeAll(async () => {
  redis = await startRedis('lh', 'alpha', 'beta');
  operator = new Redis(redis.url);
  database = await copyTemplate(inject('adminUrl'));
  for (const instance of INSTANCES) {
    await migrate({ adminUrl: database.url, log, environment: settingsOf(instance) });
  }
  for (const instance of INSTANCES) {
    const environment = settingsOf(instance);
    graphs.set(instance, await startGraph({ databaseUrl: database.url, redisUrl: redis.url, environment }));
  }
});

afterAll(async () => {
  for (const graph of graphs.values()) await graph.close();
  await database.drop();
  operator.disconnect();
  await redis.stop();
});

/** Names of the strategies that the stream tells of. */
async function namesIn(key: string): Promise<Set<string>> {
  const parts = (await operator.xrange(key, '-', '+')).map(([, [, part = '{}']]) => JSON.parse(part));
  return new Set(parts.flatMap(({ changes }) => changes.map((change: { row: { name: string } }) => change.row.name)));
}

/** All keys of the server that begin so. */
async function keysOf(prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const found of operator.scanStream({ match: `${prefix}*` })) keys.push(...(found as string[]));
  return keys;
}

const STRATEGIES = 'subscription { strategyChanges { kind strategy { strategyId name } } }';

describe('instances side by side', () => {
  it('each hold rows of their own under the same ids, and tell only of those', async () => {
    const watchers = INSTANCES.map((instance) => watch(of(instance).client, 'strategyChanges', STRATEGIES));
    await Promise.all(watchers.map((watcher) => watcher.begun()));
    for (const instance of INSTANCES) {
      const graph = of(instance);
      await send(graph, 'createInstrument', { symbol: 'BTC-USD', displayName: nameOf(instance) });
      await send(graph, 'createExchangeAccount', {
        accountId: '00000000-0000-4000-8000-000000000001',
        clientId: instance ?? 'singleton',
      });
      const { errors } = await send(graph, 'createStrategy', {
        strategyId: 'same',
        name: nameOf(instance),
        type: 'CUSTOM',
        accountId: '00000000-0000-4000-8000-000000000001',
        symbols: ['BTC-USD'],
      });
      expect(errors).toEqual([]);
    }
    for (const [i, instance] of INSTANCES.entries()) {
      const { data } = await of(instance).run(
        '{ strategies { nodes { strategyId name } } instruments { nodes { displayName } } }',
      );
      expect(data.strategies.nodes).toEqual([{ strategyId: 'same', name: nameOf(instance) }]);
      expect(data.instruments.nodes).toEqual([{ displayName: nameOf(instance) }]);
      await send(of(instance), 'createStrategy', {
        strategyId: `last-of-${instance}`,
        name: 'Last',
        type: 'CUSTOM',
        accountId: '00000000-0000-4000-8000-000000000001',
        symbols: ['BTC-USD'],
      });
      await watchers[i]?.until(({ strategy }) => strategy?.name === 'Last');
    }
    for (const [i, instance] of INSTANCES.entries()) {
      const told = watchers[i]?.changes().map(({ strategy }) => [strategy.strategyId, strategy.name]);
      expect(told).toEqual([
        ['same', nameOf(instance)],
        [`last-of-${instance}`, 'Last'],
      ]);
      await watchers[i]?.leave();
    }
  });

  it('each lead their own feeds, with epochs of their own', async () => {
    const epochs = new Set<string>();
    for (const graph of graphs.values()) {
      for (const { feed } of graph.subgraphs.values()) {
        await eventually('the feed is led', () => feed.isLeader());
        epochs.add((await feed.status()).epoch);
      }
    }
    expect(epochs.size).toBe(INSTANCES.length * served.length);
  });

  it('each publish their ticks in a stream of their own, and with their own user', async () => {
    for (const instance of INSTANCES) {
      const key = `${redisPrefixOf('trading', instance)}changes`;
      await eventually(`the last tick is in ${key}`, async () => (await namesIn(key)).has('Last'));
      expect(await namesIn(key)).toEqual(new Set([nameOf(instance), 'Last']));
    }
    const users = new Set(String(await operator.call('CLIENT', 'LIST')).match(/(?<=user=)\w+/g));
    const all = INSTANCES.flatMap((instance) => served.map((domain) => roleOf(domain, instance)));
    expect([...users].toSorted()).toEqual(['operator', ...all].toSorted());
  });

  it('each say by their own name how they do', async () => {
    const { data } = await of('lh').run('{ tradingHealth { service } health { domains { domain service } } }');
    expect(data.tradingHealth).toEqual({ service: 'trading-lh' });
    const names = data.health.domains.map(({ domain, service }: Record<string, string>) => [domain, service]);
    expect(names).toEqual(expect.arrayContaining(served.map((domain) => [domain, `${domain}-lh`])));
  });

  it('each keep their marks among their own keys', async () => {
    const graph = of('lh');
    await addStrategy(graph, 's1');
    await addPosition(graph, 'p1');
    const prices = [{ symbol: 'BTC-USD', source: 'test', price: '51000', timestamp: new Date().toISOString() }];
    await send(graph, 'ingestPrices', { prices });
    const key = `${redisPrefixOf('trading', 'lh')}marks`;
    await eventually('the mark is kept', async () => (await operator.hexists(key, 'BTC-USD')) === 1, 30_000);
    expect(await operator.exists(`${redisPrefixOf('trading')}marks`, `${redisPrefixOf('trading', 'alpha')}marks`)).toBe(
      0,
    );
  });

  it('have no key that lies elsewhere', async () => {
    const known = DOMAINS.flatMap((domain) => INSTANCES.map((instance) => redisPrefixOf(domain, instance)));
    const keys = await keysOf('');
    expect(keys.length).toBeGreaterThan(INSTANCES.length);
    expect(keys.filter((key) => !known.some((prefix) => key.startsWith(prefix)))).toEqual([]);
  });
});

describe.each([...DOMAINS])('the roles of %s', (domain: Domain) => {
  it.each(INSTANCES)('of instance %s may enter no other instance', async (instance) => {
    const client = new pg.Client({ connectionString: domainUrl(database.url, domain, settingsOf(instance)) });
    await client.connect();
    const { rows } = await client.query('select current_user as role, current_schema() as schema');
    expect(rows).toEqual([{ role: roleOf(domain, instance), schema: schemaOf(domain, instance) }]);
    for (const other of INSTANCES.filter((one) => one !== instance)) {
      const schema = schemaOf(domain, other);
      const denied = `permission denied for schema ${schema}`;
      await expect(client.query(`select from ${schema}.change_log`)).rejects.toThrow(denied);
      await expect(client.query(`delete from ${schema}.feed_state`)).rejects.toThrow(denied);
      await expect(client.query(`select ${schema}.health_check()`)).rejects.toThrow(denied);
      await expect(client.query(`set role ${roleOf(domain, other)}`)).rejects.toThrow('permission denied to set role');
    }
    await client.end();
  });
});

describe('one instance of trading on the market data and the exchange of all', () => {
  it('shares what is shared', async () => {
    const environment = { TRADING_INSTANCE: 'lh' };
    const graph = await startGraph({ databaseUrl: database.url, redisUrl: redis.url, environment });
    const { data } = await graph.run(`{
      strategy(id: "same") { name instruments { displayName } account { client { clientId } } }
    }`);
    expect(data.strategy).toEqual({
      name: 'lh',
      instruments: [{ displayName: 'the singleton' }],
      account: { client: { clientId: 'singleton' } },
    });
    await graph.close();
  });
});

describe('processes', () => {
  it('make and serve the instance that is named, as its own role and user', async () => {
    const port = String(await freePort());
    const settings = { TRADING_INSTANCE: 'beta', DATABASE_URL: database.url, DATA_DIR: '/nowhere' };
    const migrated = startProcess(['prisma/main.ts'], settings);
    expect(await new Promise((resolve) => migrated.child.on('exit', resolve))).toBe(0);
    const serving = { ...settings, PORT: port, REDIS_URL: redis.url };
    const running = startProcess(['subgraphs/main.ts', 'trading'], serving);
    await untilReady(`http://127.0.0.1:${port}/ready`, running);
    const user = `user=${roleOf('trading', 'beta')}`;
    await eventually('it is connected', async () => String(await operator.call('CLIENT', 'LIST')).includes(user));
    const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: '{ strategies { nodes { name } } }' }),
    });
    expect(await response.json()).toEqual({ data: { strategies: { nodes: [] } } });
    expect(await running.stop()).toBe(0);
  });

  it('load no demo where what it needs is shared with another instance', async () => {
    const port = String(await freePort());
    const settings = { TRADING_INSTANCE: 'beta', DATABASE_URL: database.url, PORT: port, LOG_LEVEL: 'info' };
    const running = startProcess(['gateway/main.ts'], settings);
    await untilReady(`http://127.0.0.1:${port}/ready`, running);
    expect(running.said()).toContain('the demo is not loaded');
    expect(await running.stop()).toBe(0);
  });

  it('do not begin with a name that is none', async () => {
    const running = startProcess(['prisma/main.ts'], { TRADING_INSTANCE: 'LH', DATABASE_URL: database.url });
    expect(await new Promise((resolve) => running.child.on('exit', resolve))).toBe(1);
    expect(running.said()).toContain(
      'TRADING_INSTANCE: must be a DNS label of lower-case letters, digits and inner dashes',
    );
    expect(running.said()).toContain('but got: "LH"');
  });
});
