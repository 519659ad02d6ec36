/** The port of managed trades: the same answers from every backend (domain.md §9.2, §9.5 and §15). */
import { once } from 'node:events';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectRedis } from '../../platform/redis.ts';
import { redisTrades } from '../../subgraphs/trading/trade-store/backends/redis.ts';
import { sqliteTrades } from '../../subgraphs/trading/trade-store/backends/sqlite.ts';
import type { ManagedTrade } from '../../subgraphs/trading/trade-store/rules/managed-trade.ts';
import type { Adjustments } from '../../subgraphs/trading/trade-store/rules/steps.ts';
import { oneSelection, selectBackend } from '../../subgraphs/trading/trade-store/selection.ts';
import {
  NotInitialised,
  type TradeReplica,
  type TradeStore,
  tradeStore,
} from '../../subgraphs/trading/trade-store/trade-store.ts';
import { freePort } from '../support/processes.ts';
import { STAGES, type Stage, silent } from './backends.ts';

const START = '2026-01-01T00:00:00.25Z';
const END = '2026-01-02T00:00:00.000001Z';
const ACCOUNT = '00000000-0000-4000-8000-000000000001';

const terms = (tradeId: string, more: Partial<ManagedTrade> = {}) => ({
  tradeId,
  symbol: 'BTC-USD',
  side: 'long' as const,
  quantity: '1',
  entryPrice: '50000',
  entryTime: START,
  leverage: '10',
  slPrice: '48000',
  entryFeeUsd: '25',
  ...more,
});
const closing = { exitPrice: '52000', exitTime: END, reason: 'tp' as const, exitFee: '26' };
const ids = (trades: ManagedTrade[]) => trades.map(({ tradeId }) => tradeId);

