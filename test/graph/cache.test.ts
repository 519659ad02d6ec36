/** What readers of the graph see of its cache: nothing that is older than they may expect. */
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { DOMAINS, type Domain } from '../../platform/domains.ts';
import { copyTemplate } from '../support/databases.ts';
import { startGraph, type TestGraph } from '../support/graph.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';
import { ask, done, order, strategy } from './trading/desk.ts';

const ORDER = 'query ($id: ID!) { tradingOrder(id: $id) { status version strategy { name status } } }';
const ORDERS = 'query ($id: ID!) { strategy(id: $id) { orders { totalCount nodes { status } } } }';

let redis: RedisServer;
let drop: () => Promise<void>;
let graph: TestGraph;
/** Another process of every subgraph, on the same stores. */
let replica: TestGraph;

beforeAll(async () => {
  redis = await startRedis();
  const database = await copyTemplate(inject('adminUrl'));
  drop = database.drop;
  const stores = { databaseUrl: database.url, redisUrl: redis.url };
  graph = await startGraph(stores);
  await strategy(graph, { strategyId: 'warm' }); // once it leads and has caught up
  replica = await startGraph(stores);
  await eventuallyAlive(replica);
});

afterAll(async () => {
  await replica.close();
  await graph.close();
  await drop();
  await redis.stop();
});

async function eventuallyAlive({ subgraphs }: TestGraph): Promise<void> {
  await vi.waitUntil(() => [...subgraphs.values()].every(({ feed }) => feed.hub.isAlive(Date.now())), 30_000);
}

/** Statements that trading sends when the query is asked for the last of several times; others may come between. */
async function costOf(of: TestGraph, query: string, variables: object, headers = {}): Promise<number> {
  let cost = 0;
  for (let time = 0; time < 3; time++) {
    const before = of.subgraphs.get('trading')?.statements() ?? 0;
    await ask(of, query, variables, headers);
    cost = (of.subgraphs.get('trading')?.statements() ?? 0) - before;
  }
  return cost;
}

describe('the latest price', () => {
  const PRICE = '{ instrument(symbol: "LIVE-USD") { ticker { lastPrice } } }';
  const INGEST = `mutation ($input: IngestPricesInput!) { ingestPrices(input: $input) { accepted errors { message } } }`;
  let last = 0;

  async function lastPrice(of: TestGraph): Promise<string> {
    const { data, errors } = await of.subgraph('market-data', PRICE, {});
    expect(errors).toBeUndefined();
    return data?.instrument.ticker?.lastPrice;
  }

  async function ingest(): Promise<void> {
    const price = { symbol: 'LIVE-USD', source: 'test', price: String(++last), timestamp: new Date().toISOString() };
    const { data } = await graph.subgraph('market-data', INGEST, {
      input: { prices: [{ ...price, sequence: String(last) }] },
    });
    expect(data?.ingestPrices).toEqual({ accepted: 1, errors: [] });
  }

  const statements = (of: TestGraph) => of.subgraphs.get('market-data')?.statements() ?? 0;

  it('costs no statement while prices come, where they are taken and elsewhere', async () => {
    await graph.run(`mutation { createInstrument(input: { symbol: "LIVE-USD" }) { errors { message } } }`);
    const costOfReads = async () => {
      const before = statements(graph) + statements(replica);
      for (let count = 0; count < 10; count++) {
        await ingest();
        expect(await lastPrice(graph)).toBe(String(last)); // at once where it was taken
        await lastPrice(replica);
      }
      return statements(graph) + statements(replica) - before - 10; // each price is a statement itself
    };
    await expect.poll(costOfReads, { timeout: 30_000 }).toBe(0);
    await expect.poll(() => lastPrice(replica), { timeout: 30_000 }).toBe(String(last));
  });

  it('is found in Redis again after Redis was emptied', async () => {
    await redis.command('FLUSHALL');
    expect(await lastPrice(graph)).toBe(String(last));
    await ingest();
    const costOfOther = async () => {
      replica.subgraphs.get('market-data')?.cache.forgetHere();
      const before = statements(replica);
      expect(Number(await lastPrice(replica))).toBeGreaterThanOrEqual(last - 1);
      return statements(replica) - before;
    };
    await expect.poll(costOfOther, { timeout: 30_000 }).toBe(0);
    expect(await lastPrice(replica)).toBe(String(last));
  });
});

