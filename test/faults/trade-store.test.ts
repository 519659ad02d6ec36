/** The copies of managed trades while Redis and PostgreSQL fail, and a process of trading that is killed again and again. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { Subgraph } from '../../platform/subgraph.ts';
import { domainUrl } from '../../prisma/roles.ts';
import type { TradingService } from '../../subgraphs/trading/service.ts';
import { ask, strategy, trade } from '../graph/trading/desk.ts';
import { copyTemplate } from '../support/databases.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';
import { startGraph, type TestGraph } from '../support/graph.ts';
import { freePort, type RunningProcess, startProcess, untilReady } from '../support/processes.ts';
import { type RedisServer, startRedis } from '../support/redis.ts';

const PATIENCE = { timeout: 45_000, interval: 50 };
const COMPARISON = `{ managedTradeComparison { backend isActive journalCount copyCount differenceCount error
  differences { tradeId kind fields journalVersion copyVersion } } }`;

describe('the copies of managed trades', () => {
  let redis: RedisServer;
  let proxy: FaultProxy;
  let graph: TestGraph;
  let databaseUrl: string;
  let drop: () => Promise<void>;
  beforeAll(async () => {
    redis = await startRedis();
    const copy = await copyTemplate(inject('adminUrl'));
    drop = copy.drop;
    proxy = await startFaultProxy({ target: () => Number(new URL(copy.url).port) });
    const proxied = new URL(copy.url);
    proxied.port = String(proxy.port);
    databaseUrl = proxied.href;
    graph = await startGraph({ databaseUrl, redisUrl: redis.url });
    await strategy(graph, { strategyId: 'desk' });
    await untilBackend('REDIS');
  });
  afterAll(async () => {
    await graph.close();
    await proxy.close();
    await redis.stop();
    await drop();
  });

  const state = async () =>
    (await ask(graph, '{ managedTradeStats { total open backend isInitialized error } }')).managedTradeStats;
  const untilBackend = (backend: string) =>
    vi.waitFor(async () => expect(await state()).toMatchObject({ backend, isInitialized: true }), PATIENCE);
  const compared = async () => (await ask(graph, COMPARISON)).managedTradeComparison;
  const untilEqual = () =>
    vi.waitFor(async () => {
      const [inRedis, inSqlite] = await compared();
      expect(inRedis).toMatchObject({ backend: 'REDIS', differenceCount: 0, error: null });
      expect(inSqlite).toMatchObject({ backend: 'SQLITE', differenceCount: 0, error: null });
      expect(inRedis.copyCount).toBe(inRedis.journalCount);
    }, PATIENCE);
  const statusIn = (tradeId: string) => redis.command('HGET', `trading:trade-store:${tradeId}`, 'status');

  async function bought(): Promise<string> {
    const { order: filled } = await trade(graph, 'desk', '1', '100', {}, 'order { orderId }');
    return filled.orderId;
  }

  it('are written to Redis and to SQLite', async () => {
    const tradeId = await bought();
    await untilEqual();
    expect(await statusIn(tradeId)).toBe('$4\r\nopen');
    expect(await redis.command('ZCARD', 'trading:trade-store:open:BTC-USD')).toBe(':1');
  });

  it('are served by SQLite while Redis is killed, and by Redis once it is back, empty, and has everything', async () => {
    await redis.kill();
    const [first] = await Promise.all([bought(), bought(), bought()]);
    await untilBackend('SQLITE');
    expect(await state()).toMatchObject({ open: 4, error: 'Redis does not answer.' });
    const { tradingHealth } = await ask(graph, '{ tradingHealth { status reasons } }');
    expect(tradingHealth.status).toBe('DEGRADED');
    expect(tradingHealth.reasons.join()).toContain('Managed trades are served from SQLite since');
    const [inRedis, inSqlite] = await compared();
    expect(inRedis).toMatchObject({ backend: 'REDIS', isActive: false, error: 'REDIS could not be read.' });
    expect(inSqlite).toMatchObject({ backend: 'SQLITE', isActive: true, copyCount: 4, differenceCount: 0 });

    await redis.start();
    await untilBackend('REDIS');
    await untilEqual();
    expect(await statusIn(first as string)).toBe('$4\r\nopen');
  });

  it('are made anew when Redis is emptied under its readers', async () => {
    await redis.command('FLUSHALL');
    await vi.waitFor(async () => expect(await redis.command('ZCARD', 'trading:trade-store:open')).toBe(':4'), PATIENCE);
    await untilEqual();
  });

  it('are compared, and mended by what the journal says', async () => {
    const [older, newer, other, missing] = [await bought(), await bought(), await bought(), await bought()];
    await untilEqual();
    const hash = (tradeId: string) => `trading:trade-store:${tradeId}`;
    await redis.command('HSET', hash(older as string), 'version', '0', 'model', 'x');
    await redis.command('HSET', hash(newer as string), 'version', '9', 'quantity', '7');
    await redis.command('HSET', hash(other as string), 'sl_price', '95');
    await redis.command('DEL', hash(missing as string));
    await redis.command('COPY', hash(other as string), hash('unknown'));
    await redis.command('HSET', hash('unknown'), 'trade_id', 'unknown');
    await redis.command('ZADD', 'trading:trade-store-index', '1', 'unknown');
    const [inRedis, inSqlite] = await compared();
    expect(inSqlite.differenceCount).toBe(0);
    const kinds = Object.fromEntries(
      inRedis.differences.map((difference: Record<string, unknown>) => [difference.tradeId, difference]),
    );
    expect(kinds).toMatchObject({
      [older as string]: { kind: 'OLDER', fields: ['model', 'version'], journalVersion: 1, copyVersion: 0 },
      [newer as string]: { kind: 'NEWER', fields: ['quantity', 'version'], journalVersion: 1, copyVersion: 9 },
      [other as string]: { kind: 'OTHER_CONTENT', fields: ['slPrice'] },
      [missing as string]: { kind: 'MISSING', copyVersion: null },
      unknown: { kind: 'UNKNOWN', journalVersion: null },
    });
    await redis.command('DEL', 'trading:trade-store-whole');
    await untilEqual();
  });

  it('answer for the open set while PostgreSQL does not, and say how old they are', async () => {
    await untilEqual();
    const open = `{ openManagedTrades(symbol: "BTCUSD", strategyId: "desk", first: 3) { totalCount nodes { tradeId quantity entryPrice } } }`;
    const before = (await ask(graph, open)).openManagedTrades;
    expect(before.nodes).toHaveLength(3);
    proxy.set({ kind: 'cut' });
    try {
      await vi.waitFor(async () => {
        const { data, errors, extensions } = await graph.run(open);
        expect(errors).toBeUndefined();
        expect(extensions?.degraded).toMatchObject([{ domain: 'trading', store: 'POSTGRESQL' }]);
        expect(data.openManagedTrades).toEqual(before);
      }, PATIENCE);
      const { errors } = await graph.run(open, {}, { 'cache-control': 'no-cache' });
      expect(errors?.[0]?.extensions.code).toBe('DOMAIN_UNAVAILABLE');
    } finally {
      proxy.set({ kind: 'pass' });
    }
    await vi.waitFor(async () => expect(await compared()).toMatchObject([{ error: null }, { error: null }]), PATIENCE);
  });

  it('of five open trades are there after a restart as they were before', async () => {
    await strategy(graph, { strategyId: 'restart' });
    for (const price of ['100', '101', '102', '103', '104']) await trade(graph, 'restart', '1', price);
    await untilEqual();
    const known = async () => {
      const { trades } = (graph.subgraphs.get('trading') as Subgraph).createContext({}).service as TradingService;
      const found = (await trades.openTrades())?.trades ?? [];
      return found.filter(({ strategyId }) => strategyId === 'restart');
    };
    const before = await known();
    expect(before.map(({ entryPrice }) => entryPrice)).toEqual(['104', '103', '102', '101', '100']);
    await graph.close();
    graph = await startGraph({ databaseUrl, redisUrl: redis.url });
    await vi.waitFor(async () => expect(await known()).toEqual(before), PATIENCE);
  });
});

describe('a process of trading that is killed', () => {
  let redis: RedisServer;
  let folder: string;
  let url: string;
  let drop: () => Promise<void>;
  let running: RunningProcess;
  let database: pg.Client;
  let settings: Record<string, string>;

  beforeAll(async () => {
    redis = await startRedis();
    folder = await mkdtemp(join(tmpdir(), 'trading-data-graph-killed-'));
    const copy = await copyTemplate(inject('adminUrl'));
    drop = copy.drop;
    const connectionString = domainUrl(copy.url, 'trading', {});
    database = new pg.Client({ connectionString, options: '-c search_path=trading' });
    await database.connect();
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    settings = {
      PORT: String(port),
      TRADING_DATABASE_URL: connectionString,
      TRADING_REDIS_URL: redis.urlOf('trading'),
      TRADE_STORE_PATH: join(folder, 'trades.sqlite'),
    };
    await start();
  });
  afterAll(async () => {
    await running.stop('SIGKILL');
    await database.end();
    await redis.stop();
    await rm(folder, { recursive: true, force: true });
    await drop();
  });

  async function start(): Promise<void> {
    running = startProcess(['subgraphs/main.ts', 'trading'], settings);
    await untilReady(`${url}/ready`, running);
  }

  /** The data of an operation; null when the process is gone before it answers. */
  async function run(query: string, variables: object = {}) {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query, variables }),
    }).catch(() => null);
    // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its query asked for
    const answer = (await response?.json().catch(() => null)) as { data?: any } | null;
    return answer?.data ?? null;
  }

  const PLACE = `mutation ($input: PlaceOrderInput!) { placeOrder(input: $input) { errors { code } } }`;
  const SUBMIT = `mutation ($input: SubmitOrderInput!) { submitOrder(input: $input) { errors { code } } }`;
  const FILL = `mutation ($input: RecordFillInput!) { recordFill(input: $input) { errors { code } } }`;

  /** Sends a command until it is answered; a repeat of one that was carried out must do nothing. */
  async function until(mutation: string, field: string, input: object): Promise<void> {
    for (;;) {
      const payload = (await run(mutation, { input }))?.[field];
      if (payload && payload.errors[0]?.code !== 'DOMAIN_UNAVAILABLE') {
        expect(payload.errors).toEqual([]);
        return;
      }
      await sleep(50);
    }
  }

  it('has lost and doubled nothing: managed trades equal the fills, and the copies the journal', async () => {
    await database.query(
      `insert into strategies (strategy_id, name, strategy_type, status, account_id, instruments, started_at)
       select 's' || n, 's', 'custom', 'active', gen_random_uuid(), '{BTC-USD}', now() from generate_series(1, 3) as n`,
    );
    let isTrading = true;
    let done = 0;
    const client = async (strategyId: string) => {
      for (let n = 0; isTrading; n++) {
        const orderId = `${strategyId}-${n}`;
        const side = n % 3 === 2 ? 'SELL' : 'BUY';
        const terms = {
          strategyId,
          symbol: 'BTC-USD',
          side,
          type: 'MARKET',
          execution: 'MANUAL',
          quantity: n % 3 === 2 ? '1.5' : '1',
        };
        await until(PLACE, 'placeOrder', { ...terms, orderId, idempotencyKey: `place-${orderId}` });
        const executedAt = new Date(Date.now() + 1).toISOString(); // after the order was placed, to the microsecond
        await until(SUBMIT, 'submitOrder', { orderId, venue: 'okx', idempotencyKey: `submit-${orderId}` });
        for (const part of ['a', 'b']) {
          const input = {
            orderId,
            venue: 'okx',
            exchangeTradeId: `${orderId}-${part}`,
            price: '100',
            commission: '0.1',
          };
          await until(FILL, 'recordFill', { ...input, quantity: '0.5', executedAt });
        }
        done++;
      }
    };
    const clients = ['s1', 's2', 's3'].map(client);
    for (let kill = 0; kill < 2; kill++) {
      const before = done;
      await vi.waitFor(() => expect(done).toBeGreaterThan(before), { timeout: 45_000, interval: 5 });
      await running.stop('SIGKILL');
      if (kill === 1) {
        await redis.kill(); // and comes back empty
        await redis.start();
      }
      await start();
    }
    isTrading = false;
    await Promise.all(clients);

    const { rows } = await database.query(
      `select strategy_id,
              (select sum(case side when 'buy' then quantity else -quantity end) from trades as own
                where own.strategy_id = strategies.strategy_id) as filled,
              (select coalesce(sum(case side when 'long' then quantity else -quantity end), 0) from managed_trades as own
                where own.strategy_id = strategies.strategy_id and archived_at is null) as managed,
              (select sum(commission) from trades as own where own.strategy_id = strategies.strategy_id) as paid,
              (select sum(entry_fee_usd + exit_fee_usd) from managed_trades as own
                where own.strategy_id = strategies.strategy_id) as fees
         from strategies`,
    );
    for (const { filled, managed, paid, fees } of rows) expect([managed, fees]).toEqual([filled, paid]);
    await vi.waitFor(async () => {
      const { managedTradeComparison } = await run(COMPARISON);
      expect(managedTradeComparison).toMatchObject([
        { backend: 'REDIS', isActive: true, differenceCount: 0, error: null },
        { backend: 'SQLITE', differenceCount: 0, error: null },
      ]);
      expect(managedTradeComparison[0].copyCount).toBe(managedTradeComparison[0].journalCount);
    }, PATIENCE);
  });

  it('is served by SQLite alone where it is told to, though Redis answers', async () => {
    await running.stop('SIGTERM');
    await redis.command('FLUSHALL');
    settings = { ...settings, TRADE_STORE_BACKEND: 'sqlite' };
    await start();
    await vi.waitFor(async () => {
      const { managedTradeStats, managedTradeComparison } = await run(
        `{ managedTradeStats { backend isInitialized error } ${COMPARISON.slice(1)}`,
      );
      expect(managedTradeStats).toEqual({ backend: 'SQLITE', isInitialized: true, error: null });
      expect(managedTradeComparison).toMatchObject([{ backend: 'SQLITE', isActive: true, differenceCount: 0 }]);
    }, PATIENCE);
    expect(await redis.command('KEYS', 'trading:trade-store*')).toBe('*0'); // no key
  });
});
