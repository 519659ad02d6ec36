/** Market data as a client of the whole graph sees it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { candle, createInstruments, NOW, tick } from './market.ts';

let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph({ now: () => new Date(NOW) });
  await createInstruments(graph, 'BTC-USD');
});
afterAll(() => graph.close());

it('a full load of 10,000 bars goes through, and its refusals come back', async () => {
  const candles = Array.from({ length: 10_000 }, (_, i) =>
    candle(new Date(Date.UTC(2026, 0, 1) + i * 60_000).toISOString(), i === 7 ? '1 1 2 1' : '1 3 1 2', {
      source: 'gateway',
    }),
  );
  const { data, errors } = await graph.run(
    `mutation Load($input: IngestCandlesInput!) {
      ingestCandles(input: $input) {
        inserted rolledUp refused { index error { __typename code message path } } errors { message }
      }
    }`,
    { input: { candles } },
  );
  expect(errors).toBeUndefined();
  expect(data.ingestCandles).toEqual({
    inserted: 9_999,
    rolledUp: 2_883,
    errors: [],
    refused: [
      {
        index: 7,
        error: {
          __typename: 'ValidationFailed',
          code: 'VALIDATION_FAILED',
          message: 'low must be at most open and close, but got open 1, high 1, low 2, close 1.',
          path: ['input', 'candles', '7', 'low'],
        },
      },
    ],
  });
  const answer = await graph.run(
    '{ instrument(symbol: "btc/usd") { candles(interval: D1, first: 1) { totalCount nodes { startTime volume isClosed } } } }',
  );
  expect(answer.data.instrument.candles).toEqual({
    totalCount: 7,
    nodes: [{ startTime: '2026-01-07T00:00:00Z', volume: '1360', isClosed: true }],
  });
});

it('prices arrive in the ticker that a dashboard asks for', async () => {
  const { data } = await graph.run(
    `mutation Prices($input: IngestPricesInput!) { ingestPrices(input: $input) { accepted errors { message } } }`,
    { input: { prices: [tick('2026-03-02T11:59:59Z', '100', { bid: '99.5', ask: '100.5' })] } },
  );
  expect(data.ingestPrices).toEqual({ accepted: 1, errors: [] });
  const answer = await graph.run(
    '{ instruments { nodes { symbol ticker { lastPrice bid ask spreadBps } latestPrice { isStale } } } }',
  );
  expect(answer.data.instruments.nodes).toEqual([
    {
      symbol: 'BTC-USD',
      ticker: { lastPrice: '100', bid: '99.5', ask: '100.5', spreadBps: '100' },
      latestPrice: { isStale: false },
    },
  ]);
});

it.each([
  ['a float literal', 'price: 1.5', /not as a bare 1\.5/],
  ['nine fractional digits', 'price: "0.123456789"', /at most 8 fractional digits/],
  ['an unknown field', 'cost: "1"', /cost/],
])('%s is a clear error', async (_, field, message) => {
  const row = `{ symbol: "BTC-USD", source: "t", timestamp: "2026-03-01T00:00:00Z", ${field} }`;
  const { errors } = await graph.run(`mutation { ingestPrices(input: { prices: [${row}] }) { accepted } }`);
  expect(errors?.map((error) => error.message).join()).toMatch(message);
  expect(JSON.stringify(errors)).not.toMatch(/stack|node_modules|INTERNAL/);
});

it.each([
  ['{ instruments(first: 10000) { nodes { symbol } } }', /first must be from 0 to 500/],
  ['{ instrument(symbol: "??") { symbol } }', /is not a symbol/],
])('%s is the caller’s fault', async (query, message) => {
  const { errors } = await graph.run(query);
  expect(errors).toHaveLength(1);
  expect(errors?.[0]?.message).toMatch(message);
  expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
});
