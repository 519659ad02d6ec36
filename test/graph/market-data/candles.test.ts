import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ask, bars, candle, createInstruments, done, fault, line, NOW, refused, send } from './market.ts';

let now = NOW;
let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph({ now: () => new Date(now) });
  await createInstruments(graph, 'BTC-USD', 'OFF-USD');
  await done(graph, 'setInstrumentActive', { symbol: 'OFF-USD', isActive: false });
});
afterAll(() => graph.close());

/** Each test has an instrument of its own. */
let last = 0;
async function newSymbol(): Promise<string> {
  last++;
  const symbol = `T${last}-USD`;
  await createInstruments(graph, symbol);
  return symbol;
}

const ingest = (candles: object[]) => send(graph, 'ingestCandles', { candles });
const at = (minute: number) => new Date(Date.UTC(2026, 1, 1) + minute * 60_000).toISOString().replace('.000', '');

describe('ingesting bars', () => {
  it('stores what the source says', async () => {
    const symbol = await newSymbol();
    const bar = candle(at(0), '7424.91 7425 7422 7422.00000001', {
      symbol: symbol.replace('-', '/'),
      volume: '7.14319709',
      vwap: '7423.5',
      numTrades: 12,
      source: 'coinbase',
      metadata: { a: 1 },
    });
    expect(await done(graph, 'ingestCandles', { candles: [bar] })).toEqual({
      inserted: 1,
      updated: 0,
      ignored: 0,
      rolledUp: 5,
    });
    const [stored] = await bars(
      graph,
      'M1',
      symbol,
      `interval startTime endTime open high low close volume vwap numTrades
      isClosed origin coveredMinutes source metadata version instrument { symbol }`,
    );
    expect(stored).toEqual({
      interval: 'M1',
      startTime: '2026-02-01T00:00:00Z',
      endTime: '2026-02-01T00:01:00Z',
      open: '7424.91',
      high: '7425',
      low: '7422',
      close: '7422.00000001',
      volume: '7.14319709',
      vwap: '7423.5',
      numTrades: 12,
      isClosed: true,
      origin: 'REPORTED',
      coveredMinutes: 1,
      source: 'coinbase',
      metadata: { a: 1 },
      version: 1,
      instrument: { symbol },
    });
  });

  it('refuses bad rows by their index and stores the good ones', async () => {
    const symbol = await newSymbol();
    const row = (minute: number, prices: string, rest: object = {}) => candle(at(minute), prices, { symbol, ...rest });
    const payload = await ingest([
      row(0, '1 2 1 2'),
      row(1, '1 2 1.5 2'),
      row(1, '1 1 1 2'),
      row(1, '0 1 0 1'),
      row(1, '1 1 1 1', { volume: '-1' }),
      row(1, '1 2 1 1', { vwap: '3' }),
      row(1, '1 1 1 1', { numTrades: -1 }),
      row(1, '1 1 1 1', { interval: 'M5' }),
      row(1, '1 1 1 1', { startTime: '2026-02-01T00:01:00.5Z' }),
      row(1, '1 1 1 1', { startTime: '2026-03-02T12:01:00Z' }),
      row(1, '1 1 1 1', { startTime: '2026-03-02T12:00:00Z', isClosed: true }),
      row(1, '1 1 1 1', { startTime: '2008-01-01T00:00:00Z' }),
      row(1, '1 1 1 1', { symbol: 'NO-USD' }),
      row(1, '1 1 1 1', { symbol: 'OFF-USD' }),
      row(1, '1 1 1 1', { symbol: '?' }),
      row(1, '1 1 1 1', { source: 'x'.repeat(101) }),
      row(2, '2 3 2 3'),
    ]);
    expect(payload).toMatchObject({ inserted: 2, updated: 0, ignored: 0, errors: [] });
    const fields = payload.refused.map(({ index, error }: { index: number; error: { path: string[] } }) => {
      expect(error.path.slice(0, 3)).toEqual(['input', 'candles', String(index)]);
      return `${index} ${error.path[3]}`;
    });
    expect(fields).toEqual([
      '1 low',
      '2 high',
      '3 low',
      '4 volume',
      '5 vwap',
      '6 numTrades',
      '7 startTime',
      '8 startTime',
      '9 startTime',
      '10 isClosed',
      '11 startTime',
      '12 symbol',
      '13 symbol',
      '14 symbol',
      '15 source',
    ]);
    expect((await bars(graph, 'M5', symbol)).map(line)).toEqual(['2026-02-01T00:00:00Z 1 3 1 3 2 -']);
  });

  it('never changes a closed bar: the same again is ignored, another is refused', async () => {
    const symbol = await newSymbol();
    const first = candle(at(0), '1 2 1 2', { symbol, numTrades: 3 });
    await ingest([first]);
    const again = { ...first, open: '1.00', isClosed: false };
    const other = { ...first, close: '1.5' };
    const payload = await ingest([again, other, candle(at(1), '5 5 5 5', { symbol })]);
    expect(payload).toMatchObject({ inserted: 1, updated: 0, ignored: 1, errors: [] });
    expect(payload.refused).toEqual([
      {
        index: 1,
        error: {
          __typename: 'Conflict',
          code: 'CONFLICT',
          message: `The M1 bar of ${symbol} at 2026-02-01T00:00:00.000Z is closed with other content and never changes.`,
          path: ['input', 'candles', '1', 'startTime'],
          currentVersion: 1,
        },
      },
    ]);
    expect((await bars(graph, 'M1', symbol)).map(line)).toEqual([
      '2026-02-01T00:00:00Z 1 2 1 2 1 -',
      '2026-02-01T00:01:00Z 5 5 5 5 1 -',
    ]);
  });

  it('updates an open bar: open stays, high and low widen, the rest as given', async () => {
    const symbol = await newSymbol();
    const start = '2026-03-02T12:00:00Z';
    const report = (prices: string, volume: string) => candle(start, prices, { symbol, volume });
    expect(await ingest([report('10 10 10 10', '1'), report('11 12 11 12', '2')])).toMatchObject({
      inserted: 1,
      updated: 1,
    });
    expect(await ingest([report('11 11 8 9', '5')])).toMatchObject({ inserted: 0, updated: 1, rolledUp: 5 });
    expect(await ingest([report('11 11 8 9', '5')])).toMatchObject({ updated: 0, ignored: 1, rolledUp: 0 });
    const { latestCandle } = await ask(
      graph,
      'query L($symbol: String!) { latestCandle(symbol: $symbol, interval: M1) { open high low close volume isClosed version } }',
      { symbol },
    );
    expect(latestCandle).toEqual({
      open: '10',
      high: '12',
      low: '8',
      close: '9',
      volume: '5',
      isClosed: false,
      version: 2,
    });
    now = '2026-03-02T12:01:00Z';
    expect(await ingest([report('11 11 8 9', '5')])).toMatchObject({ updated: 1 });
    expect(await bars(graph, 'M1', symbol)).toMatchObject([{ isClosed: true, high: '12' }]);
    now = NOW;
  });

  it('takes nothing at all', async () => {
    expect(await done(graph, 'ingestCandles', { candles: [] })).toEqual({
      inserted: 0,
      updated: 0,
      ignored: 0,
      rolledUp: 0,
    });
  });

  it('takes 10,000 rows and refuses 10,001', async () => {
    const symbol = await newSymbol();
    const rows = Array.from({ length: 10_001 }, (_, i) =>
      candle(new Date(Date.UTC(2025, 0, 1) + i * 60_000).toISOString(), '1 3 1 2', { symbol }),
    );
    expect(await refused(graph, 'ingestCandles', { candles: rows })).toMatchObject({
      code: 'VALIDATION_FAILED',
      message: 'candles takes at most 10000 rows, but got 10001.',
    });
    expect(await bars(graph, 'D1', symbol)).toEqual([]);
    expect(await done(graph, 'ingestCandles', { candles: rows.slice(0, 10_000) })).toEqual({
      inserted: 10_000,
      updated: 0,
      ignored: 0,
      rolledUp: 2_000 + 667 + 167 + 42 + 7,
    });
    expect(await done(graph, 'ingestCandles', { candles: rows.slice(0, 10_000) })).toMatchObject({ ignored: 10_000 });
    expect((await bars(graph, 'D1', symbol)).map(({ volume }) => volume)).toEqual([...Array(6).fill('1440'), '1360']);
  });

  it('repeats its answer for the same key, and refuses the key for other content', async () => {
    const symbol = await newSymbol();
    const input = {
      candles: [candle(at(0), '1 1 1 1', { symbol }), candle(at(0), '1 1 1 2', { symbol })],
      idempotencyKey: 'bars-1',
    };
    const first = await send(graph, 'ingestCandles', input);
    expect(first).toMatchObject({ inserted: 1, refused: [{ index: 1 }] });
    expect(await send(graph, 'ingestCandles', input)).toEqual(first);
    const other = { candles: input.candles.slice(0, 1), idempotencyKey: 'bars-1' };
    expect(await refused(graph, 'ingestCandles', other)).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
  });

  it('reads again when somebody outside the graph inserts the same bar meanwhile', async () => {
    const symbol = await newSymbol();
    await graph.sql('market-data', `select ensure_candle_partitions(array['2026-02-01Z']::timestamptz[])`);
    const outside = graph.sql(
      'market-data',
      `begin;
       insert into candles (symbol, "interval", start_time, end_time, open, high, low, close, volume, is_closed, origin, covered_minutes)
       values ('${symbol}', '1m', '2026-02-01Z', '2026-02-01 00:01Z', 1, 2, 1, 2, 1, true, 'REPORTED', 1);
       select pg_sleep(1);
       commit;`,
    );
    const asleep = `select count(*)::int as count from pg_stat_activity where state = 'active' and query like '%${symbol}%pg_sleep(1)%' and wait_event = 'PgSleep'`;
    while ((await graph.sql('market-data', asleep))[0].count === 0)
      await new Promise((resolve) => setTimeout(resolve, 5));
    const payload = await ingest([candle(at(0), '1 2 1 2', { symbol }), candle(at(1), '2 4 2 3', { symbol })]);
    await outside;
    expect(payload).toMatchObject({ inserted: 1, ignored: 1, refused: [], errors: [] });
    expect((await bars(graph, 'H1', symbol)).map(line)).toEqual(['2026-02-01T00:00:00Z 1 4 1 3 2 -']);
  });
});

