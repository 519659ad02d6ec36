/** Several sources of one price: how each does, on what they agree, and what is held back. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { watch } from '../../support/watch.ts';
import { ask, createInstruments, done, NOW, refused, send, tickerOf } from './market.ts';

let graph: TestGraph;
let nowMs = Date.parse(NOW);
const pass = (seconds: number) => {
  nowMs += seconds * 1_000;
};
const now = (agoSeconds = 0) => new Date(nowMs - agoSeconds * 1_000).toISOString();

beforeAll(async () => {
  graph = await startGraph({ now: () => new Date(nowMs) });
  for (const [name, priority] of [
    ['one', 1],
    ['two', 2],
    ['three', 2],
    ['four', 4],
  ] as const) {
    await done(graph, 'registerDataSource', { name, kind: 'WEBSOCKET', priority });
  }
});
afterAll(() => graph.close());
beforeEach(() => pass(3_600));

let nth = 0;
const report = (symbol: string, source: string, price: string, rest: object = {}) =>
  send(graph, 'ingestPrices', {
    prices: [{ symbol, source, price, timestamp: now(), sequence: String(nth++), ...rest }],
  });

const sourceOf = async (name: string) =>
  (
    await ask(
      graph,
      'query S($name: ID!) { dataSource(name: $name) { state latencyMs errorCount lastError lastSeenAt } }',
      {
        name,
      },
    )
  ).dataSource;

const CONSENSUS = `price confidence sourceCount isStale breaker { state trippedPrice referencePrice inBandSince }
  sources { source { name } price isOutlier isStale }`;
const consensusOf = async (symbol: string) =>
  (await ask(graph, `query C($symbol: String!) { consensusPrice(symbol: $symbol) { ${CONSENSUS} } }`, { symbol }))
    .consensusPrice;

describe('a source', () => {
  it('is healthy after three good prices, degraded by three bad ones, stale and down by silence', async () => {
    await createInstruments(graph, 'SRC-USD');
    expect(await sourceOf('one')).toMatchObject({ state: 'DOWN', latencyMs: null, errorCount: 0, lastSeenAt: null });
    for (const state of ['DOWN', 'DOWN', 'HEALTHY']) {
      await report('SRC-USD', 'one', '10');
      expect((await sourceOf('one')).state).toBe(state);
    }
    await report('SRC-USD', 'one', '-1');
    await report('NO-USD', 'one', '1');
    expect(await sourceOf('one')).toMatchObject({ state: 'HEALTHY', errorCount: 2 });
    await done(graph, 'reportSourceError', { name: 'one', message: 'connection refused' });
    expect(await sourceOf('one')).toMatchObject({ state: 'DEGRADED', errorCount: 3, lastError: 'connection refused' });
    const late = { timestamp: now(6) };
    await Promise.all([1, 2, 3].map(() => report('SRC-USD', 'one', '10')));
    for (const [i, state] of ['HEALTHY', 'HEALTHY', 'DEGRADED'].entries()) {
      await report('SRC-USD', 'one', '10', late);
      expect([i, (await sourceOf('one')).state]).toEqual([i, state]);
    }
    pass(31);
    expect((await sourceOf('one')).state).toBe('STALE');
    pass(270);
    expect((await sourceOf('one')).state).toBe('DOWN');
  });

  it('is told when it falls silent, though nobody writes', async () => {
    await createInstruments(graph, 'TOLD-USD');
    for (let i = 0; i < 3; i++) await report('TOLD-USD', 'two', '10');
    const watcher = watch(
      graph.client,
      'dataSourceChanges',
      'subscription { dataSourceChanges(names: ["two"]) { kind cursor source { name state } } }',
    );
    await watcher.begun();
    pass(31);
    await watcher.until(({ source }) => source?.state === 'STALE');
    const { dataSources } = await ask(graph, '{ dataSources(filter: { state: STALE }) { nodes { name } totalCount } }');
    expect(dataSources).toEqual({ nodes: [{ name: 'two' }], totalCount: 1 });
    await graph.sql('market-data', `select 1`);
    const rows = await graph.sql('market-data', `select state from data_sources where name = 'two'`);
    expect(rows).toEqual([{ state: 'STALE' }]);
    await watcher.leave();
  });

  it.each([
    [{ name: '', kind: 'REST' }, 'name'],
    [{ name: 'x', kind: 'REST', priority: 0 }, 'priority'],
    [{ name: 'x', kind: 'REST', priority: 101 }, 'priority'],
    [{ name: 'x', kind: 'REST', rateLimitPerSecond: 0 }, 'rateLimitPerSecond'],
  ])('is refused as %o', async (input, field) => {
    expect(await refused(graph, 'registerDataSource', input)).toMatchObject({ path: ['input', field] });
  });

  it('must be registered to have errors', async () => {
    expect(await refused(graph, 'reportSourceError', { name: 'nobody', message: 'x' })).toMatchObject({
      code: 'NOT_FOUND',
      entity: 'DataSource',
    });
  });
});

describe('the consensus', () => {
  it('weighs sources by volume over rank', async () => {
    await createInstruments(graph, 'CON-USD');
    await report('CON-USD', 'one', '100', { volume24h: '10' });
    expect(await consensusOf('CON-USD')).toMatchObject({ price: '100', confidence: '0.3333', sourceCount: 1 });
    pass(2);
    await report('CON-USD', 'two', '103', { volume24h: '10' });
    // (100 × 10 ÷ 1 + 103 × 10 ÷ 2) ÷ 15
    expect(await consensusOf('CON-USD')).toMatchObject({ price: '101', sourceCount: 2 });
    const { instrument } = await ask(graph, '{ instrument(symbol: "CON-USD") { consensusPrice { price } } }');
    expect(instrument.consensusPrice.price).toBe('101');
  });

  it('leaves an outlier out, and the ticker does not follow it', async () => {
    await createInstruments(graph, 'OUT-USD');
    for (const source of ['one', 'two', 'three']) await report('OUT-USD', source, '100');
    pass(2);
    await report('OUT-USD', 'four', '110');
    const consensus = await consensusOf('OUT-USD');
    expect(consensus).toMatchObject({ price: '100', sourceCount: 3, confidence: '0.75' });
    expect(consensus.sources.map((of: { isOutlier: boolean }) => of.isOutlier)).toEqual([false, false, false, true]);
    expect((await tickerOf(graph, 'OUT-USD')).lastPrice).toBe('100');
    const { priceHistory } = await ask(graph, '{ priceHistory(symbol: "OUT-USD", first: 1) { nodes { price } } }');
    expect(priceHistory.nodes).toEqual([{ price: '110' }]); // what was said is stored all the same
  });

  it('forgets sources that have fallen silent', async () => {
    await createInstruments(graph, 'OLD-USD');
    await report('OLD-USD', 'one', '100');
    pass(31);
    expect(await consensusOf('OLD-USD')).toMatchObject({ isStale: true });
    await report('OLD-USD', 'two', '105');
    expect(await consensusOf('OLD-USD')).toMatchObject({ price: '105', sourceCount: 1, isStale: false });
  });

  it('is none where nobody is registered', async () => {
    await createInstruments(graph, 'NON-USD');
    await report('NON-USD', 'stranger', '100');
    expect(await consensusOf('NON-USD')).toBeNull();
    expect((await tickerOf(graph, 'NON-USD')).lastPrice).toBe('100');
  });
});

describe('the breaker', () => {
  it('trips beyond the threshold, holds the price back, and closes after a minute inside the band', async () => {
    await createInstruments(graph, 'BRK-USD');
    await report('BRK-USD', 'one', '100');
    pass(10);
    await report('BRK-USD', 'one', '119.9');
    expect((await consensusOf('BRK-USD')).breaker.state).toBe('CLOSED');
    pass(10);
    await report('BRK-USD', 'one', '121');
    expect(await consensusOf('BRK-USD')).toMatchObject({
      price: '119.9',
      breaker: { state: 'TRIPPED', trippedPrice: '121', referencePrice: '119.9' },
    });
    expect((await tickerOf(graph, 'BRK-USD')).lastPrice).toBe('119.9');
    // What nobody registered says is held back too.
    pass(1);
    await report('BRK-USD', 'stranger', '500');
    expect((await tickerOf(graph, 'BRK-USD')).lastPrice).toBe('119.9');

    pass(5);
    await report('BRK-USD', 'one', '200');
    expect((await consensusOf('BRK-USD')).breaker.inBandSince).toBeNull();
    pass(5);
    await report('BRK-USD', 'one', '118');
    pass(59);
    await report('BRK-USD', 'one', '118');
    expect((await consensusOf('BRK-USD')).breaker.state).toBe('TRIPPED');
    pass(2);
    await report('BRK-USD', 'one', '118');
    expect((await consensusOf('BRK-USD')).breaker).toMatchObject({ state: 'CLOSED', trippedPrice: null });
    pass(2);
    await report('BRK-USD', 'one', '118.5');
    expect((await consensusOf('BRK-USD')).price).toBe('118.5');
    expect((await tickerOf(graph, 'BRK-USD')).lastPrice).toBe('118.5');
  });

  it('is closed by an operator', async () => {
    await createInstruments(graph, 'OPS-USD');
    await report('OPS-USD', 'one', '100');
    pass(2);
    await report('OPS-USD', 'one', '50');
    const reset = () => done(graph, 'resetPriceBreaker', { symbol: 'ops/usd' }, 'consensus { breaker { state } }');
    expect(await reset()).toEqual({ consensus: { breaker: { state: 'CLOSED' } } });
    pass(2);
    await report('OPS-USD', 'one', '50');
    expect(await consensusOf('OPS-USD')).toMatchObject({ price: '50', breaker: { state: 'CLOSED' } });
    expect(await refused(graph, 'resetPriceBreaker', { symbol: 'OPS-USD' })).toMatchObject({
      code: 'INVALID_TRANSITION',
    });
    expect(await refused(graph, 'resetPriceBreaker', { symbol: 'NO-USD' })).toMatchObject({ code: 'NOT_FOUND' });
  });

  it('is closed by time, though no price comes just then', async () => {
    await createInstruments(graph, 'CALM-USD');
    await report('CALM-USD', 'one', '100');
    pass(2);
    await report('CALM-USD', 'one', '50');
    pass(2);
    await report('CALM-USD', 'one', '100');
    const watcher = watch(
      graph.client,
      'consensusChanges',
      'subscription { consensusChanges(symbols: ["CALM-USD"]) { kind cursor consensus { price breaker { state } } } }',
    );
    await watcher.until(({ consensus }) => consensus?.breaker.state === 'TRIPPED');
    pass(40);
    await report('CALM-USD', 'one', '99');
    pass(21);
    await watcher.until(({ consensus }) => consensus?.breaker.state === 'CLOSED' && consensus.price === '99');
    await watcher.leave();
  });
});

describe('a feed', () => {
  it('is told once when it falls silent, and once when it speaks again', async () => {
    await createInstruments(graph, 'FEED-USD', 'MUTE-USD');
    await report('FEED-USD', 'one', '1');
    const watcher = watch(
      graph.client,
      'feedStateChanges',
      'subscription { feedStateChanges(symbol: "FEED-USD") { kind cursor feed { isStale source } } }',
    );
    await watcher.begun();
    pass(31);
    await watcher.until(({ feed }) => feed?.isStale === true);
    expect(await ask(graph, '{ feedState(symbol: "feed/usd") { isStale ageMs instrument { symbol } } }')).toEqual({
      feedState: { isStale: true, ageMs: 31_000, instrument: { symbol: 'FEED-USD' } },
    });
    const { staleFeeds } = await ask(graph, '{ staleFeeds(first: 500) { nodes { instrument { symbol } } } }');
    expect(staleFeeds.nodes).toContainEqual({ instrument: { symbol: 'FEED-USD' } });
    await report('FEED-USD', 'one', '1');
    await watcher.until(({ kind, feed }) => kind === 'UPSERT' && feed?.isStale === false);
    const told = watcher.changes().map(({ kind, feed }) => [kind, feed?.isStale]);
    expect(told).toEqual([
      ['SNAPSHOT', false],
      ['UPSERT', true],
      ['UPSERT', false],
    ]);
    await watcher.leave();
    const never = await ask(graph, '{ feedState(symbol: "MUTE-USD") { isStale ageMs } }');
    expect(never).toEqual({ feedState: { isStale: true, ageMs: null } });
    expect(await ask(graph, '{ feedState(symbol: "NO-USD") { isStale } }')).toEqual({ feedState: null });
  });
});
