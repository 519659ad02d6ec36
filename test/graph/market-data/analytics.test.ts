import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ask, candle, createInstruments, done, fault, NOW, refused } from './market.ts';

let graph: TestGraph;
const hour = (n: number) => new Date(Date.UTC(2026, 1, 20) + n * 3_600_000).toISOString();
const minute = (n: number) => new Date(Date.UTC(2026, 2, 2, 10) + n * 60_000).toISOString();

/** Hours in which the price moves by the step, up and down in turn with a slight rise. */
const wave = (symbol: string, step: number, hours = 40) =>
  Array.from({ length: hours }, (_, n) => {
    const close = (100 + (n % 3) * step + n * 0.1).toFixed(4);
    return candle(hour(n), `${close} ${close} ${close} ${close}`, { symbol, interval: 'H1' });
  });

beforeAll(async () => {
  graph = await startGraph({ now: () => new Date(NOW) });
  await createInstruments(graph, 'BTC-USD', 'ETH-USD', 'INV-USD', 'FLAT-USD', 'FEW-USD', 'DAY-USD');
  const flat = Array.from({ length: 40 }, (_, n) => candle(hour(n), '5 5 5 5', { symbol: 'FLAT-USD', interval: 'H1' }));
  await done(graph, 'ingestCandles', {
    candles: [
      ...wave('BTC-USD', 1),
      ...wave('ETH-USD', 1),
      ...wave('INV-USD', -1),
      ...flat,
      ...wave('FEW-USD', 1, 3),
      candle(minute(0), '10 12 9 11', { symbol: 'DAY-USD', volume: '6', vwap: '10', numTrades: 3 }),
      candle(minute(1), '11 11 8 9', { symbol: 'DAY-USD', volume: '3', vwap: '9', numTrades: 2 }),
      candle(minute(2), '9 21 9 20', { symbol: 'DAY-USD', volume: '1', vwap: '20', numTrades: 1 }),
      candle('2026-03-01T11:59:00Z', '1 1 1 1', { symbol: 'DAY-USD', volume: '100', vwap: '1', numTrades: 1 }),
    ],
  });
});
afterAll(() => graph.close());

describe('correlations', () => {
  const MATRIX = 'interval matrix pairs { instruments { symbol } correlation samples }';

  it('are 1, -1 or something between, and unknown where there is too little', async () => {
    const { correlationMatrix } = await ask(
      graph,
      `{ correlationMatrix(symbols: ["btc/usd", "ETH-USD", "INV-USD", "FLAT-USD", "FEW-USD", "ETH-USD"]) { ${MATRIX} } }`,
    );
    const [first, , third] = correlationMatrix.matrix;
    expect(first.slice(0, 2)).toEqual(['1', '1']);
    expect(Number(first[2])).toBeLessThan(-0.9);
    expect(first.slice(3)).toEqual([null, null]);
    expect(third[0]).toBe(first[2]);
    expect(correlationMatrix.pairs).toHaveLength(10);
    expect(correlationMatrix.pairs[0]).toEqual({
      instruments: [{ symbol: 'BTC-USD' }, { symbol: 'ETH-USD' }],
      correlation: '1',
      samples: 39,
    });
    expect(correlationMatrix.pairs.at(-1).samples).toBe(2);
  });

  it('look at a window that ends where asked', async () => {
    const { correlationMatrix } = await ask(
      graph,
      `{ correlationMatrix(symbols: ["BTC-USD", "ETH-USD"], window: 5, to: "${hour(20)}") { to pairs { samples } } }`,
    );
    expect(correlationMatrix).toEqual({ to: hour(20).replace('.000', ''), pairs: [{ samples: 4 }] });
  });

  it.each([
    ['symbols: ["BTC-USD"]', '2 to 30'],
    ['symbols: ["BTC-USD", "BTCUSD"]', '2 to 30'],
    ['symbols: ["BTC-USD", "ETH-USD"], window: 2', '3 to 1000'],
    ['symbols: ["BTC-USD", "ETH-USD"], window: 1001', '3 to 1000'],
  ])('refuse { %s }', async (args, message) => {
    expect((await fault(graph, `{ correlationMatrix(${args}) { to } }`)).message).toContain(message);
  });
});

