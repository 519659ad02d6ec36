/** What is told no more often than anybody can read, and what the public is not told. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { type Told, watch } from '../../support/watch.ts';
import { list, open, place } from '../exchange/floor.ts';
import { addPosition, addStrategy, FUND, setQuantity } from './desk.ts';

let graph: TestGraph;
let ann: string;
let bob: string;

beforeAll(async () => {
  graph = await startGraph();
  await list(graph, 'BTC-USD', { tickSize: '0.01' });
  await list(graph, 'ETH-USD');
  [ann, bob] = await Promise.all([open(graph, { USD: '100000' }), open(graph, { BTC: '100' })]);
});

afterAll(() => graph.close());

/** Runs something again and again for so long. */
async function during(ms: number, work: (round: number) => Promise<unknown>): Promise<number> {
  let round = 0;
  for (const end = performance.now() + ms; performance.now() < end; ) await work(++round);
  return round;
}

const upserts = (told: Told[]) => told.filter(({ kind }) => kind === 'UPSERT');

/** Never more than the interval allows; a timer may be a little early. */
function expectAtMostEvery(intervalMs: number, count: number, elapsedMs: number): void {
  expect(count).toBeGreaterThan(1);
  expect(count).toBeLessThanOrEqual(Math.ceil(elapsedMs / (intervalMs * 0.9)) + 1);
}

describe('prices', () => {
  it('are told of each instrument at most as often as the client wishes, and the last one always', async () => {
    for (const symbol of ['BTC-USD', 'ETH-USD']) {
      await graph.sql(
        'market-data',
        `insert into tickers (symbol, source, timestamp, last_price) values ($1, 'test', now(), 1)`,
        [symbol],
      );
    }
    const watcher = watch(
      graph.client,
      'priceChanges',
      `subscription { priceChanges(symbols: ["BTC/USD", "ETH-USD"], minIntervalMs: 250) { kind cursor at ticker { instrument { symbol } lastPrice } } }`,
    );
    await watcher.begun();
    const begun = performance.now();
    const rounds = await during(800, (round) =>
      graph.sql('market-data', 'update tickers set last_price = $1', [round + 1]),
    );
    await graph.sql('market-data', 'update tickers set last_price = 5000');
    for (const symbol of ['BTC-USD', 'ETH-USD']) {
      await watcher.until(({ ticker }) => ticker?.instrument.symbol === symbol && ticker.lastPrice === '5000');
    }
    const elapsed = performance.now() - begun;
    const told = upserts(watcher.all).filter(({ ticker }) => ticker.instrument.symbol === 'BTC-USD');
    expect(rounds).toBeGreaterThan(10);
    expectAtMostEvery(250, told.length, elapsed);
    const prices = told.map(({ ticker }) => Number(ticker.lastPrice));
    expect(prices).toEqual(prices.toSorted((a, b) => a - b));
    await watcher.leave();
  });

  it.each([-1, 60_001])('refuse an interval of %i', async (minIntervalMs) => {
    const document = `subscription { priceChanges(symbols: ["BTC-USD"], minIntervalMs: ${minIntervalMs}) { kind } }`;
    const { ended } = watch(graph.client, 'priceChanges', document);
    expect(String(await ended)).toContain(`minIntervalMs must be from 0 to 60000, but got ${minIntervalMs}.`);
  });
});

describe('what is told whole', () => {
  it('is an order book, at most every 100 ms, and in the end as it is', async () => {
    const watcher = watch(
      graph.client,
      'orderBookChanges',
      `subscription { orderBookChanges(symbol: "BTC-USD", depth: 100) { kind cursor at orderBook { bids { price quantity } } } }`,
    );
    await watcher.begun();
    const begun = performance.now();
    const rounds = await during(700, (round) => place(graph, ann, `buy 1 @ ${round}`));
    await watcher.until(({ orderBook }) => orderBook?.bids.length === rounds);
    expectAtMostEvery(100, upserts(watcher.all).length, performance.now() - begun);
    await watcher.leave();
  });

  it('is a portfolio, at most every 100 ms, and in the end as it is', async () => {
    await addStrategy(graph, 's1');
    await addPosition(graph, 'p1');
    const watcher = watch(
      graph.client,
      'portfolioChanges',
      `subscription { portfolioChanges(accountId: "${FUND}") { kind cursor at portfolio { positions { nodes { quantity } } } } }`,
    );
    await watcher.begun();
    const begun = performance.now();
    const rounds = await during(700, (round) => setQuantity(graph, 'p1', `${round}`));
    await watcher.until(({ portfolio }) => portfolio?.positions.nodes[0].quantity === `${rounds}`);
    expectAtMostEvery(100, upserts(watcher.all).length, performance.now() - begun);
    await watcher.leave();
  });
});

describe('the public tape', () => {
  const TAPE = `kind cursor at trade { tradeId account { accountId } } print { matchId price quantity takerSide }`;
  const tape = (args: string) =>
    watch(graph.client, 'exchangeTradeChanges', `subscription { exchangeTradeChanges${args} { ${TAPE} } }`);

  it('has one event a match, told by the taker’s side, and no word of whose it is', async () => {
    const everybody = tape('(symbol: "BTCUSD")');
    const mine = tape(`(accountId: "${bob}")`);
    await Promise.all([everybody.begun(), mine.begun()]);
    await place(graph, bob, 'sell 2 @ 200');
    await place(graph, ann, 'buy 0.5 @ 200');
    await place(graph, ann, 'buy 1 @ 200');
    await mine.until(() => upserts(mine.all).length === 2);
    await everybody.until(() => upserts(everybody.all).length === 2);
    expect(upserts(everybody.all).map(({ trade, print }) => [trade, print.takerSide, print.quantity])).toEqual([
      [null, 'BUY', '0.5'],
      [null, 'BUY', '1'],
    ]);
    expect(upserts(mine.all).map(({ trade }) => trade.account.accountId)).toEqual([bob, bob]);
    await Promise.all([everybody.leave(), mine.leave()]);
    const later = tape('(symbol: "BTC-USD")');
    await later.begun();
    expect(later.changes().map(({ kind, trade, print }) => [kind, trade, print.quantity])).toEqual([
      ['SNAPSHOT', null, '0.5'],
      ['SNAPSHOT', null, '1'],
    ]);
    await later.leave();
  });

  it('is of one symbol: all of the exchange is refused', async () => {
    expect(String(await tape('').ended)).toContain('Give accountId, symbol, or both.');
  });
});

it('leaves no listener behind', async () => {
  const counts = () => [...graph.subgraphs.values()].map(({ feed }) => feed.hub.listenerCount);
  const before = counts();
  const watchers = [
    watch(graph.client, 'portfolioChanges', `subscription { portfolioChanges(accountId: "${FUND}") { kind } }`),
    watch(graph.client, 'orderBookChanges', 'subscription { orderBookChanges(symbol: "BTC-USD") { kind } }'),
    watch(graph.client, 'priceChanges', 'subscription { priceChanges(symbols: ["BTC-USD"]) { kind } }'),
  ];
  await Promise.all(watchers.map((watcher) => watcher.begun()));
  expect(counts()).not.toEqual(before);
  await Promise.all(watchers.map((watcher) => watcher.leave()));
  await vi.waitFor(() => expect(counts()).toEqual(before));
});
