import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ask, candle, createInstruments, done, NOW, refused, send, TICKER, tick, tickerOf } from './market.ts';

let now = NOW;
let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph({ now: () => new Date(now) });
  await createInstruments(graph, 'SOL-USD', 'OFF-USD');
  await done(graph, 'setInstrumentActive', { symbol: 'OFF-USD', isActive: false });
});
afterAll(() => graph.close());

describe('the ticker', () => {
  beforeAll(() => createInstruments(graph, 'AAA-USD', 'BBB-USD', 'CCC-USD', 'DDD-USD'));
  const aaa = (timestamp: string, price: string, rest: object = {}) =>
    done(graph, 'ingestPrices', { prices: [tick(timestamp, price, { symbol: 'AAA-USD', ...rest })] });

  it('moves with newer prices only, by instant and then by sequence', async () => {
    await aaa('2026-03-02T10:00:00Z', '10', { bid: '9', ask: '11' });
    await aaa('2026-03-02T10:00:00Z', '12', { sequence: '5' });
    await aaa('2026-03-02T10:00:00Z', '13', { sequence: '4' });
    await aaa('2026-03-02T09:00:00Z', '14', { bid: '1', ask: '2' });
    expect(await tickerOf(graph, 'AAA-USD')).toMatchObject({
      lastPrice: '12',
      sequence: '5',
      bid: '9',
      ask: '11',
      quotedAt: '2026-03-02T10:00:00Z',
      version: 2,
    });
  });

  it('keeps every state it was in, in order', async () => {
    const { tickerHistory } = await ask(
      graph,
      `{ tickerHistory(filter: { symbol: "aaa/usd", from: "2026-03-02T10:00:00Z", to: "2026-03-02T10:00:01Z" }) {
        totalCount nodes { lastPrice bid spread sequence }
      } }`,
    );
    expect(tickerHistory).toEqual({
      totalCount: 2,
      nodes: [
        { lastPrice: '12', bid: '9', spread: '2', sequence: '5' },
        { lastPrice: '10', bid: '9', spread: '2', sequence: '0' },
      ],
    });
  });

  it('knows the change from the price 24 hours before', async () => {
    const prices = [
      tick('2026-03-01T09:59:59Z', '200', { symbol: 'BBB-USD' }),
      tick('2026-03-01T10:00:00Z', '160', { symbol: 'BBB-USD' }),
      tick('2026-03-01T10:00:00.000001Z', '150', { symbol: 'BBB-USD' }),
      tick('2026-03-02T10:00:00Z', '180', { symbol: 'BBB-USD', volume24h: '5000' }),
    ];
    await done(graph, 'ingestPrices', { prices });
    expect(await tickerOf(graph, 'BBB-USD')).toMatchObject({
      priceChange24h: '20',
      priceChangePercent24h: '12.5',
      volume24h: '5000',
    });
  });

  it('takes bars for what ticks do not tell: the price before, the volume since', async () => {
    const candles = [
      candle('2026-03-01T09:58:00Z', '50 50 50 50', { symbol: 'CCC-USD' }),
      candle('2026-03-01T09:59:00Z', '40 40 40 40', { symbol: 'CCC-USD' }),
      candle('2026-03-01T10:00:00Z', '30 30 30 30', { symbol: 'CCC-USD', volume: '2.5' }),
      candle('2026-03-02T09:59:00Z', '30 30 30 30', { symbol: 'CCC-USD', volume: '4' }),
      candle('2026-03-02T10:00:00Z', '30 30 30 30', { symbol: 'CCC-USD', volume: '8' }),
    ];
    await done(graph, 'ingestCandles', { candles });
    await done(graph, 'ingestPrices', { prices: [tick('2026-03-02T10:00:00Z', '50', { symbol: 'CCC-USD' })] });
    expect(await tickerOf(graph, 'CCC-USD')).toMatchObject({
      priceChange24h: '10',
      priceChangePercent24h: '25',
      volume24h: '6.5',
    });
  });

  it('is recorded as a venue computed it', async () => {
    const report = {
      symbol: 'DDD-USD',
      source: 'venue',
      timestamp: '2026-03-02T10:00:00Z',
      lastPrice: '110',
      bid: '109',
      ask: '111',
      volume24h: '77',
      priceChange24h: '10',
      metadata: { a: 1 },
    };
    const older = {
      ...report,
      timestamp: '2026-03-02T09:00:00Z',
      lastPrice: '90',
      priceChange24h: null,
      bid: null,
      ask: null,
    };
    const bad = [
      { ...report, bid: '112' },
      { ...report, symbol: 'OFF-USD' },
      { ...report, priceChange24h: '110' },
    ];
    const payload = await send(
      graph,
      'recordTickers',
      { tickers: [older, report, ...bad] },
      `tickers { ${TICKER} metadata }`,
    );
    expect(payload.refused.map(({ index }: { index: number }) => index)).toEqual([2, 3, 4]);
    expect(payload).toMatchObject({ recorded: 2, duplicates: 0 });
    expect(payload.tickers).toEqual([
      {
        lastPrice: '110',
        bid: '109',
        ask: '111',
        spread: '2',
        mid: '110',
        spreadBps: '181.81818182',
        quotedAt: '2026-03-02T10:00:00Z',
        volume24h: '77',
        priceChange24h: '10',
        priceChangePercent24h: '10',
        source: 'venue',
        timestamp: '2026-03-02T10:00:00Z',
        sequence: '0',
        metadata: { a: 1 },
        version: 1,
      },
    ]);
    expect(await done(graph, 'recordTickers', { tickers: [older, report] })).toEqual({ recorded: 0, duplicates: 2 });
    await done(graph, 'ingestPrices', { prices: [tick('2026-03-02T10:00:01Z', '111', { symbol: 'DDD-USD' })] });
    expect(await tickerOf(graph, 'DDD-USD')).toMatchObject({
      lastPrice: '111',
      bid: '109',
      volume24h: '77',
      version: 2,
    });
    expect((await refused(graph, 'recordTickers', { tickers: Array(1_001).fill(report) })).message).toContain('1000');
  });

  it('is answered for several symbols in the order asked', async () => {
    const { tickers } = await ask(
      graph,
      '{ tickers(symbols: ["bbb-usd", "OFF-USD", "AAAUSD", "NO-USD"]) { instrument { symbol } } }',
    );
    expect(tickers).toEqual([{ instrument: { symbol: 'BBB-USD' } }, { instrument: { symbol: 'AAA-USD' } }]);
  });
});

