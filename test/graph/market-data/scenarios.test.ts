/** Scenarios bend what is published, for a time, and nobody who looks at prices can tell. */
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import { createAccess, signToken } from '../../../platform/access.ts';
import { copyTemplate } from '../../support/databases.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { watch } from '../../support/watch.ts';
import { ask, createInstruments, done, NOW, refused, tickerOf } from './market.ts';

let graph: TestGraph;
let nowMs = Date.parse(NOW);
const pass = (minutes: number) => {
  nowMs += minutes * 60_000;
};
const now = () => new Date(nowMs).toISOString();

beforeAll(async () => {
  graph = await startGraph({ now: () => new Date(nowMs) });
});
afterAll(() => graph.close());
beforeEach(() => pass(24 * 60));

let nth = 0;
const price = (symbol: string, value: string, rest: object = {}) => ingest(graph, symbol, value, rest);

async function ingest(on: TestGraph, symbol: string, value: string, rest: object = {}): Promise<void> {
  await done(on, 'ingestPrices', {
    prices: [{ symbol, source: 'test', price: value, timestamp: now(), sequence: String(nth++), ...rest }],
  });
}

/** An instrument of that symbol at 100. */
async function market(...symbols: string[]): Promise<void> {
  await createInstruments(graph, ...symbols);
  for (const symbol of symbols) await price(symbol, '100', { bid: '99', ask: '101' });
}

const SCENARIO = 'scenario { scenarioId state deviation progress reason endsAt }';
const plan = (symbol: string, rest: object = {}) => ({
  name: 'test',
  type: 'CRASH',
  symbols: [symbol],
  durationMinutes: 40,
  ...rest,
});
const create = async (input: object) => (await done(graph, 'createMarketScenario', input, SCENARIO)).scenario;

const start = (input: object) => startOn(graph, input);

async function startOn(on: TestGraph, input: object): Promise<string> {
  const { scenarioId } = (await done(on, 'createMarketScenario', input, SCENARIO)).scenario;
  await done(on, 'startMarketScenario', { scenarioId });
  return scenarioId;
}

const stateOf = async (scenarioId: string) =>
  (
    await ask(
      graph,
      'query S($scenarioId: ID!) { marketScenario(scenarioId: $scenarioId) { state reason progress } }',
      { scenarioId },
    )
  ).marketScenario;

/** Waits until the leader has written down what time has changed. */
async function until(scenarioId: string, state: string, on = graph): Promise<void> {
  const watcher = watch(
    on.client,
    'marketScenarioChanges',
    'subscription S($id: ID) { marketScenarioChanges(scenarioId: $id) { kind cursor scenario { state } } }',
    { id: scenarioId },
  );
  await watcher.until(({ scenario }) => scenario?.state === state);
  await watcher.leave();
}

const publishedOf = async (symbol: string, on = graph) => (await tickerOf(on, symbol)).lastPrice;