describe('a query', () => {
  it('costs no statement once its rows and lists are known', async () => {
    const strategyId = await strategy(graph);
    const id = await order(graph, strategyId);
    await expect.poll(() => costOf(graph, ORDER, { id })).toBe(0);
    await expect.poll(() => costOf(graph, ORDERS, { id: strategyId })).toBe(0);
  });

  it('costs none where another process has read it', async () => {
    const strategyId = await strategy(graph);
    const id = await order(graph, strategyId);
    await expect.poll(() => costOf(graph, ORDER, { id })).toBe(0);
    await expect
      .poll(async () => {
        await replica.subgraphs.get('trading')?.cache.forgetHere();
        const before = replica.subgraphs.get('trading')?.statements() ?? 0;
        await ask(replica, ORDER, { id });
        return (replica.subgraphs.get('trading')?.statements() ?? 0) - before;
      })
      .toBe(0);
  });

  it('reads PostgreSQL when it asks for that', async () => {
    const id = await order(graph, await strategy(graph));
    await expect.poll(() => costOf(graph, ORDER, { id })).toBe(0);
    await expect.poll(() => costOf(graph, ORDER, { id }, { 'cache-control': 'no-cache' })).toBe(2);
  });

  it('shows at once what a command of this process has done', async () => {
    const strategyId = await strategy(graph);
    for (let count = 1; count <= 40; count++) {
      const { orderId: id } = (
        await done(
          graph,
          'placeOrder',
          { strategyId, symbol: 'BTC-USD', side: 'BUY', type: 'MARKET', quantity: '1', execution: 'MANUAL' },
          'order { orderId }',
        )
      ).order;
      expect((await ask(graph, ORDER, { id })).tradingOrder.status).toBe('PENDING');
      expect((await ask(graph, ORDERS, { id: strategyId })).strategy.orders.totalCount).toBe(count);
      await done(graph, 'submitOrder', { orderId: id, venue: 'okx' });
      expect((await ask(graph, ORDER, { id })).tradingOrder.status).toBe('SUBMITTED');
    }
  });

  it('shows what a token names, wherever the command was carried out', async () => {
    const strategyId = await strategy(graph);
    for (let count = 1; count <= 40; count++) {
      const input = { strategyId, symbol: 'BTC-USD', side: 'BUY', type: 'MARKET', quantity: '1', execution: 'MANUAL' };
      const { readToken } = await done(graph, 'placeOrder', input, 'readToken');
      const headers = { 'x-read-after': `market-data.1, ${readToken}` };
      const { strategy: found } = await ask(replica, ORDERS, { id: strategyId }, headers);
      expect(found.orders.totalCount).toBe(count);
    }
  });

  it('costs statements only until the feed has brought what its token names', async () => {
    const id = await order(graph, await strategy(graph));
    await expect.poll(() => costOf(graph, ORDER, { id })).toBe(0);
    const [{ past, future }] = await graph.sql(
      'trading',
      `select pg_snapshot_xmin(pg_current_snapshot())::text::bigint - 1 as past,
              pg_snapshot_xmax(pg_current_snapshot())::text::bigint + 1000000 as future`,
    );
    await expect.poll(() => costOf(graph, ORDER, { id }, { 'x-read-after': `trading.${past}` })).toBe(0);
    await expect.poll(() => costOf(graph, ORDER, { id }, { 'x-read-after': `trading.${future}` })).toBe(2);
    await expect.poll(() => costOf(graph, ORDER, { id }, { 'x-read-after': `exchange.${future}` })).toBe(0);
  });

  it.each(['x', 'trading', 'trading.x', 'trading.1;exchange.2', 'Trading.1', 'trading.-1'])(
    'says what a token is when it is given "%s"',
    async (token) => {
      const { errors } = await graph.run('{ strategy(id: "x") { name } }', {}, { 'x-read-after': token });
      expect(errors?.[0]?.message).toContain('x-read-after takes the readToken of commands');
      expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
    },
  );

  it('is told nothing of a refused command', async () => {
    const { data } = await graph.run(
      'mutation { submitOrder(input: { orderId: "none" }) { readToken errors { code } } }',
    );
    expect(data.submitOrder).toEqual({ readToken: null, errors: [{ code: 'NOT_FOUND' }] });
  });

  it('is given the token of the first answer when a command is repeated', async () => {
    const strategyId = await strategy(graph);
    const input = {
      strategyId,
      symbol: 'BTC-USD',
      side: 'BUY',
      type: 'MARKET',
      quantity: '1',
      execution: 'MANUAL',
      idempotencyKey: 'again',
    };
    const first = await done(graph, 'placeOrder', input, 'readToken');
    expect(await done(graph, 'placeOrder', input, 'readToken')).toEqual(first);
  });
});