describe('rolled-up bars', () => {
  it('never take the place of a reported bar, and give way to one', async () => {
    const symbol = await newSymbol();
    await ingest([candle(at(0), '1 100 1 50', { symbol, interval: 'D1', volume: '999' })]);
    await ingest([candle(at(5), '10 11 10 11', { symbol })]);
    expect((await bars(graph, 'D1', symbol)).map(line)).toEqual(['2026-02-01T00:00:00Z 1 100 1 50 999 -']);
    expect(await ingest([candle(at(0), '9 20 9 12', { symbol, interval: 'H1', volume: '7' })])).toMatchObject({
      updated: 1,
    });
    expect(await bars(graph, 'H1', symbol)).toMatchObject([{ origin: 'REPORTED', coveredMinutes: 60, volume: '7' }]);
    expect(await bars(graph, 'H4', symbol)).toMatchObject([
      { origin: 'ROLLED_UP', coveredMinutes: 60, volume: '7', open: '9' },
    ]);
    expect((await bars(graph, 'D1', symbol)).map(line)).toEqual(['2026-02-01T00:00:00Z 1 100 1 50 999 -']);
  });

  it('are made of whatever interval the source reports', async () => {
    const symbol = await newSymbol();
    await ingest(
      [0, 60, 300].map((minute) => candle(at(minute), '1 2 1 2', { symbol, interval: 'H1', source: 'bitfinex' })),
    );
    expect((await bars(graph, 'H4', symbol)).map(({ coveredMinutes, volume }) => [coveredMinutes, volume])).toEqual([
      [120, '2'],
      [60, '1'],
    ]);
    expect(await bars(graph, 'D1', symbol)).toMatchObject([{ volume: '3', source: 'bitfinex', isClosed: true }]);
    expect(await bars(graph, 'M5', symbol)).toEqual([]);
  });

  it('close when their period is over, though nothing was traded at its end', async () => {
    const symbol = await newSymbol();
    now = '2026-03-02T11:50:30Z';
    await ingest([candle('2026-03-02T11:49:00Z', '1 1 1 1', { symbol })]);
    expect(await bars(graph, 'M5', symbol)).toMatchObject([{ isClosed: true }]);
    expect(await bars(graph, 'H1', symbol)).toMatchObject([{ isClosed: false }]);
    now = '2026-03-02T12:01:30Z';
    await ingest([candle('2026-03-02T12:00:00Z', '2 2 2 2', { symbol })]);
    expect((await bars(graph, 'H1', symbol)).map(({ isClosed }) => isClosed)).toEqual([true, false]);
    expect((await bars(graph, 'D1', symbol)).map(({ isClosed }) => isClosed)).toEqual([false]);
    now = NOW;
  });
});