describe('a scenario that runs', () => {
  it('bends the price gradually, recovers, and leaves the true price behind', async () => {
    await market('RUN-USD');
    const scenarioId = await start(plan('RUN-USD', { deviation: '-0.2' }));
    expect(await publishedOf('RUN-USD')).toBe('100');
    pass(5); // half of the onset
    await price('RUN-USD', '100', { bid: '99', ask: '101' });
    expect(await tickerOf(graph, 'RUN-USD')).toMatchObject({ lastPrice: '90', bid: '89.1', ask: '90.9' });
    pass(5);
    await price('RUN-USD', '110');
    expect(await publishedOf('RUN-USD')).toBe('88');
    const { latestPrice } = await ask(graph, '{ latestPrice(symbol: "RUN-USD") { price } }');
    expect(latestPrice.price).toBe('88');

    pass(40); // half of the recovery
    await until(scenarioId, 'RECOVERING');
    expect(await publishedOf('RUN-USD')).toBe('99');
    pass(11);
    await until(scenarioId, 'COMPLETED');
    expect(await publishedOf('RUN-USD')).toBe('110');
    expect(await stateOf(scenarioId)).toEqual({ state: 'COMPLETED', reason: null, progress: '1' });
    const { priceManipulations } = await ask(
      graph,
      `query M($id: ID!) { priceManipulations(filter: { scenarioId: $id }) { nodes {
         isActive pattern deviation anchorPrice targetPrice originalPrice endedAt scenario { name } instrument { symbol }
       } } }`,
      { id: scenarioId },
    );
    expect(priceManipulations.nodes).toEqual([
      {
        isActive: false,
        pattern: 'SHIFT',
        deviation: '-0.2',
        anchorPrice: '100',
        targetPrice: '80',
        originalPrice: '110',
        endedAt: expect.any(String),
        scenario: { name: 'test' },
        instrument: { symbol: 'RUN-USD' },
      },
    ]);
  });

  it('moves prices though none comes, and its followers see what is true', async () => {
    await market('FOL-USD');
    const scenarioId = await start(plan('FOL-USD', { isGradual: false, deviation: '-0.1', type: 'PRICE_SHOCK' }));
    expect(await publishedOf('FOL-USD')).toBe('90');
    const prices = watch(
      graph.client,
      'priceChanges',
      'subscription { priceChanges(symbols: ["FOL-USD"]) { kind cursor ticker { lastPrice } } }',
    );
    const truth = watch(
      graph.client,
      'scenarioPrices',
      `subscription S($id: ID!) { scenarioPrices(scenarioId: $id) {
         kind cursor manipulation { originalPrice publishedPrice isActive }
       } }`,
      { id: scenarioId },
    );
    await Promise.all([prices.begun(), truth.begun()]);
    expect(truth.all[0]?.manipulation).toEqual({ originalPrice: '100', publishedPrice: '90', isActive: true });
    pass(50);
    await prices.until(({ ticker }) => ticker?.lastPrice === '95');
    await truth.until(({ manipulation }) => manipulation?.publishedPrice === '95');
    await Promise.all([prices.leave(), truth.leave()]);
  });

  it('is stopped at once, with the true price and quote', async () => {
    await market('STOP-USD');
    const scenarioId = await start(plan('STOP-USD', { isGradual: false }));
    expect(await tickerOf(graph, 'STOP-USD')).toMatchObject({ lastPrice: '90', bid: '89.1', ask: '90.9' });
    const stop = { scenarioId, reason: 'seen enough' };
    expect((await done(graph, 'stopMarketScenario', stop, SCENARIO)).scenario).toMatchObject({
      state: 'STOPPED',
      reason: 'seen enough',
    });
    expect(await tickerOf(graph, 'STOP-USD')).toMatchObject({ lastPrice: '100', bid: '99', ask: '101' });
    expect(await refused(graph, 'stopMarketScenario', stop)).toMatchObject({ code: 'INVALID_TRANSITION' });
  });

  it('fails when an instrument is closed, and the true price comes back', async () => {
    await market('OFF-USD');
    const scenarioId = await start(plan('OFF-USD', { isGradual: false }));
    await done(graph, 'setInstrumentActive', { symbol: 'OFF-USD', isActive: false });
    await until(scenarioId, 'FAILED');
    expect(await publishedOf('OFF-USD')).toBe('100');
  });

  it('bends the consensus and the 24-hour change too', async () => {
    await done(graph, 'registerDataSource', { name: 'test', kind: 'EXCHANGE', priority: 1 });
    await market('CON-USD');
    pass(24 * 60);
    await price('CON-USD', '200');
    pass(2); // so that the breaker has forgotten
    await price('CON-USD', '200');
    await start(plan('CON-USD', { isGradual: false }));
    const { consensusPrice } = await ask(graph, '{ consensusPrice(symbol: "CON-USD") { price } }');
    expect(consensusPrice.price).toBe('180');
    expect(await tickerOf(graph, 'CON-USD')).toMatchObject({ priceChange24h: '80', priceChangePercent24h: '80' });
    await done(graph, 'registerDataSource', { name: 'test', kind: 'EXCHANGE', priority: 1, isEnabled: false });
  });

  it('is not disturbed by an old price', async () => {
    await market('LATE-USD');
    const scenarioId = await start(plan('LATE-USD', { isGradual: false }));
    await price('LATE-USD', '7', { timestamp: '2025-01-01T00:00:00Z' });
    await done(graph, 'stopMarketScenario', { scenarioId });
    expect(await publishedOf('LATE-USD')).toBe('100');
  });

  it('goes the other way with every other instrument where a correlation breaks', async () => {
    await market('ONE-USD', 'TWO-USD');
    await start(plan('ONE-USD', { type: 'CORRELATION_BREAK', symbols: ['ONE-USD', 'two/usd'], isGradual: false }));
    expect([await publishedOf('ONE-USD'), await publishedOf('TWO-USD')]).toEqual(['105', '95']);
  });
});