describe('the latest price', () => {
  const read = async () =>
    (
      await ask(
        graph,
        '{ latestPrice(symbol: "SOL-USD") { price bid ask source timestamp ageMs isStale instrument { symbol } } }',
      )
    ).latestPrice;

  it('is null before the first price', async () => {
    expect(await read()).toBeNull();
  });

  it('knows its age, and is stale after 30 seconds', async () => {
    await done(graph, 'ingestPrices', {
      prices: [tick('2026-03-02T11:59:59Z', '145', { symbol: 'SOL-USD', bid: '144' })],
    });
    expect(await read()).toEqual({
      price: '145',
      bid: '144',
      ask: null,
      source: 'test',
      timestamp: '2026-03-02T11:59:59Z',
      ageMs: 1_000,
      isStale: false,
      instrument: { symbol: 'SOL-USD' },
    });
    now = '2026-03-02T12:00:29Z';
    expect(await read()).toMatchObject({ ageMs: 30_000, isStale: false });
    now = '2026-03-02T12:00:29.001Z';
    expect(await read()).toMatchObject({ ageMs: 30_001, isStale: true });
    now = '2027-03-02T12:00:00Z';
    expect(await read()).toMatchObject({ ageMs: 2_147_483_647, isStale: true });
    now = NOW;
  });
});
