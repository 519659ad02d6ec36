/** Live marks: positions and totals follow market data's prices, through the graph. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { watch } from '../../support/watch.ts';
import { addPosition, addStrategy, FUND } from './desk.ts';

let graph: TestGraph;

beforeAll(async () => {
  graph = await startGraph();
  for (const symbol of ['BTC-USD', 'ETH-USD']) {
    await graph.run(
      'mutation ($input: CreateInstrumentInput!) { createInstrument(input: $input) { errors { message } } }',
      { input: { symbol } },
    );
  }
  await addStrategy(graph, 's1');
  await addPosition(graph, 'p1', { quantity: '2' });
});

afterAll(() => graph.close());

async function price(symbol: string, value: string, at = new Date().toISOString()): Promise<void> {
  const { data } = await graph.run(
    'mutation ($input: IngestPricesInput!) { ingestPrices(input: $input) { accepted errors { message } } }',
    { input: { prices: [{ symbol, source: 'test', price: value, timestamp: at }] } },
  );
  expect(data.ingestPrices.errors).toEqual([]);
}

const PORTFOLIO = /* GraphQL */ `
  subscription ($accountId: ID!, $after: String) {
    portfolioChanges(accountId: $accountId, after: $after) {
      kind cursor at
      portfolio { totalMarketValue totalUnrealizedPnl grossExposure oldestMarkedAt hasStaleMarks }
    }
  }
`;

describe('a live mark', () => {
  it('values positions and totals as soon as the price is known', async () => {
    const watcher = watch(graph.client, 'portfolioChanges', PORTFOLIO, { accountId: FUND });
    await watcher.begun();
    await price('BTC-USD', '51000.5');
    const { portfolio } = await watcher.until((told) => told.portfolio?.totalMarketValue === '102001');
    expect(portfolio).toMatchObject({ totalUnrealizedPnl: '2001', grossExposure: '102001', hasStaleMarks: false });
    const { data } = await graph.run(`{
      tradingPosition(id: "p1") { currentPrice marketValue unrealizedPnl totalPnl exposure isMarkStale markAgeMs }
      totalExposure strategy(id: "s1") { unrealizedPnl totalPnl }
    }`);
    expect(data.tradingPosition).toMatchObject({
      currentPrice: '51000.5',
      marketValue: '102001',
      unrealizedPnl: '2001',
      totalPnl: '2001',
      exposure: '102001',
      isMarkStale: false,
    });
    expect(data.totalExposure).toBe('102001');
    expect(data.strategy).toEqual({ unrealizedPnl: '2001', totalPnl: '2001' });
    await watcher.leave();
  });

  it('values the totals and the positions of one event alike', async () => {
    const document = `subscription ($accountId: ID!) {
      portfolioChanges(accountId: $accountId) { kind portfolio { totalMarketValue positions { nodes { marketValue } } } }
    }`;
    await addPosition(graph, 'sum', { symbol: 'ETH-USD', quantity: '3' });
    const watcher = watch(graph.client, 'portfolioChanges', document, { accountId: FUND });
    await watcher.begun();
    for (let round = 1; round <= 5; round++) {
      await Promise.all([price('BTC-USD', String(51_000 + round)), price('ETH-USD', String(2_800 + round))]);
      await new Promise((resolve) => setTimeout(resolve, 120));
    }
    await watcher.leave();
    const events = watcher.all.filter(({ portfolio }) => portfolio !== null);
    expect(events.length).toBeGreaterThan(2);
    for (const { portfolio } of events) {
      const values = portfolio.positions.nodes.map(({ marketValue }: { marketValue: string }) => Number(marketValue));
      expect(values.reduce((sum: number, value: number) => sum + value, 0)).toBeCloseTo(
        Number(portfolio.totalMarketValue),
        6,
      );
    }
    await graph.sql('trading', `delete from positions where position_id = 'sum'`);
  });

  it('is not moved by an older price', async () => {
    await price('BTC-USD', '52000');
    const mark = async () =>
      (await graph.run('{ tradingPosition(id: "p1") { currentPrice } }')).data.tradingPosition.currentPrice;
    await expect.poll(mark).toBe('52000');
    await price('BTC-USD', '1', new Date(Date.now() - 60_000).toISOString());
    await price('BTC-USD', '52001');
    await expect.poll(mark).toBe('52001');
  });

  it('is followed for what is opened later, and written back for other readers of the table', async () => {
    await price('ETH-USD', '2900');
    await addPosition(graph, 'p2', { symbol: 'ETH-USD', quantity: '-10' });
    await price('ETH-USD', '2950');
    const mark = async () =>
      (await graph.run('{ tradingPosition(id: "p2") { currentPrice marketValue } }')).data.tradingPosition;
    await expect.poll(mark).toEqual({ currentPrice: '2950', marketValue: '-29500' });
    const stored = async () =>
      (await graph.sql('trading', `select current_price::text from positions where position_id = 'p2'`))[0]
        .current_price;
    await expect.poll(stored).toBe('2950.00000000');
  });

  it('goes stale when its market has been silent', async () => {
    await graph.sql(
      'trading',
      `insert into positions (position_id, strategy_id, account_id, instrument_id, quantity,
      average_entry_price, current_price, marked_at, opened_at) values ('old', 's1', $1, 'SOL-USD', 1, 100, 100,
      now() - interval '31 seconds', now() - interval '1 day')`,
      [FUND],
    );
    const { data } = await graph.run(`{
      tradingPosition(id: "old") { isMarkStale markAgeMs } portfolio(accountId: "${FUND}") { hasStaleMarks }
    }`);
    expect(data.tradingPosition.isMarkStale).toBe(true);
    expect(data.tradingPosition.markAgeMs).toBeGreaterThan(30_000);
    expect(data.portfolio.hasStaleMarks).toBe(true);
  });
});
