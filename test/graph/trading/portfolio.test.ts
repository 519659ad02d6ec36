import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ACCOUNT, ask, done, now, OTHER_ACCOUNT, order, strategy, trade, UNCACHED } from './desk.ts';

let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph();
});
afterAll(() => graph.close());

const TOTALS = `totalMarketValue totalCostBasis totalUnrealizedPnl totalRealizedPnl totalPnl grossExposure netExposure
  openPositionCount oldestMarkedAt`;

describe('a portfolio', () => {
  it('is empty, with zero totals, for an account that trading knows nothing of', async () => {
    const { portfolio } = await ask(
      graph,
      `{ portfolio(accountId: "AAAAAAAA-0000-4000-8000-000000000001") {
        accountId ${TOTALS} positions { nodes { positionId } totalCount } openOrders { totalCount } strategies { totalCount } } }`,
    );
    expect(portfolio).toEqual({
      accountId: 'aaaaaaaa-0000-4000-8000-000000000001',
      totalMarketValue: '0',
      totalCostBasis: '0',
      totalUnrealizedPnl: '0',
      totalRealizedPnl: '0',
      totalPnl: '0',
      grossExposure: '0',
      netExposure: '0',
      openPositionCount: 0,
      oldestMarkedAt: null,
      positions: { nodes: [], totalCount: 0 },
      openOrders: { totalCount: 0 },
      strategies: { totalCount: 0 },
    });
  });

  it('sums longs and shorts of every strategy of the account at their marks, and nobody else’s', async () => {
    const symbols = ['BTC-USD', 'ETH-USD', 'SOL-USD'];
    const [one, two] = [await strategy(graph, { symbols }), await strategy(graph, { symbols })];
    const other = await strategy(graph, { symbols, accountId: OTHER_ACCOUNT });
    await trade(graph, one, '0.5', '20000', { commission: '5' });
    await trade(graph, one, '-10', '2000', { symbol: 'ETH-USD', commission: '4' });
    await trade(graph, two, '150', '100', { symbol: 'SOL-USD', commission: '1' });
    await trade(graph, two, '1', '20000');
    await trade(graph, two, '-1', '21000', { commission: '10' });
    await trade(graph, other, '1000', '100', { symbol: 'SOL-USD' });
    const pending = await order(graph, two, { status: 'PENDING', symbol: 'ETH-USD' });
    const oldest = now();
    await done(graph, 'markPositions', {
      marks: [
        { symbol: 'BTC-USD', price: '20000', at: oldest },
        { symbol: 'ETH-USD', price: '2000', at: new Date(Date.parse(oldest) + 1_000).toISOString() },
        { symbol: 'SOL-USD', price: '100', at: new Date(Date.parse(oldest) + 2_000).toISOString() },
      ],
    });
    const query = `query ($id: ID!) { portfolio(accountId: $id) { ${TOTALS}
      strategies(sortOrder: ASC) { nodes { strategyId totalPnl } }
      openOrders { nodes { orderId } }
      ofEther: openOrders(symbol: "ETH/USD") { nodes { orderId } }
      ofBitcoin: openOrders(symbol: "BTC/USD") { nodes { orderId } }
      positions(sortBy: EXPOSURE) { nodes { instrument { symbol } quantity exposure } totalCount }
      closed: positions(isOpen: false) { nodes { realizedPnl } }
      all: positions(isOpen: null) { totalCount }
      solana: positions(symbol: "SOLUSD") { nodes { marketValue } } } }`;
    const { portfolio } = await ask(graph, query, { id: ACCOUNT });
    expect(portfolio).toEqual({
      totalMarketValue: '5000',
      totalCostBasis: '5000',
      totalUnrealizedPnl: '0',
      totalRealizedPnl: '980',
      totalPnl: '980',
      grossExposure: '45000',
      netExposure: '5000',
      openPositionCount: 3,
      oldestMarkedAt: expect.any(String),
      strategies: {
        nodes: [
          { strategyId: one, totalPnl: '-9' },
          { strategyId: two, totalPnl: '989' },
        ],
      },
      openOrders: { nodes: [{ orderId: pending }] },
      ofEther: { nodes: [{ orderId: pending }] },
      ofBitcoin: { nodes: [] },
      positions: {
        nodes: [
          { instrument: { symbol: 'ETH-USD' }, quantity: '-10', exposure: '20000' },
          { instrument: { symbol: 'SOL-USD' }, quantity: '150', exposure: '15000' },
          { instrument: { symbol: 'BTC-USD' }, quantity: '0.5', exposure: '10000' },
        ],
        totalCount: 3,
      },
      closed: { nodes: [{ realizedPnl: '990' }] },
      all: { totalCount: 4 },
      solana: { nodes: [{ marketValue: '15000' }] },
    });
    expect(Date.parse(portfolio.oldestMarkedAt)).toBe(Date.parse(oldest));
  });

  it('of 500 positions in 100 instruments costs as few statements as one of 5', async () => {
    const account = (size: number) => `00000000-0000-4000-9000-${String(size).padStart(12, '0')}`;
    for (const size of [5, 500]) {
      await graph.sql(
        'trading',
        `insert into strategies (strategy_id, name, strategy_type, account_id, instruments)
         select 'many-${size}-' || n, 'many', 'custom', $1, '{BTC-USD}' from generate_series(1, $2::int / 5) as n`,
        [account(size), size],
      );
      await graph.sql(
        'trading',
        `insert into positions (strategy_id, account_id, instrument_id, quantity, average_entry_price, current_price,
                marked_at, opened_at)
         select 'many-${size}-' || (n / 5 + 1), $1, 'A' || (n % 100) || '-USD', n + 1, 10, 12, now(), now()
           from generate_series(0, $2::int - 1) as n`,
        [account(size), size],
      );
    }
    const query = `query ($id: ID!) { portfolio(accountId: $id) { ${TOTALS}
      positions(first: 500) { nodes { positionId quantity averageEntryPrice currentPrice markedAt marketValue unrealizedPnl
        strategy { name totalPnl } instrument { symbol } } totalCount }
      openOrders { nodes { orderId } } strategies { nodes { strategyId } } } }`;
    const costOnce = async (size: number, headers: Record<string, string>) => {
      const before = graph.statements();
      const { portfolio } = await ask(graph, query, { id: account(size) }, headers);
      expect(portfolio.positions.nodes).toHaveLength(size);
      expect(portfolio.totalUnrealizedPnl).toBe(String(size * (size + 1)));
      expect(portfolio.grossExposure).toBe(String(6 * size * (size + 1)));
      return graph.statements() - before;
    };
    // The least of several: what trading does beside its requests sends a statement now and then.
    const cost = async (size: number, headers = {}) => {
      const costs = [];
      for (let time = 0; time < 5; time++) costs.push(await costOnce(size, headers));
      return Math.min(...costs);
    };
    expect([await cost(5, UNCACHED), await cost(500, UNCACHED)]).toEqual([8, 8]);
    expect([await cost(5), await cost(500)]).toEqual([0, 0]);
  });
});
