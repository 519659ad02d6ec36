/** The vectors of domain.md §12.2, through the commands that a venue's report goes through. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ask, done, now, strategy, trade } from './desk.ts';

let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph();
});
afterAll(() => graph.close());

const POSITION = `quantity averageEntryPrice realizedPnl currentPrice marketValue exposure costBasis unrealizedPnl totalPnl
  isOpen closedAt`;
const AFTER = `trade { grossValue netValue commission realizedPnl side } position { ${POSITION} }`;

describe('a position by average cost', () => {
  it('goes through the vector: two buys, a sell, a flip and a mark', async () => {
    const id = await strategy(graph, { accountId: '00000000-0000-4000-8000-000000000011' });
    const first = await trade(graph, id, '2', '48000', { commission: '10' }, AFTER);
    expect(first.position).toMatchObject({ quantity: '2', averageEntryPrice: '48000', realizedPnl: '-10' });
    expect(first.trade).toMatchObject({ grossValue: '96000', netValue: '96010', realizedPnl: '-10' });

    const second = await trade(graph, id, '0.5', '50000', { commission: '2.5' }, AFTER);
    expect(second.position).toMatchObject({ quantity: '2.5', averageEntryPrice: '48400', realizedPnl: '-12.5' });

    const third = await trade(graph, id, '-1', '51000', { commission: '5' }, AFTER);
    expect(third.position).toEqual({
      quantity: '1.5',
      averageEntryPrice: '48400',
      realizedPnl: '2582.5',
      currentPrice: '51000',
      marketValue: '76500',
      exposure: '76500',
      costBasis: '72600',
      unrealizedPnl: '3900',
      totalPnl: '6482.5',
      isOpen: true,
      closedAt: null,
    });
    expect(third.trade).toMatchObject({ grossValue: '51000', netValue: '50995', realizedPnl: '2595', side: 'SELL' });

    const flip = await trade(graph, id, '-3', '49000', { commission: '15' }, AFTER);
    expect(flip.position).toMatchObject({ quantity: '-1.5', averageEntryPrice: '49000', realizedPnl: '0' });
    expect(flip.trade).toMatchObject({ grossValue: '147000', netValue: '146985', realizedPnl: '885' });

    await done(graph, 'markPositions', { marks: [{ symbol: 'BTC-USD', price: '48500', at: now() }] });
    const data = await ask(
      graph,
      `query ($id: ID!) {
        position(strategyId: $id, symbol: "BTC/USD") { ${POSITION} }
        closed: positions(filter: { strategyId: $id, isOpen: false }) { nodes { ${POSITION} } }
        strategy(id: $id) { totalTrades realizedPnl unrealizedPnl totalPnl dailyPnl }
        strategyRealizedPnl(strategyId: $id)
        strategyVolume(strategyId: $id)
        portfolio(accountId: "00000000-0000-4000-8000-000000000011") {
          totalMarketValue totalCostBasis totalUnrealizedPnl totalRealizedPnl totalPnl grossExposure netExposure
        }
      }`,
      { id },
    );
    expect(data.position).toEqual({
      quantity: '-1.5',
      averageEntryPrice: '49000',
      realizedPnl: '0',
      currentPrice: '48500',
      marketValue: '-72750',
      exposure: '72750',
      costBasis: '-73500',
      unrealizedPnl: '750',
      totalPnl: '750',
      isOpen: true,
      closedAt: null,
    });
    expect(data.closed.nodes).toMatchObject([
      {
        quantity: '0',
        averageEntryPrice: '48400',
        realizedPnl: '3467.5',
        marketValue: '0',
        exposure: '0',
        costBasis: '0',
        unrealizedPnl: '0',
        totalPnl: '3467.5',
        isOpen: false,
      },
    ]);
    expect(data.strategy).toEqual({
      totalTrades: 4,
      realizedPnl: '3467.5',
      unrealizedPnl: '750',
      totalPnl: '4217.5',
      dailyPnl: '3467.5',
    });
    expect(data.strategyRealizedPnl).toBe('3467.5');
    expect(data.strategyVolume).toBe('319000');
    expect(data.portfolio).toEqual({
      totalMarketValue: '-72750',
      totalCostBasis: '-73500',
      totalUnrealizedPnl: '750',
      totalRealizedPnl: '3467.5',
      totalPnl: '4217.5',
      grossExposure: '72750',
      netExposure: '-72750',
    });
  });
});