describe('rolling up again', () => {
  const writeByHand = (symbol: string, minute: number, price: number) =>
    graph.sql(
      'market-data',
      `insert into candles (symbol, "interval", start_time, end_time, open, high, low, close, volume, vwap, turnover, is_closed, origin, covered_minutes)
       values ($1, '1m', $2::timestamptz, $2::timestamptz + interval '1 minute', $3, $3, $3, $3, 1, $3, $3, true, 'REPORTED', 1)`,
      [symbol, at(minute), price],
    );

  it('takes in bars that another writer stored', async () => {
    const symbol = await newSymbol();
    await ingest([candle(at(0), '10 10 10 10', { symbol, vwap: '10' })]);
    await writeByHand(symbol, 1, 20);
    await writeByHand(symbol, 1_439, 30);
    expect((await bars(graph, 'D1', symbol)).map(line)).toEqual(['2026-02-01T00:00:00Z 10 10 10 10 1 10']);
    const input = { symbol, from: '2026-02-01T13:00:00Z', to: '2026-02-01T13:00:00.000001Z' };
    expect(await done(graph, 'rollUpCandles', input)).toEqual({ rolledUp: 9 });
    expect((await bars(graph, 'D1', symbol)).map(line)).toEqual(['2026-02-01T00:00:00Z 10 30 10 30 3 20']);
    expect(await done(graph, 'rollUpCandles', input)).toEqual({ rolledUp: 0 });
  });

  it('takes 31 days and no more, of an instrument that exists', async () => {
    const symbol = await newSymbol();
    const input = { symbol, from: '2026-01-01T23:00:00Z', to: '2026-02-01T00:00:00Z' };
    expect(await done(graph, 'rollUpCandles', input)).toEqual({ rolledUp: 0 });
    const longer = { ...input, to: '2026-02-01T00:00:00.001Z' };
    expect((await refused(graph, 'rollUpCandles', longer)).message).toContain('At most 31 days');
    const backwards = { ...input, to: '2025-12-01T00:00:00Z' };
    expect((await refused(graph, 'rollUpCandles', backwards)).path).toEqual(['input', 'to']);
    expect(await refused(graph, 'rollUpCandles', { ...input, symbol: 'NO-USD' })).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('lists of bars', () => {
  beforeAll(async () => {
    await createInstruments(graph, 'LIST-USD');
    const open = candle('2026-03-02T12:00:00Z', '9 9 9 9', { symbol: 'LIST-USD', source: 'b' });
    const minutes = Array.from({ length: 12 }, (_, i) =>
      candle(at(i), `${i + 1} ${i + 1} ${i + 1} ${i + 1}`, { symbol: 'LIST-USD', source: i < 6 ? 'a' : 'b' }),
    );
    await done(graph, 'ingestCandles', { candles: [...minutes, open] });
  });

  it.each([
    ['interval: M1', 13],
    ['interval: M5', 4],
    ['origin: REPORTED', 13],
    ['origin: ROLLED_UP', 4 + 2 + 2 + 2 + 2],
    ['isClosed: false', 6],
    ['isClosed: true, interval: M1', 12],
    ['source: "a"', 6 + 1],
    ['source: "b", interval: M5', 2],
    ['from: "2026-02-01T00:10:00Z", interval: M1', 3],
    ['to: "2026-02-01T00:10:00Z", interval: M1', 10],
    ['from: "2026-02-01T00:03:00Z", to: "2026-02-01T00:10:00Z", interval: M1', 7],
  ])('filtered by { %s }', async (filter, count) => {
    const { candles } = await ask(
      graph,
      `{ candles(filter: { symbol: "list/usd", ${filter} }, first: 100) { totalCount nodes { close } } }`,
    );
    expect([candles.totalCount, candles.nodes.length]).toEqual([count, count]);
  });

  it('are paged through, newest first unless asked otherwise', async () => {
    const seen: string[] = [];
    let after: string | null = null;
    do {
      const page = (
        await ask(
          graph,
          `query P($after: String) { instrument(symbol: "LIST-USD") {
            candles(interval: M1, first: 5, after: $after, to: "2026-02-02T00:00:00Z") {
              nodes { close } pageInfo { hasNextPage endCursor }
            }
          } }`,
          { after },
        )
      ).instrument.candles as { nodes: { close: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
      seen.push(...page.nodes.map(({ close }) => close));
      after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
    } while (after);
    expect(seen).toEqual(Array.from({ length: 12 }, (_, i) => String(12 - i)));
  });

  it('lead to single bars, and to the newest', async () => {
    const { latestCandle } = await ask(
      graph,
      '{ latestCandle(symbol: "LIST-USD", interval: M5) { candleId close isClosed } }',
    );
    expect(latestCandle).toMatchObject({ close: '9', isClosed: false });
    const query = 'query C($id: ID!) { candle(candleId: $id) { close interval } }';
    expect((await ask(graph, query, { id: latestCandle.candleId })).candle).toEqual({ close: '9', interval: 'M5' });
    expect((await ask(graph, query, { id: 'nonsense' })).candle).toBeNull();
    expect((await ask(graph, '{ latestCandle(symbol: "NO-USD", interval: M5) { close } }')).latestCandle).toBeNull();
  });

  it('refuse pages above 500', async () => {
    const { message, code } = await fault(graph, '{ candles(first: 10000) { nodes { close } } }');
    expect([message, code]).toEqual(['first must be from 0 to 500, but got 10000.', 'BAD_USER_INPUT']);
  });
});

describe('other writers', () => {
  const insert = (interval: string, start: string, end: string, prices: string, rest = `'REPORTED', 1`) =>
    expect(
      graph.sql(
        'market-data',
        `insert into candles (symbol, "interval", start_time, end_time, open, high, low, close, volume, is_closed, origin, covered_minutes)
         values ('BTC-USD', '${interval}', '${start}', '${end}', ${prices}, 1, true, ${rest})`,
      ),
    ).rejects;

  it('cannot store a bar that breaks a rule', async () => {
    await graph.sql('market-data', `select ensure_candle_partitions(array['2026-02-01Z']::timestamptz[])`);
    const [start, end] = ['2026-02-01Z', '2026-02-01 00:01Z'];
    await insert('1m', start, end, '1, 1, 2, 1').toThrow('candles_low_is_lowest');
    await insert('1m', start, end, '2, 1, 1, 1').toThrow('candles_high_is_highest');
    await insert('1m', start, end, '0, 0, 0, 0').toThrow('candles_prices_range');
    await insert('1m', start, end, `'NaN', 'NaN', 'NaN', 'NaN'`).toThrow('candles_prices_range');
    await insert('1m', start, '2026-02-01 00:02Z', '1, 1, 1, 1').toThrow('candles_end_follows_interval');
    await insert('1m', '2026-02-01 00:00:30Z', '2026-02-01 00:01:30Z', '1, 1, 1, 1').toThrow('candles_start_aligned');
    await insert('2m', start, '2026-02-01 00:02Z', '1, 1, 1, 1').toThrow('candles_interval_known');
    await insert('1m', start, end, '1, 1, 1, 1', `'REPORTED', 2`).toThrow('candles_covered_minutes_range');
    await insert('1m', start, end, '1, 1, 1, 1', `'GUESSED', 1`).toThrow('candles_origin_known');
  });
});