describe.each(STAGES)('the trade store over %s', (name, start) => {
  let stage: Stage;
  let store: TradeStore;
  beforeAll(async () => {
    stage = await start();
    store = await opened();
  });
  afterAll(() => stage.close());
  beforeEach(() => stage.clear());

  /** The store as another process, or this one after a restart, has it. */
  async function opened(): Promise<TradeStore> {
    const other = tradeStore(await stage.open());
    await other.initialize();
    return other;
  }

  describe('backend', () => {
    it('save and read managed trade', async () => {
      const whole = terms('t', {
        tpPrice: '56000',
        trailPercent: '0.025',
        model: 'ppo-7',
        confidence: '0.8125',
        metaStrategyId: 'meta',
        regime: 'trend',
        rlStateKey: 'state',
        rlActionKey: 'action',
        rlLeverageOriginal: '12.5',
        exchangeOrderId: 'order',
        slOrderId: 'stop',
        tpOrderId: 'target',
        metadata: { desk: 'a', nested: { empty: '', list: [1, null, 'ü'] } },
        accountId: ACCOUNT,
        strategyId: 'strategy',
        venueId: 'exchange-okx',
      });
      const saved = await store.saveNewTrade(whole);
      expect(saved).toMatchObject({ ...whole, version: 1, marginUsd: '5000', liquidationPrice: '45250' });
      expect(Object.keys(saved)).toHaveLength(46);
      expect(await store.getTradeById('t')).toEqual(saved);
      expect(await (await opened()).getTradeById('t')).toEqual(saved);
    });

    it('move stop', async () => {
      const saved = await store.saveNewTrade(terms('t', { metadata: { kept: true } }));
      expect(await store.updateTrade('t', { slPrice: '50000' })).toBe(true);
      const moved = (await store.getTradeById('t')) as ManagedTrade;
      expect(moved).toMatchObject({ slPrice: '50000', initialSlPrice: '48000', status: 'breakeven', version: 2 });
      expect(moved).toMatchObject({ metadata: { kept: true }, side: 'long', createdAt: saved.createdAt });
      await expect(store.updateTrade('t', { slPrice: '49000' })).rejects.toThrow('may only be raised');
    });

    it('two open of mixed', async () => {
      for (const tradeId of ['a', 'b', 'c', 'd']) await store.saveNewTrade(terms(tradeId));
      await store.saveNewTrade(terms('planned', { entryPrice: null, entryFeeUsd: '0' }));
      await store.markTradeClosed('a', closing);
      await store.updateTrade('b', { status: 'failed' });
      await store.updateTrade('d', { status: 'trailing', trailPercent: '0.01' });
      expect(ids(await store.getOpenTrades())).toEqual(['d', 'c']);
    });

    it('close with P&L', async () => {
      await store.saveNewTrade(terms('t'));
      expect(await store.markTradeClosed('t', closing)).toBe(true);
      expect(await store.getTradeById('t')).toMatchObject({
        status: 'closed',
        exitPrice: '52000',
        exitTime: END,
        closeReason: 'tp',
        pnlUsd: '1949',
        pnlPct: '38.98',
        rMultiple: '1',
        exitFeeUsd: '26',
      });
      await expect(store.markTradeClosed('t', closing)).rejects.toThrow('CLOSED, which is final');
      expect(await store.getOpenTrades()).toEqual([]);
    });

    it('statistics 5 total = 3 open + 2 closed', async () => {
      for (const tradeId of ['a', 'b', 'c', 'd', 'e']) await store.saveNewTrade(terms(tradeId));
      await store.markTradeClosed('a', closing);
      await store.markTradeClosed('e', { ...closing, exitPrice: '49999.99999999' });
      expect(await store.getStats()).toEqual({
        total: 5,
        open: 3,
        closed: 2,
        totalPnlUsd: '1897.99999999',
        backend: name.toUpperCase(),
        isInitialized: true,
        error: null,
      });
    });
  });

  describe('lifecycle', () => {
    it('full lifecycle', async () => {
      await store.saveNewTrade(terms('t', { tpPrice: '60000' }));
      await store.updateTrade('t', { slPrice: '50000' });
      await store.updateTrade('t', { status: 'partial_tp' });
      await store.updateTrade('t', { status: 'trailing', trailPercent: '0.02' });
      await store.updateTrade('t', { fundingFeesUsd: '-3.5' });
      expect(ids(await store.getOpenTrades('BTC-USD'))).toEqual(['t']);
      expect(await store.getOpenTrades('ETH-USD')).toEqual([]);
      await store.markTradeClosed('t', { ...closing, reason: 'trailing' });
      const closed = await store.getTradeById('t');
      expect(closed).toMatchObject({ status: 'closed', pnlUsd: '1952.5', version: 6, closeReason: 'trailing' });
      expect(ids(await store.listAllTrades())).toEqual(['t']);
    });

    it('recover five open trades after restart', async () => {
      const statuses = ['open', 'partial_tp', 'breakeven', 'trailing', 'open'] as const;
      for (const [index, status] of statuses.entries()) {
        await store.saveNewTrade(terms(`t${index}`, { entryTime: `2026-01-01T00:00:0${index}Z` }));
        if (status !== 'open') await store.updateTrade(`t${index}`, { status });
      }
      const before = await store.getOpenTrades();
      expect(ids(before)).toEqual(['t4', 't3', 't2', 't1', 't0']);
      expect(await (await opened()).getOpenTrades()).toEqual(before);
    });
  });

  describe('edge', () => {
    it('unknown id on get', async () => {
      expect(await store.getTradeById('nobody')).toBeNull();
    });

    it('unknown id on update', async () => {
      expect(await store.updateTrade('nobody', { slPrice: '1' })).toBe(false);
      expect(await store.getTradeById('nobody')).toBeNull();
    });

    it('unknown id on close', async () => {
      expect(await store.markTradeClosed('nobody', closing)).toBe(false);
      expect(await store.getStats()).toMatchObject({ total: 0 });
    });

    it('empty metadata', async () => {
      await store.saveNewTrade(terms('t', { metadata: {} }));
      await store.updateTrade('t', { tpPrice: '70000' });
      expect((await store.getTradeById('t'))?.metadata).toEqual({});
    });
  });

  describe('whoever calls', () => {
    it('saves the same content once, and is told of other content', async () => {
      const saved = await store.saveNewTrade(terms('t'));
      expect(await store.saveNewTrade(terms('t'))).toEqual(saved);
      await expect(store.saveNewTrade(terms('t', { quantity: '2' }))).rejects.toMatchObject({
        userError: { code: 'CONFLICT', currentVersion: 1 },
      });
    });

    it('changes nothing with no fields, and no field that is not adjustable', async () => {
      const saved = await store.saveNewTrade(terms('t'));
      expect(await store.updateTrade('t', {})).toBe(false);
      const forged = { 'sl_price = 1; drop table managed_trades --': '1' } as Adjustments;
      await expect(store.updateTrade('t', forged)).rejects.toThrow('cannot be changed');
      expect(await store.getTradeById('t')).toEqual(saved);
    });

    it('meets others: of twenty at once every change is kept, and one closes', async () => {
      await store.saveNewTrade(terms('t', { slPrice: null }));
      const others = await Promise.all([opened(), opened()]);
      const stops = Array.from({ length: 20 }, (_, index) => String(40_000 + index));
      await Promise.all(
        stops.map((_, index) =>
          others[index % 2]?.change('t', (trade) => ({
            ...trade,
            fundingFeesUsd: String(Number(trade.fundingFeesUsd) + 1),
          })),
        ),
      );
      expect(await store.getTradeById('t')).toMatchObject({ fundingFeesUsd: '20', version: 21 });
      const closes = await Promise.allSettled(others.map((other) => other.markTradeClosed('t', closing)));
      expect(closes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    });

    it('gets the newest entry first, to the microsecond, whatever was saved first', async () => {
      const times = ['00:00:00.000001Z', '00:00:00Z', '00:00:00.1Z', '00:00:00.000002Z'];
      for (const [index, time] of times.entries())
        await store.saveNewTrade(terms(`t${index}`, { entryTime: `2026-01-01T${time}` }));
      expect(ids(await store.getOpenTrades())).toEqual(['t2', 't3', 't0', 't1']);
      expect(ids(await store.listAllTrades(2, 1))).toEqual(['t3', 't0']);
    });

    it('may name a trade as it likes', async () => {
      for (const tradeId of ['open', 'open:BTC-USD', '=open', '*', 'ключ "1"']) {
        await store.saveNewTrade(terms(tradeId));
        expect((await store.getTradeById(tradeId))?.tradeId).toBe(tradeId);
      }
      expect(await store.getOpenTrades('BTC-USD')).toHaveLength(5);
    });

    it('must initialise it first, as often as it likes', async () => {
      const fresh = tradeStore(await stage.open());
      for (const call of [
        () => fresh.getTradeById('t'),
        () => fresh.getOpenTrades(),
        () => fresh.saveNewTrade(terms('t')),
        () => fresh.updateTrade('t', { slPrice: '1' }),
        () => fresh.markTradeClosed('t', closing),
        () => fresh.listAllTrades(),
      ]) {
        await expect(call()).rejects.toThrow(NotInitialised);
      }
      expect(await fresh.getStats()).toMatchObject({
        isInitialized: false,
        error: 'The trade store was not initialised.',
      });
      await Promise.all([fresh.initialize(), fresh.initialize()]);
      await store.saveNewTrade(terms('t'));
      await fresh.initialize();
      expect(ids(await fresh.getOpenTrades())).toEqual(['t']);
    });
  });
});

describe('factory', () => {
  const away = async () => {
    const redis = connectRedis({ url: `redis://127.0.0.1:${await freePort()}`, log: silent });
    await once(redis, 'error');
    return redisTrades({ redis, prefix: 'trading:' });
  };

  it('force SQLite', async () => {
    const redis = await away();
    const selection = await selectBackend({ redis, sqlite: sqliteTrades(':memory:'), forceSqlite: true, log: silent });
    expect(selection).toMatchObject({ active: { name: 'SQLITE' }, trouble: null });
    await redis.close();
  });

  it('Redis refused → SQLite', async () => {
    const redis = await away();
    const selection = await selectBackend({ redis, sqlite: sqliteTrades(':memory:'), log: silent });
    expect(selection).toMatchObject({ active: { name: 'SQLITE' }, trouble: { reason: 'Redis does not answer.' } });
    const store = tradeStore(selection.active);
    await store.initialize();
    await store.saveNewTrade(terms('t'));
    expect(ids(await store.getOpenTrades())).toEqual(['t']);
    await redis.close();
  });

  it('singleton', async () => {
    const select = oneSelection(silent);
    const first = await select({ sqlite: sqliteTrades(':memory:'), log: silent });
    expect(await select({ sqlite: sqliteTrades(':memory:'), forceSqlite: true, log: silent })).toBe(first);
  });
});

it('Redis is left after three failures in a row, and served from again once it holds everything', async () => {
  const redis = { ...sqliteTrades(':memory:'), name: 'REDIS' as const };
  const selection = await selectBackend({ redis, sqlite: sqliteTrades(':memory:'), log: silent });
  const failure = new Error('refused');
  for (const step of ['fail', 'fail', 'succeed', 'fail', 'fail'] as const) {
    selection[step](failure);
    expect(selection.active.name).toBe('REDIS');
  }
  selection.fail(failure);
  expect(selection).toMatchObject({ active: { name: 'SQLITE' }, trouble: { reason: 'Redis does not answer.' } });
  selection.succeed();
  expect(selection.active.name).toBe('SQLITE'); // it answers; whether it holds everything is not known yet
  selection.resume();
  expect(selection).toMatchObject({ active: { name: 'REDIS' }, trouble: null });
});

describe('Redis', () => {
  let stage: Stage;
  beforeAll(async () => {
    stage = await (STAGES[0] as (typeof STAGES)[number])[1]();
  });
  afterAll(() => stage.close());

  it('forgets a trade thirty days after it has ended, and none that has not', async () => {
    const backend = await stage.open();
    const now = Date.now();
    const closedAt = (ms: number) => tradeStore(backend, () => ms);
    for (const tradeId of ['open', 'old', 'new']) {
      const store = closedAt(now);
      await store.initialize();
      await store.saveNewTrade(terms(tradeId));
    }
    const month = 2_592_000_000;
    for (const [tradeId, at] of [
      ['old', now - month - 1],
      ['new', now],
    ] as const) {
      const store = closedAt(at);
      await store.initialize();
      await store.markTradeClosed(tradeId, closing);
    }
    expect(await backend.read('old')).toBeNull();
    expect(ids(await backend.list(10, 0)).sort()).toEqual(['new', 'open']);
    expect(await backend.totals()).toMatchObject({ total: 2, open: 1, closed: 1, totalPnlUsd: '1949' });
  });

  it('says so when it has lost an open trade, or cannot read one', async () => {
    await stage.clear();
    const backend = await stage.open();
    const { command } = stage as Required<Stage>;
    const store = tradeStore(backend);
    await store.initialize();
    await store.saveNewTrade(terms('lost'));
    await store.saveNewTrade(terms('broken'));
    await command('HSET', 'trading:trade-store:broken', 'metadata', '{');
    await expect(store.getTradeById('broken')).rejects.toThrow('cannot be read');
    await command('HDEL', 'trading:trade-store:broken', 'metadata', 'symbol');
    await expect(store.getTradeById('broken')).rejects.toThrow('cannot be read');
    await command('DEL', 'trading:trade-store:lost');
    expect(await (backend as TradeReplica).readMany(['lost', 'broken'])).toEqual([null, null]);
    await command('DEL', 'trading:trade-store:broken');
    await expect(store.getOpenTrades()).rejects.toThrow('Redis has lost 2 open managed trades');
  });
});