describe('the cache of a domain', () => {
  const statistics = async () => {
    const { cacheStats } = await ask(
      graph,
      '{ cacheStats(domain: "trading") { domain processHits misses bypasses entries foundStale } }',
    );
    expect(cacheStats).toHaveLength(1);
    return cacheStats[0];
  };

  it('says how it has done', async () => {
    const id = await order(graph, await strategy(graph));
    const before = Number((await statistics()).processHits);
    await expect.poll(() => costOf(graph, ORDER, { id })).toBe(0);
    // How a domain does is looked into once a second.
    await expect.poll(async () => Number((await statistics()).processHits)).toBeGreaterThan(before);
    expect(await statistics()).toMatchObject({ domain: 'trading', foundStale: '0' });
  });

  it('forgets what it is told to, and reads it again', async () => {
    const id = await order(graph, await strategy(graph));
    const forget = (pattern: string) =>
      ask(
        graph,
        'mutation ($p: String) { invalidateTradingCache(input: { pattern: $p }) { count errors { message } } }',
        {
          p: pattern,
        },
      );
    await expect.poll(() => costOf(graph, ORDER, { id })).toBe(0);
    expect((await forget(`entity:TradingOrder:${id}`)).invalidateTradingCache).toEqual({ count: 1, errors: [] });
    expect((await forget('entity:*')).invalidateTradingCache.count).toBeGreaterThan(0);
    expect((await forget('entity:*')).invalidateTradingCache.count).toBe(0);
    expect((await ask(graph, ORDER, { id })).tradingOrder.status).toBe('SUBMITTED');
    await expect.poll(() => costOf(graph, ORDER, { id })).toBe(0);
  });

  it('is forgotten by the other processes too', async () => {
    const id = await order(graph, await strategy(graph));
    const there = () => replica.subgraphs.get('trading')?.cache.forgetHere(`entity:TradingOrder:${id}`);
    await vi.waitFor(async () => {
      await ask(replica, ORDER, { id });
      expect(there()).toBe(1);
    });
    await ask(replica, ORDER, { id });
    await ask(graph, 'mutation { invalidateTradingCache(input: {}) { errors { message } } }');
    await vi.waitFor(() => expect(replica.subgraphs.get('trading')?.cache.status().entries).toBe(0));
  });
});

describe('what is declared to be cached', () => {
  it.each(DOMAINS)('is captured in %s, so that the feed tells what becomes of it', async (domain) => {
    const captured = new Map<string, string[]>();
    for (const row of await graph.sql(domain, 'select relation, key, routes from captured_tables')) {
      captured.set(row.relation, [row.key, ...row.routes]);
    }
    const declarations = await declarationsOf(domain);
    const followed = declarations.filter(({ table, column }) => captured.get(table)?.includes(column));
    expect(followed.length).toBeGreaterThan(0);
    const left = declarations
      .filter((each) => !followed.includes(each))
      .map(({ table, column }) => `${table}.${column}`);
    expect([...new Set(left)].sort()).toEqual(UNCACHED[domain] ?? []);
  });

  /** Read from PostgreSQL each time: tables that are written in bulk and read by the page, or that nobody reads twice. */
  const UNCACHED: Partial<Record<Domain, string[]>> = {
    'market-data': ['market_snapshots.snapshot_id', 'price_feeds.feed_id'],
  };
});

/** The entities, lists and totals that the domain's modules declare. */
async function declarationsOf(domain: Domain): Promise<{ table: string; column: string }[]> {
  const folder = new URL(`../../subgraphs/${domain}/`, import.meta.url);
  const found: { table: string; column: string }[] = [];
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  for (const name of files.filter((file) => file.endsWith('.ts') && !file.startsWith('generated'))) {
    const exported = (await import(new URL(name, folder).href)) as Record<string, unknown>;
    for (const value of Object.values(exported)) {
      const { table, key, parent, column, keyType } = Object(value) as Record<string, string>;
      const by = key ?? parent ?? column;
      if (table && by && keyType) found.push({ table, column: by });
    }
  }
  return found;
}
