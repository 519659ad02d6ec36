import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ask, createInstruments, done, fault, NOW, refused, send, TICKER, tick, tickerOf } from './market.ts';

let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph({ now: () => new Date(NOW) });
  await createInstruments(graph, 'BTC-USD', 'ETH-USD', 'ADA-USD', 'OFF-USD');
  await done(graph, 'setInstrumentActive', { symbol: 'OFF-USD', isActive: false });
});
afterAll(() => graph.close());

describe('ingesting prices', () => {
  it('stores prints, quotes and plain prices, and advances the ticker', async () => {
    const payload = await done(
      graph,
      'ingestPrices',
      {
        prices: [
          tick('2026-03-02T11:59:58Z', '100'),
          {
            symbol: 'btcusd',
            source: 'test',
            timestamp: '2026-03-02T11:59:59Z',
            bid: '100.5',
            ask: '101.5',
            bidSize: '2',
            askSize: '3',
          },
          tick('2026-03-02T11:59:59.5Z', '101.25', {
            sequence: '7',
            quantity: '0.5',
            takerSide: 'BUY',
            confidence: '0.9',
          }),
        ],
      },
      `tickers { instrument { symbol } ${TICKER} }`,
    );
    expect(payload).toEqual({
      accepted: 3,
      duplicates: 0,
      tickers: [
        {
          instrument: { symbol: 'BTC-USD' },
          lastPrice: '101.25',
          bid: '100.5',
          ask: '101.5',
          spread: '1',
          mid: '101',
          spreadBps: '99.00990099',
          quotedAt: '2026-03-02T11:59:59Z',
          volume24h: null,
          priceChange24h: null,
          priceChangePercent24h: null,
          source: 'test',
          timestamp: '2026-03-02T11:59:59.5Z',
          sequence: '7',
          version: 1,
        },
      ],
    });
    const { priceHistory } = await ask(
      graph,
      `{ priceHistory(symbol: "BTC-USD") { totalCount nodes {
        price bid ask bidSize askSize spread quantity takerSide confidence sequence timestamp
      } } }`,
    );
    const nothing = {
      bid: null,
      ask: null,
      bidSize: null,
      askSize: null,
      spread: null,
      quantity: null,
      takerSide: null,
    };
    expect(priceHistory).toEqual({
      totalCount: 3,
      nodes: [
        {
          ...nothing,
          price: '101.25',
          quantity: '0.5',
          takerSide: 'BUY',
          confidence: '0.9',
          sequence: '7',
          timestamp: '2026-03-02T11:59:59.5Z',
        },
        {
          ...nothing,
          price: '101',
          bid: '100.5',
          ask: '101.5',
          bidSize: '2',
          askSize: '3',
          spread: '1',
          confidence: null,
          sequence: '0',
          timestamp: '2026-03-02T11:59:59Z',
        },
        {
          ...nothing,
          price: '100',
          confidence: null,
          sequence: '0',
          timestamp: '2026-03-02T11:59:58Z',
        },
      ],
    });
  });

  it('refuses bad rows by their index and stores the good ones', async () => {
    const at = '2026-03-02T11:00:00Z';
    const payload = await send(graph, 'ingestPrices', {
      prices: [
        tick(at, '1', { symbol: 'ETH-USD', sequence: '1' }),
        tick(at, '1', { symbol: 'ETH-USD', bid: '2', ask: '1' }),
        tick('2026-03-02T12:00:05.001Z', '1', { symbol: 'ETH-USD' }),
        tick(at, '1', { symbol: 'NO-USD' }),
        tick(at, '1', { symbol: 'OFF-USD' }),
        tick(at, '1', { symbol: 'nonsense' }),
        tick(at, '-1', { symbol: 'ETH-USD' }),
        tick(at, '0', { symbol: 'ETH-USD' }),
        tick(at, '1', { symbol: 'ETH-USD', quantity: '-1' }),
        tick(at, '1', { symbol: 'ETH-USD', sequence: 'x' }),
        { symbol: 'ETH-USD', source: 'test', timestamp: at, ask: '1' },
        tick('1970-01-01T00:00:00Z', '1', { symbol: 'ETH-USD' }),
        tick(at, '1', { symbol: 'ETH-USD', source: 'a\0b' }),
        tick(at, '2', { symbol: 'eth/usd', sequence: '2' }),
      ],
    });
    expect(payload).toMatchObject({ accepted: 2, duplicates: 0, errors: [] });
    expect(
      payload.refused.map(({ index, error }: { index: number; error: { path: string[] } }) => [
        index,
        error.path.at(-1),
      ]),
    ).toEqual([
      [1, 'bid'],
      [2, 'timestamp'],
      [3, 'symbol'],
      [4, 'symbol'],
      [5, 'symbol'],
      [6, 'price'],
      [7, 'price'],
      [8, 'quantity'],
      [9, 'sequence'],
      [10, 'price'],
      [11, 'timestamp'],
      [12, 'source'],
    ]);
    expect(payload.refused[0].error).toEqual({
      __typename: 'ValidationFailed',
      code: 'VALIDATION_FAILED',
      message: 'bid must be at most the ask, but got bid 2 and ask 1.',
      path: ['input', 'prices', '1', 'bid'],
    });
    expect(payload.refused[2].error).toMatchObject({ code: 'NOT_FOUND', entity: 'Instrument', id: 'NO-USD' });
    expect(payload.refused[3].error.message).toBe('OFF-USD is not active, so nothing is recorded for it.');
  });

  it('takes a timestamp up to five seconds ahead', async () => {
    await done(graph, 'ingestPrices', { prices: [tick('2026-03-02T12:00:05Z', '5', { symbol: 'ADA-USD' })] });
    const { latestPrice } = await ask(graph, '{ latestPrice(symbol: "ADA-USD") { ageMs isStale } }');
    expect(latestPrice).toEqual({ ageMs: 0, isStale: false });
  });

  it('ignores and counts duplicates, within a call and between calls', async () => {
    const prices = [
      tick('2026-03-01T00:00:00Z', '10'),
      tick('2026-03-01T00:00:00Z', '11'),
      tick('2026-03-01T00:00:00Z', '12', { sequence: '1' }),
      tick('2026-03-01T00:00:00Z', '13', { source: 'other' }),
    ];
    expect(await done(graph, 'ingestPrices', { prices })).toEqual({ accepted: 3, duplicates: 1 });
    expect(await done(graph, 'ingestPrices', { prices })).toEqual({ accepted: 0, duplicates: 4 });
  });

  it('refuses more than 10,000 rows, or more than 100 days, as a whole', async () => {
    const rows = Array.from({ length: 10_001 }, () => tick(NOW, '1'));
    expect(await refused(graph, 'ingestPrices', { prices: rows })).toMatchObject({
      code: 'VALIDATION_FAILED',
      message: 'prices takes at most 10000 rows, but got 10001.',
      path: ['input', 'prices'],
    });
    const days = Array.from({ length: 101 }, (_, day) => tick(new Date(Date.UTC(2020, 0, 1 + day)).toISOString(), '1'));
    expect((await refused(graph, 'ingestPrices', { prices: days })).message).toContain('at most 100 different days');
  });

  it('takes nothing at all', async () => {
    expect(await done(graph, 'ingestPrices', { prices: [] })).toEqual({ accepted: 0, duplicates: 0 });
  });

  it.each([
    ['a float', { price: 1.5 }, 'input.prices[1].price'],
    ['nine digits', { price: '0.123456789' }, 'input.prices[1].price'],
    ['seventeen digits before the point', { price: '12345678901234567' }, 'input.prices[1].price'],
    ['a day without a time', { timestamp: '2026-03-01' }, 'input.prices[1].timestamp'],
    ['a time without an offset', { timestamp: '2026-03-01T00:00:00' }, 'input.prices[1].timestamp'],
    ['30 February', { timestamp: '2026-02-30T00:00:00Z' }, 'input.prices[1].timestamp'],
    ['nanoseconds', { timestamp: '2026-02-20T00:00:00.000000001Z' }, 'input.prices[1].timestamp'],
  ])('does not take %s, and says where', async (_, change, place) => {
    const { errors } = await graph.subgraph(
      'market-data',
      'mutation M($input: IngestPricesInput!) { ingestPrices(input: $input) { accepted } }',
      { input: { prices: [tick(NOW, '1'), { ...tick(NOW, '1'), ...change }] } },
    );
    expect(errors).toHaveLength(1);
    expect(errors?.[0]?.message).toContain(`at "${place}"`);
  });

  it('repeats its answer for the same key, and refuses the key for other content', async () => {
    const prices = [tick('2026-02-01T00:00:00Z', '10'), tick('2026-02-01T00:00:00Z', '0')];
    const input = { prices, idempotencyKey: 'ticks-1' };
    const first = await send(graph, 'ingestPrices', input);
    expect(first).toMatchObject({ accepted: 1, refused: [{ index: 1 }] });
    expect(await send(graph, 'ingestPrices', input)).toEqual(first);
    const other = { prices: prices.slice(0, 1), idempotencyKey: 'ticks-1' };
    expect(await refused(graph, 'ingestPrices', other)).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
  });

  it('keeps every tick when the same ones come from many sides at once, on new days', async () => {
    await createInstruments(graph, 'RACE-USD', 'PACE-USD');
    const prices = Array.from({ length: 200 }, (_, i) =>
      tick(new Date(Date.UTC(2025, 0, 1 + (i % 20), 0, i)).toISOString(), String(i + 1), {
        symbol: i % 2 ? 'RACE-USD' : 'PACE-USD',
      }),
    );
    const orders = Array.from({ length: 8 }, (_, i) => (i % 2 ? prices.toReversed() : prices));
    const answers = await Promise.all(orders.map((shuffled) => send(graph, 'ingestPrices', { prices: shuffled })));
    expect(answers.map(({ errors }) => errors)).toEqual(answers.map(() => []));
    expect(answers.reduce((sum, { accepted }) => sum + accepted, 0)).toBe(200);
    expect(await tickerOf(graph, 'RACE-USD')).toMatchObject({ lastPrice: '200', timestamp: '2025-01-20T03:19:00Z' });
    expect(await tickerOf(graph, 'PACE-USD')).toMatchObject({ lastPrice: '199' });
  });
});