describe('a volume profile', () => {
  const profile = async (args: string) =>
    (
      await ask(
        graph,
        `{ volumeProfile(symbol: "DAY-USD", ${args}) {
          instrument { symbol } bars totalVolume valueAreaLow valueAreaHigh pointOfControl { low }
          buckets { low high volume }
        } }`,
      )
    ).volumeProfile;

  it('tells at which prices the volume was', async () => {
    expect(await profile(`from: "${minute(0)}", buckets: 2`)).toEqual({
      instrument: { symbol: 'DAY-USD' },
      bars: 3,
      totalVolume: '10',
      valueAreaLow: '9',
      valueAreaHigh: '14.5',
      pointOfControl: { low: '9' },
      buckets: [
        { low: '9', high: '14.5', volume: '9' },
        { low: '14.5', high: '20', volume: '1' },
      ],
    });
  });

  it('is one bucket at one price, and none without trades', async () => {
    expect(await profile(`from: "${minute(2)}"`)).toMatchObject({ buckets: [{ low: '20', high: '20', volume: '1' }] });
    const none = await profile(`from: "${minute(30)}"`);
    expect(none).toMatchObject({ bars: 0, totalVolume: '0', pointOfControl: null, valueAreaLow: null, buckets: [] });
  });

  it.each([
    [`from: "${minute(0)}", to: "${minute(0)}"`, 'after from'],
    ['from: "2025-01-01T00:00:00Z"', 'At most 44640'],
    [`from: "${minute(0)}", buckets: 101`, '1 to 100'],
    [`from: "${minute(0)}", buckets: 0`, '1 to 100'],
  ])('refuses { %s }', async (args, message) => {
    expect((await fault(graph, `{ volumeProfile(symbol: "DAY-USD", ${args}) { bars } }`)).message).toContain(message);
  });
});

it('the day is told from its bars', async () => {
  const fields = 'open high low close change changePercent volume vwap numTrades volatility bars';
  const { dayStatistics } = await ask(
    graph,
    `{ dayStatistics(symbol: "day/usd") { instrument { symbol } ${fields} } }`,
  );
  expect(dayStatistics).toEqual({
    instrument: { symbol: 'DAY-USD' },
    open: '10',
    high: '21',
    low: '8',
    close: '20',
    change: '10',
    changePercent: '100',
    volume: '10',
    vwap: '10.7',
    numTrades: 6,
    volatility: expect.stringMatching(/^\d+\.\d{1,8}$/),
    bars: 3,
  });
  expect(await ask(graph, '{ dayStatistics(symbol: "BTC-USD") { open } }')).toEqual({ dayStatistics: null });
});

describe('a simulation', () => {
  const SIMULATION = `simulation {
    instrument { symbol } type interval seed historical { startTime price } simulated { startTime price }
    similarity { correlation volatility returnDistribution trend confidence }
  }`;
  const simulate = async (input: object) =>
    (await done(graph, 'generateSimulation', { symbol: 'BTC-USD', dataPoints: 30, ...input }, SIMULATION)).simulation;

  it.each(['STATISTICAL_SIMILARITY', 'MONTE_CARLO', 'BROWNIAN_MOTION', 'MEAN_REVERSION', 'TREND_FOLLOWING'])(
    'of %s goes on from the bars, the same for the same seed',
    async (type) => {
      const first = await simulate({ type, seed: 7, hasNoise: true });
      expect(first).toMatchObject({ instrument: { symbol: 'BTC-USD' }, type, interval: 'H1', seed: 7 });
      expect(first.historical).toHaveLength(30);
      expect(first.simulated).toHaveLength(30);
      expect(first.historical.at(-1).startTime).toBe(hour(39));
      expect(first.simulated[0].startTime).toBe(hour(40));
      for (const { price } of first.simulated) expect(Number(price)).toBeGreaterThan(0);
      for (const figure of ['volatility', 'returnDistribution', 'trend', 'confidence']) {
        expect(Number(first.similarity[figure])).toBeGreaterThanOrEqual(0);
        expect(Number(first.similarity[figure])).toBeLessThanOrEqual(1);
      }
      expect(await simulate({ type, seed: 7, hasNoise: true })).toEqual(first);
      expect((await simulate({ type, seed: 8, hasNoise: true })).simulated).not.toEqual(first.simulated);
    },
  );

  it.each([
    [{ symbol: 'NO-USD' }, 'symbol', 'no Instrument'],
    [{ dataPoints: 9 }, 'dataPoints', '10 to 1000'],
    [{ dataPoints: 1_001 }, 'dataPoints', '10 to 1000'],
    [{ volatilityFactor: '-0.1' }, 'volatilityFactor', '0 to 5'],
    [{ trendFactor: '5.1' }, 'trendFactor', '-5 to 5'],
    [{ hasNoise: true, noiseLevel: '2' }, 'noiseLevel', '0 to 1'],
    [{ symbol: 'FEW-USD' }, 'interval', 'At least 10 bars'],
  ])('is refused with %o', async (input, field, message) => {
    const base = { symbol: 'BTC-USD', type: 'BROWNIAN_MOTION' };
    expect(await refused(graph, 'generateSimulation', { ...base, ...input })).toMatchObject({
      path: ['input', field],
      message: expect.stringContaining(message),
    });
  });
});