describe('a schedule', () => {
  it('starts when its time has come', async () => {
    await market('PLAN-USD');
    const { scenarioId, state } = await create(plan('PLAN-USD'));
    expect(state).toBe('DRAFT');
    const startAt = new Date(nowMs + 600_000).toISOString();
    await done(graph, 'scheduleMarketScenario', { scenarioId, startAt });
    expect(await refused(graph, 'scheduleMarketScenario', { scenarioId, startAt })).toMatchObject({
      code: 'INVALID_TRANSITION',
    });
    pass(10);
    await until(scenarioId, 'RUNNING');
    const { activeMarketScenarios } = await ask(
      graph,
      '{ activeMarketScenarios { nodes { scenarioId instruments { symbol } } } }',
    );
    expect(activeMarketScenarios.nodes).toContainEqual({ scenarioId, instruments: [{ symbol: 'PLAN-USD' }] });
  });

  it('is cancelled by hand, or when the price is bent already', async () => {
    await market('BUSY-USD');
    const startAt = new Date(nowMs + 60_000).toISOString();
    const [first, second] = [await create(plan('BUSY-USD', { startAt })), await create(plan('BUSY-USD', { startAt }))];
    expect((await done(graph, 'stopMarketScenario', { scenarioId: first.scenarioId }, SCENARIO)).scenario.state).toBe(
      'CANCELLED',
    );
    await start(plan('BUSY-USD'));
    pass(1);
    await until(second.scenarioId, 'CANCELLED');
    expect((await stateOf(second.scenarioId)).reason).toContain('Another scenario bends the price of BUSY-USD');
  });

  it('lies ahead', async () => {
    await market('PAST-USD');
    const startAt = new Date(nowMs - 1_000).toISOString();
    expect(await refused(graph, 'createMarketScenario', plan('PAST-USD', { startAt }))).toMatchObject({
      path: ['input', 'startAt'],
    });
  });
});

describe('one scenario at a time', () => {
  it('bends a price, however many start at once', async () => {
    await market('RACE-USD');
    const drafts = await Promise.all([1, 2, 3, 4].map(() => create(plan('RACE-USD'))));
    const document =
      'mutation S($id: ID!) { startMarketScenario(input: { scenarioId: $id }) { errors { __typename } } }';
    const answers = await Promise.all(drafts.map(({ scenarioId }) => ask(graph, document, { id: scenarioId })));
    const errors = answers.map(({ startMarketScenario }) =>
      startMarketScenario.errors.map((error: { __typename: string }) => error.__typename),
    );
    expect(errors.toSorted((a, b) => a.length - b.length)).toEqual([[], ['Conflict'], ['Conflict'], ['Conflict']]);
    const rows = await graph.sql(
      'market-data',
      `select 1 from price_manipulations where symbol = 'RACE-USD' and state = 'ACTIVE'`,
    );
    expect(rows).toHaveLength(1);
    await expect(
      graph.sql(
        'market-data',
        `insert into price_manipulations (scenario_id, symbol, pattern, deviation, seed, anchor_price, target_price, original_price, published_price, started_at, full_at, recovers_at, ends_at)
         select scenario_id, symbol, pattern, deviation, seed, 1, 1, 1, 1, started_at, full_at, recovers_at, ends_at from price_manipulations where symbol = 'RACE-USD'`,
      ),
    ).rejects.toThrow('price_manipulations_one_active');
  });
});

describe('the limits', () => {
  beforeAll(() => createInstruments(graph, 'LIM-USD', 'LIMB-USD'));

  it.each([
    [{ type: 'PRICE_SHOCK', deviation: '0.26' }, 'deviation', 'at most 0.25'],
    [{ type: 'CRASH', deviation: '0.1' }, 'deviation', 'below 0'],
    [{ type: 'RALLY', deviation: '0' }, 'deviation', 'not by 0'],
    [{ type: 'MARKET_CRASH', intensity: '2.1' }, 'intensity', '0.1 to 2'],
    [{ type: 'PRICE_SHOCK', durationMinutes: 81 }, 'durationMinutes', 'must be 1 to 80'],
    [{ type: 'CRASH', durationMinutes: 0 }, 'durationMinutes', '1 to 1920'],
    [{ type: 'GRADUAL_DIVERGENCE', isGradual: false }, 'isGradual', 'must be gradual'],
    [{ recoveryFactor: '0' }, 'recoveryFactor', '0.1 to 2'],
    [{ type: 'CORRELATION_BREAK' }, 'symbols', '2 to 50'],
    [{ symbols: ['LIM-USD', 'lim/usd'] }, 'symbols', 'once'],
    [{ type: 'STABLECOIN_DEPEG' }, 'symbols', 'STABLECOIN'],
    [{ name: '' }, 'name', 'name'],
  ])('refuse %o', async (rest, field, message) => {
    expect(await refused(graph, 'createMarketScenario', plan('LIM-USD', rest))).toMatchObject({
      code: 'VALIDATION_FAILED',
      path: ['input', field],
      message: expect.stringContaining(message),
    });
  });

  it('let a stablecoin leave its par for three days', async () => {
    await createInstruments(graph, 'USDT-USD');
    await done(graph, 'defineAsset', { code: 'USDT', kind: 'STABLECOIN' });
    const depeg = { type: 'STABLECOIN_DEPEG', durationMinutes: 72 * 40, deviation: '-0.1' };
    expect(await create(plan('USDT-USD', depeg))).toMatchObject({ state: 'DRAFT', deviation: '-0.1' });
    expect(
      await refused(graph, 'createMarketScenario', plan('USDT-USD', { ...depeg, deviation: '-0.11' })),
    ).toMatchObject({
      path: ['input', 'deviation'],
    });
  });

  it('name what does not exist', async () => {
    expect(await refused(graph, 'createMarketScenario', plan('NO-USD'))).toMatchObject({
      code: 'NOT_FOUND',
      id: 'NO-USD',
    });
    expect(await refused(graph, 'startMarketScenario', { scenarioId: 'x' })).toMatchObject({ code: 'NOT_FOUND' });
    const { scenarioId } = await create(plan('LIMB-USD'));
    expect(await refused(graph, 'startMarketScenario', { scenarioId })).toMatchObject({
      message: expect.stringContaining('never priced'),
    });
  });
});

