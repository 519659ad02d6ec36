import { afterAll, beforeAll, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ask, bars, candle, createInstruments, done, line, NOW, refused, tick } from './market.ts';

let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph({ now: () => new Date(NOW) });
  await createInstruments(graph, 'BTC-USD', 'ETH-USD');
});
afterAll(() => graph.close());

const PURGED = 'deleted isComplete';
const EDGE = '2026-02-28T12:00:00Z'; // two days before the tests' clock

it('removes ticks strictly before the instant, of one instrument or of all', async () => {
  const times = ['2026-02-27T00:00:00Z', '2026-02-28T11:59:59.999999Z', EDGE, '2026-03-01T00:00:00Z'];
  await done(graph, 'ingestPrices', {
    prices: times.flatMap((at) => [tick(at, '1'), tick(at, '1', { symbol: 'ETH-USD' })]),
  });
  const purge = (input: object) => done(graph, 'purgePriceFeeds', { before: EDGE, ...input }, PURGED);
  expect(await purge({ symbol: 'btc/usd', idempotencyKey: 'p' })).toEqual({ deleted: 2, isComplete: true });
  expect(await purge({ symbol: 'btc/usd', idempotencyKey: 'p' })).toEqual({ deleted: 2, isComplete: true });
  expect(await purge({})).toEqual({ deleted: 2, isComplete: true });
  const { priceFeeds } = await ask(graph, '{ priceFeeds { nodes { timestamp } } }');
  expect(priceFeeds.nodes.map(({ timestamp }: { timestamp: string }) => timestamp)).toEqual([
    '2026-03-01T00:00:00Z',
    '2026-03-01T00:00:00Z',
    EDGE,
    EDGE,
  ]);
  // Of each tick but the first, which both calls of a group had, the ticker was in one state.
  expect(await done(graph, 'purgeSnapshots', { before: EDGE }, PURGED)).toMatchObject({ isComplete: true });
});

it.each(['purgePriceFeeds', 'purgeCandles', 'purgeSnapshots', 'purgeOrderBooks'])(
  '%s leaves the last two days alone',
  async (name) => {
    expect(await refused(graph, name, { before: '2026-02-28T12:00:00.001Z' })).toMatchObject({
      code: 'VALIDATION_FAILED',
      path: ['input', 'before'],
      message: expect.stringContaining('2026-02-28T12:00:00.000Z or earlier'),
    });
  },
);

it('removes bars, and what was rolled up from them stays when a late one comes', async () => {
  const minute = (n: number) => `2026-02-01T00:0${n}:00Z`;
  await done(graph, 'ingestCandles', {
    candles: [candle(minute(0), '10 12 9 11'), candle(minute(1), '11 15 11 14'), candle(minute(2), '14 14 8 9')],
  });
  const before = (await bars(graph, 'M5')).map(line);
  const purge = (rest: object) => done(graph, 'purgeCandles', { before: minute(2), ...rest }, PURGED);
  expect(await purge({ interval: 'M1' })).toEqual({ deleted: 2, isComplete: true });
  await done(graph, 'ingestCandles', { candles: [candle(minute(3), '9 99 9 99')] });
  expect((await bars(graph, 'M5')).map(line)).toEqual(before);
  expect((await bars(graph, 'M1')).map(({ startTime }) => startTime)).toEqual([minute(2), minute(3)]);
  expect(await purge({ symbol: 'ETH-USD' })).toEqual({ deleted: 0, isComplete: true });
  expect(await purge({})).toEqual({ deleted: 5, isComplete: true }); // the longer ones begin at midnight
});

it('removes recorded order books', async () => {
  const book = (timestamp: string, sequence: string) => ({
    symbol: 'BTC-USD',
    venueId: 'okx',
    timestamp,
    sequence,
    bids: [{ price: '1', quantity: '1' }],
    asks: [{ price: '2', quantity: '1' }],
  });
  await done(graph, 'recordOrderBooks', { books: [book('2026-02-01T00:00:00Z', '1'), book(EDGE, '2')] });
  expect(await done(graph, 'purgeOrderBooks', { before: EDGE }, PURGED)).toEqual({ deleted: 1, isComplete: true });
});