describe('lists of ticks', () => {
  beforeAll(async () => {
    await createInstruments(graph, 'LIST-USD', 'LIST-BTC');
    const at = (ms: number) => new Date(Date.UTC(2024, 7, 8, 23, 59, 59, ms)).toISOString();
    const prices = Array.from({ length: 30 }, (_, i) =>
      tick(at(Math.floor(i / 3)), String(i + 1), {
        symbol: 'LIST-USD',
        sequence: String(8 + i),
        source: i % 2 ? 'odd' : 'even',
      }),
    );
    await done(graph, 'ingestPrices', { prices: prices.toReversed() });
    await done(graph, 'ingestPrices', { prices: [tick('2024-08-09T00:00:00Z', '99', { symbol: 'LIST-BTC' })] });
  });

  it('run by instant and sequence, page by page, either way', async () => {
    for (const sortOrder of ['DESC', 'ASC']) {
      const seen: number[] = [];
      let after: string | null = null;
      do {
        const page = (
          await ask(
            graph,
            `query P($after: String, $sortOrder: SortOrder) {
              priceHistory(symbol: "LIST-USD", first: 7, after: $after, sortOrder: $sortOrder) {
                nodes { price } pageInfo { hasNextPage endCursor }
              }
            }`,
            { after, sortOrder },
          )
        ).priceHistory as { nodes: { price: string }[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
        seen.push(...page.nodes.map(({ price }) => Number(price)));
        after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
      } while (after);
      const expected = Array.from({ length: 30 }, (_, i) => i + 1);
      expect(seen).toEqual(sortOrder === 'ASC' ? expected : expected.reverse());
    }
  });

  it.each([
    ['symbol: "list/usd"', 30],
    ['symbol: "LIST-USD", source: "odd"', 15],
    ['symbol: "LIST-USD", source: "no\\u0000ne"', 0],
    ['symbol: "LIST-USD", from: "2024-08-08T23:59:59.003Z"', 21],
    ['symbol: "LIST-USD", to: "2024-08-08T23:59:59.003Z"', 9],
    ['symbol: "LIST-USD", from: "2024-08-08T23:59:59.003Z", to: "2024-08-08T23:59:59.004Z"', 3],
    ['from: "2024-08-08T00:00:00Z", to: "2024-08-09T00:00:00.000001Z"', 31],
    ['symbol: "NO-USD"', 0],
  ])('filtered by { %s }', async (filter, count) => {
    const { priceFeeds } = await ask(graph, `{ priceFeeds(filter: { ${filter} }) { totalCount nodes { price } } }`);
    expect([priceFeeds.totalCount, priceFeeds.nodes.length]).toEqual([count, count]);
  });

  it('lead to single ticks', async () => {
    const { priceFeeds } = await ask(
      graph,
      '{ priceFeeds(filter: { symbol: "LIST-BTC" }) { nodes { feedId price } } }',
    );
    const query = 'query F($feedId: ID!) { priceFeed(feedId: $feedId) { price instrument { symbol } } }';
    const [{ feedId }] = priceFeeds.nodes;
    expect((await ask(graph, query, { feedId })).priceFeed).toEqual({
      price: '99',
      instrument: { symbol: 'LIST-BTC' },
    });
    expect((await ask(graph, query, { feedId: '00000000-0000-4000-8000-000000000000' })).priceFeed).toBeNull();
    expect((await ask(graph, query, { feedId: 'nonsense' })).priceFeed).toBeNull();
  });

  it('are windowed by an instrument too', async () => {
    const { instrument } = await ask(
      graph,
      `{ instrument(symbol: "LIST-USD") { priceHistory(first: 1, from: "2024-08-08T23:59:59Z", to: "2024-08-08T23:59:59.001Z") {
        totalCount nodes { price } pageInfo { hasNextPage }
      } } }`,
    );
    expect(instrument.priceHistory).toEqual({
      totalCount: 3,
      nodes: [{ price: '3' }],
      pageInfo: { hasNextPage: true },
    });
  });

  it('refuse pages above 500', async () => {
    const { message } = await fault(graph, '{ priceFeeds(first: 10000) { nodes { price } } }');
    expect(message).toBe('first must be from 0 to 500, but got 10000.');
  });
});

describe('other writers', () => {
  const insert = (columns: string, values: string) =>
    graph.sql(
      'market-data',
      `insert into price_feeds (symbol, source, timestamp, price${columns}) values ('BTC-USD', 't', '2026-03-02', ${values})`,
    );

  it('cannot store a tick that breaks a rule', async () => {
    await expect(insert('', '0')).rejects.toThrow('price_feeds_prices_range');
    await expect(insert('', `'NaN'`)).rejects.toThrow('price_feeds_prices_range');
    await expect(insert(', bid, ask', '1, 2, 1')).rejects.toThrow('price_feeds_bid_at_most_ask');
    await expect(insert(', quantity', '1, 0')).rejects.toThrow('price_feeds_quantity_range');
    await expect(
      graph.sql(
        'market-data',
        `insert into price_feeds (symbol, source, timestamp, price) values ('NO-USD', 't', '2026-03-02', 1)`,
      ),
    ).rejects.toThrow('unknown symbols: NO-USD');
  });

  it('find a partition for any day they prepare, also when many prepare it at once', async () => {
    const made = await Promise.all(
      Array.from({ length: 6 }, () =>
        graph.sql(
          'market-data',
          `select ensure_price_feed_partitions(array['2019-05-05 23:59:59.999999Z', '2019-05-06Z']::timestamptz[]) as made`,
        ),
      ),
    );
    expect(made.reduce((sum, [{ made: count }]) => sum + count, 0)).toBe(2);
    const days = await graph.sql(
      'market-data',
      `select relname from pg_class where relname like 'price_feeds_201905%' and relkind = 'r' order by relname`,
    );
    expect(days.map(({ relname }) => relname)).toEqual(['price_feeds_20190505', 'price_feeds_20190506']);
  });
});
