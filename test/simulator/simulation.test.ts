/** The market as it lives on the demo. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FUND } from '../../prisma/demo/accounts.ts';
import type { TestGraph } from '../support/graph.ts';
import { expectBoundedOrders, expectTrueBooks, liveOrders } from './books.ts';
import { clockAhead, demoGraph, openDemo, recorded, type Sent, type Steps, simulate } from './support.ts';

/** What the exchange and the clock of its database make up differs from graph to graph. */
function withoutTheirs({ name, input }: Sent): unknown {
  const fields = Object.entries(input).filter(([field, value]) => field !== 'orderId' || isOurName(value));
  return { name, input: Object.fromEntries(fields) };
}

function isOurName(value: unknown): boolean {
  return typeof value === 'string' && value.startsWith('sim-');
}

const DASHBOARD = `query ($from: DateTime!) {
  tickers(symbols: ["BTC-USD", "ETH-USD", "SOL-USD", "ETH-BTC"]) { source lastPrice bid ask }
  candles(filter: { symbol: "SOL-USD", interval: M1, from: $from }, sortOrder: ASC) {
    nodes { isClosed numTrades vwap }
  }
  orderBook(symbol: "BTC-USD") { bids { price } asks { price } }
  tradingTrades(filter: { accountId: "${FUND}" }) { totalCount }
}`;

it('gives the same commands for the same seed, clock and graph', async () => {
  const start = clockAhead();
  const told: unknown[][] = [];
  for (let time = 1; time <= 2; time++) {
    const clock = { ...start };
    const { client, sent } = recorded((await demoGraph(clock)).client);
    await simulate(clock, client).run(15);
    told.push(sent.map(withoutTheirs));
  }
  const [first, again] = told;
  expect(first?.length).toBeGreaterThan(40);
  expect(again).toEqual(first);
});

describe('a market that lived for minutes', () => {
  const clock = clockAhead();
  clock.nowMs += 60_000 - (clock.nowMs % 60_000); // the first minute is a whole one
  const start = new Date(clock.nowMs).toISOString();
  let graph: TestGraph;
  let sent: Sent[];
  let steps: Steps;
  beforeAll(async () => {
    graph = await openDemo(clock);
    const recording = recorded(graph.client);
    sent = recording.sent;
    steps = simulate(clock, recording.client);
    for (let part = 1; part <= 2; part++) {
      await steps.run(50);
      await expectBoundedOrders(graph);
      await expectTrueBooks(graph, steps);
    }
  });
  afterAll(() => graph.close());

  it('was refused nothing', () => {
    expect(sent.filter(({ errors }) => errors.length > 0)).toEqual([]);
  });

  it('did all that a market does', () => {
    const names = new Set(sent.map(({ name }) => name));
    const ofMarket = ['ingestPrices', 'ingestCandles', 'placeExchangeOrder', 'cancelExchangeOrder'];
    const ofOrders = ['placeOrder', 'cancelOrder'];
    for (const name of [...ofMarket, ...ofOrders]) expect(names).toContain(name);
  });

  it('moved what dashboards show: tickers, charts, books, positions, trades', async () => {
    const { data, errors } = await graph.run(DASHBOARD, { from: start });
    expect(errors).toBeUndefined();
    expect(data.tickers).toHaveLength(4);
    for (const { source, lastPrice, bid, ask } of data.tickers) {
      expect(source).toBe('simulator');
      expect([bid, ask]).toContain(lastPrice);
    }
    const [whole] = data.candles.nodes;
    expect(whole).toMatchObject({ isClosed: true, numTrades: 60 });
    expect(data.candles.nodes.at(-1).vwap).toEqual(expect.any(String));
    expect(data.orderBook.bids.length).toBeGreaterThanOrEqual(4);
    expect(data.orderBook.asks.length).toBeGreaterThanOrEqual(4);
    expect(data.tradingTrades.totalCount).toBeGreaterThan(5);
  });

  it('moved what positions are worth', async () => {
    const away = async () => {
      const { data } = await graph.run(
        `{ openPositions(accountId: "${FUND}") { nodes { currentPrice instrument { ticker { lastPrice } } } } }`,
      );
      const nodes: { currentPrice: string; instrument: { ticker: { lastPrice: string } } }[] = data.openPositions.nodes;
      return [nodes.length, nodes.filter((position) => position.currentPrice !== position.instrument.ticker.lastPrice)];
    };
    await expect.poll(away).toEqual([2, []]);
  });

  it('lets a strategy rest that somebody has paused', async () => {
    const resting = () =>
      graph.sql(
        'exchange',
        `select 1 from orders where account_id = '${FUND}' and status = 'OPEN' and client_order_id like 'sim-%'`,
      );
    for (let second = 0; second < 120 && (await resting()).length === 0; second++) await steps.run(1);
    expect(await resting()).not.toEqual([]);

    for (const strategyId of ['btc-trend', 'eth-reversion']) {
      const { data } = await graph.run(
        'mutation ($input: PauseStrategyInput!) { pauseStrategy(input: $input) { errors { message } } }',
        { input: { strategyId } },
      );
      expect(data.pauseStrategy.errors).toEqual([]);
    }
    await steps.run(15);
    expect(await resting()).toEqual([]);
    expect(await liveOrders(graph, FUND)).toBe(0);
    const { data } = await graph.run('{ activeOrders { nodes { orderId } } }');
    expect(data.activeOrders.nodes).toEqual([]);
  });
});