describe('the truth', () => {
  const secret = 'a secret for tests, of more than 32 bytes';
  const LOOK = `query Look($symbol: String!) {
    latestPrice(symbol: $symbol) { price }
    priceHistory(symbol: $symbol) { nodes { price bid ask spread } }
    priceFeeds(filter: { symbol: $symbol }) { nodes { price } }
    consensusPrice(symbol: $symbol) { price sources { price } }
  }`;
  const tick = (price: string, bid: string, ask: string, spread: string) => ({ price, bid, ask, spread });

  it('about ticks and sources is told to auditors and testers, and to nobody else', async () => {
    const { url, drop } = await copyTemplate(inject('adminUrl'));
    const clock = { now: () => new Date(nowMs), databaseUrl: url };
    const open = await startGraph(clock);
    const guarded = await startGraph({ ...clock, access: createAccess({ secret }) });
    const seenBy = async (...roles: string[]) => {
      const token = await signToken({ secret }, { roles, seconds: 60 });
      const { data, errors } = await guarded.run(LOOK, { symbol: 'HID-USD' }, { authorization: `Bearer ${token}` });
      expect(errors).toBeUndefined();
      return data;
    };
    try {
      await createInstruments(open, 'HID-USD');
      await done(open, 'registerDataSource', { name: 'test', kind: 'REST' });
      await ingest(open, 'HID-USD', '100', { bid: '99', ask: '101' });
      pass(1);
      const scenarioId = await startOn(open, plan('HID-USD', { isGradual: false, deviation: '-0.2' }));
      pass(1);
      await ingest(open, 'HID-USD', '110', { bid: '109', ask: '111' });

      for (const role of ['auditor', 'tester']) {
        const { latestPrice, priceHistory, consensusPrice } = await seenBy(role);
        expect(latestPrice.price).toBe('88');
        expect(priceHistory.nodes).toEqual([tick('110', '109', '111', '2'), tick('100', '99', '101', '2')]);
        expect(consensusPrice.sources).toEqual([{ price: '110' }]);
      }
      const bent = [tick('88', '87.2', '88.8', '1.6'), tick('100', '99', '101', '2')];
      for (const roles of [[], ['administrator']]) {
        const { latestPrice, priceHistory, priceFeeds, consensusPrice } = await seenBy(...roles);
        expect(latestPrice.price).toBe('88');
        expect(priceHistory.nodes).toEqual(bent);
        expect(priceFeeds.nodes).toEqual([{ price: '88' }, { price: '100' }]);
        expect(consensusPrice.sources).toEqual([{ price: consensusPrice.price }]);
      }

      pass(1);
      await done(open, 'stopMarketScenario', { scenarioId });
      await ingest(open, 'HID-USD', '120', { bid: '119', ask: '121' });
      const { priceHistory } = await seenBy();
      expect(priceHistory.nodes).toEqual([tick('120', '119', '121', '2'), ...bent]);
    } finally {
      await Promise.all([guarded.close(), open.close()]);
      await drop();
    }
  });
});

describe('a process that goes away', () => {
  it('leaves its scenarios to the next one, which goes on as the clock says', async () => {
    const { url, drop } = await copyTemplate(inject('adminUrl'));
    const clock = { now: () => new Date(nowMs), databaseUrl: url };
    const first = await startGraph(clock);
    let scenarioId: string;
    try {
      await createInstruments(first, 'GONE-USD');
      await ingest(first, 'GONE-USD', '100');
      scenarioId = await startOn(first, plan('GONE-USD', { isGradual: false }));
      expect(await publishedOf('GONE-USD', first)).toBe('90');
    } finally {
      await first.close();
    }
    pass(50); // half of the recovery
    const second = await startGraph(clock);
    try {
      await until(scenarioId, 'RECOVERING', second);
      await ingest(second, 'GONE-USD', '200');
      expect(await publishedOf('GONE-USD', second)).toBe('190');
      pass(60 * 24);
      await until(scenarioId, 'COMPLETED', second);
      expect(await publishedOf('GONE-USD', second)).toBe('200');
    } finally {
      await second.close();
      await drop();
    }
  });
});
