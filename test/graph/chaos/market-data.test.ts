/** Prices whose source is silent on purpose, and quotes that are wide. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ask, done } from '../exchange/floor.ts';
import { clear, inject } from './drill.ts';

let graph: TestGraph;
let at = Date.parse('2026-03-02T12:00:00Z');
beforeAll(async () => {
  graph = await startGraph({ isChaosOn: true, now: () => new Date(at) });
  for (const symbol of ['BTC-USD', 'ETH-USD']) await done(graph, 'createInstrument', { symbol });
});
afterAll(() => graph.close());
afterEach(() => clear(graph, 'market-data', { runId: 'drill' }));

const run = { runId: 'drill', leaseSeconds: 3_600 };

/** Reports a quote of each instrument, a second later than the last; gives how many were taken and what was refused. */
async function report(bid: string, ask: string) {
  at += 1_000;
  const timestamp = new Date(at).toISOString();
  const prices = ['BTC-USD', 'ETH-USD'].map((symbol) => ({ symbol, bid, ask, source: 'feed', timestamp }));
  return done(graph, 'ingestPrices', { prices }, 'accepted refused { index error { code message } }');
}

const quotes = async () => {
  const { instruments } = await ask(
    graph,
    '{ instruments { nodes { symbol latestPrice { price bid ask isStale } } } }',
  );
  return Object.fromEntries(
    instruments.nodes.map(({ symbol, latestPrice }: { symbol: string; latestPrice: object }) => [symbol, latestPrice]),
  );
};

describe('the prices of market data', () => {
  it('stand still and grow old while their source is silent, and go on afterwards', async () => {
    await report('99', '101');
    await inject(graph, 'market-data', { ...run, kind: 'STALE_DATA', parameters: { symbols: ['btc/usd'] } });
    at += 31_000;
    expect(await report('199', '201')).toEqual({
      accepted: 1,
      refused: [
        {
          index: 0,
          error: {
            code: 'DOMAIN_UNAVAILABLE',
            message: 'The source of BTC-USD is silent on purpose: nothing is recorded of it.',
          },
        },
      ],
    });
    expect(await quotes()).toEqual({
      'BTC-USD': { price: '100', bid: '99', ask: '101', isStale: true },
      'ETH-USD': { price: '200', bid: '199', ask: '201', isStale: false },
    });
    await clear(graph, 'market-data', { runId: 'drill' });
    expect((await report('299', '301')).accepted).toBe(2);
    expect((await quotes())['BTC-USD']).toMatchObject({ price: '300', isStale: false });
  });

  it('are quoted wide about the same middle, and as they are reported once that ends', async () => {
    await inject(graph, 'market-data', {
      ...run,
      kind: 'SPREAD',
      parameters: { multiplier: '2.5', symbols: ['ETH-USD'] },
    });
    await report('99', '101');
    expect(await quotes()).toMatchObject({
      'BTC-USD': { price: '100', bid: '99', ask: '101' },
      'ETH-USD': { price: '100', bid: '97.5', ask: '102.5' },
    });
    expect(await stored()).toEqual([{ bid: '99.00000000', ask: '101.00000000' }]);
    await clear(graph, 'market-data', { runId: 'drill' });
    await report('99', '101');
    expect((await quotes())['ETH-USD']).toMatchObject({ bid: '99', ask: '101' });
  });
});

/** The last tick of ETH-USD as it was reported. */
const stored = () =>
  graph.sql('market-data', `select bid, ask from price_feeds where symbol = 'ETH-USD' order by timestamp desc limit 1`);
