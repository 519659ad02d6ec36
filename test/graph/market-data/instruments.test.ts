import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ask, createInstruments, done, NOW, refused, tick } from './market.ts';

let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph({ now: () => new Date(NOW) });
});
afterAll(() => graph.close());

describe('creating an instrument', () => {
  it('keeps its terms, and creates its assets with it', async () => {
    const { instrument } = await done(
      graph,
      'createInstrument',
      {
        symbol: 'btc/usd',
        displayName: 'Bitcoin',
        tickSize: '0.010',
        minOrderSize: '0.0001',
        maxOrderSize: '100',
        priceDecimals: 2,
        depegAlertThreshold: '0.02',
        metadata: { tags: ['a', 1] },
        venues: [
          {
            venueId: 'kraken',
            venueSymbol: 'XXBTZUSD',
            tickSize: '0.1',
            lotSize: '0.00000001',
            minOrderSize: '0.00005',
          },
          { venueId: 'coinbase', venueSymbol: 'BTC-USD' },
        ],
      },
      `instrument {
        symbol displayName kind isActive tickSize minOrderSize maxOrderSize priceDecimals circuitBreakerThreshold
        depegAlertThreshold metadata version
        baseAsset { code name kind } quoteAsset { code }
        venues { venue { venueId } venueSymbol tickSize lotSize minOrderSize }
        ticker { lastPrice } latestPrice { price } orderBookSnapshot { sequence } latestCandle(interval: M1) { close }
      }`,
    );
    expect(instrument).toEqual({
      symbol: 'BTC-USD',
      displayName: 'Bitcoin',
      kind: 'SPOT',
      isActive: true,
      tickSize: '0.01',
      minOrderSize: '0.0001',
      maxOrderSize: '100',
      priceDecimals: 2,
      circuitBreakerThreshold: '0.2',
      depegAlertThreshold: '0.02',
      metadata: { tags: ['a', 1] },
      version: 1,
      baseAsset: { code: 'BTC', name: null, kind: null },
      quoteAsset: { code: 'USD' },
      venues: [
        { venue: { venueId: 'coinbase' }, venueSymbol: 'BTC-USD', tickSize: null, lotSize: null, minOrderSize: null },
        {
          venue: { venueId: 'kraken' },
          venueSymbol: 'XXBTZUSD',
          tickSize: '0.1',
          lotSize: '0.00000001',
          minOrderSize: '0.00005',
        },
      ],
      ticker: null,
      latestPrice: null,
      orderBookSnapshot: null,
      latestCandle: null,
    });
  });

  it('is refused for a symbol that exists in any spelling', async () => {
    expect(await refused(graph, 'createInstrument', { symbol: 'BTCUSD' })).toEqual({
      __typename: 'Conflict',
      code: 'CONFLICT',
      message: 'BTC-USD exists already.',
      path: ['input', 'symbol'],
      currentVersion: 1,
    });
  });

  it('tells perpetuals from spot', async () => {
    const { instrument } = await done(
      graph,
      'createInstrument',
      { symbol: 'BTC-USD-PERP', isActive: false },
      'instrument { symbol kind isActive baseAsset { code } quoteAsset { code } }',
    );
    expect(instrument).toEqual({
      symbol: 'BTC-USD-PERP',
      kind: 'PERPETUAL',
      isActive: false,
      baseAsset: { code: 'BTC' },
      quoteAsset: { code: 'USD' },
    });
  });

  it.each([
    ['a base that is the quote', { symbol: 'USD-USD' }, ['input', 'symbol']],
    ['a symbol that is none', { symbol: 'nonsense' }, ['input', 'symbol']],
    ['a tick of zero', { symbol: 'A1-B1', tickSize: '0' }, ['input', 'tickSize']],
    ['a negative smallest order', { symbol: 'A1-B1', minOrderSize: '-1' }, ['input', 'minOrderSize']],
    ['min above max', { symbol: 'A1-B1', minOrderSize: '2', maxOrderSize: '1' }, ['input', 'minOrderSize']],
    ['nine price decimals', { symbol: 'A1-B1', priceDecimals: 9 }, ['input', 'priceDecimals']],
    ['a NUL in its name', { symbol: 'A1-B1', displayName: 'a\0' }, ['input', 'displayName']],
    ['a NUL in its metadata', { symbol: 'A1-B1', metadata: { a: '\0' } }, ['input', 'metadata']],
    [
      'a venue twice',
      {
        symbol: 'A1-B1',
        venues: [
          { venueId: 'x', venueSymbol: 'A' },
          { venueId: 'x', venueSymbol: 'B' },
        ],
      },
      ['input', 'venues', '1', 'venueId'],
    ],
  ])('is refused with %s, and leaves nothing', async (_, input, path) => {
    expect(await refused(graph, 'createInstrument', input)).toMatchObject({ code: 'VALIDATION_FAILED', path });
    expect(await ask(graph, '{ instrument(symbol: "A1-B1") { symbol } asset(code: "A1") { code } }')).toEqual({
      instrument: null,
      asset: null,
    });
  });

  it.each([
    ['a float', 0.01, 'Decimal must be text, for example "0.5", but got the number 0.01.'],
    ['an integer', 1, 'Decimal must be text, for example "0.5", but got the number 1.'],
    ['nine fractional digits', '0.000000001', 'Decimal takes at most 8 fractional digits, but got 9 in "0.000000001".'],
    ['an exponent', '1e-2', 'Decimal must be digits with an optional point, for example "-12.5", but got "1e-2".'],
  ])('does not take %s for a decimal', async (_, tickSize, message) => {
    const document =
      'mutation M($input: CreateInstrumentInput!) { createInstrument(input: $input) { errors { code } } }';
    const { errors } = await graph.subgraph('market-data', document, { input: { symbol: 'A1-B1', tickSize } });
    expect(errors).toHaveLength(1);
    expect(errors?.[0]?.message).toContain('at "input.tickSize"');
    expect(errors?.[0]?.message).toContain(message);
  });

  it('makes one of many that are created at once', async () => {
    const symbols = ['C1-D1', 'D1-C1', 'C1-E1', 'E1-D1'];
    const answers = await Promise.all(
      Array.from({ length: 24 }, (_, i) =>
        graph.subgraph(
          'market-data',
          'mutation M($symbol: String!) { createInstrument(input: { symbol: $symbol }) { errors { code } } }',
          { symbol: symbols[i % symbols.length] },
        ),
      ),
    );
    const codes = answers.map(({ data }) => data.createInstrument.errors[0]?.code ?? 'OK');
    expect(codes.toSorted()).toEqual([...Array(20).fill('CONFLICT'), ...Array(4).fill('OK')]);
  });
});

describe('changing an instrument', () => {
  beforeAll(() => createInstruments(graph, 'ETH-USD'));

  it('sets what is named, clears what is null, keeps the rest, and counts the version', async () => {
    const selection = 'instrument { displayName tickSize minOrderSize maxOrderSize metadata version }';
    await done(graph, 'updateInstrument', {
      symbol: 'ETH-USD',
      tickSize: '0.01',
      minOrderSize: '1',
      displayName: 'Ether',
    });
    const { instrument } = await done(
      graph,
      'updateInstrument',
      { symbol: 'ethusd', expectedVersion: 2, tickSize: null, maxOrderSize: '5', metadata: { a: 1 } },
      selection,
    );
    expect(instrument).toEqual({
      displayName: 'Ether',
      tickSize: null,
      minOrderSize: '1',
      maxOrderSize: '5',
      metadata: { a: 1 },
      version: 3,
    });
  });

  it('is refused when somebody else changed it first', async () => {
    expect(
      await refused(graph, 'updateInstrument', { symbol: 'ETH-USD', expectedVersion: 2, tickSize: '1' }),
    ).toMatchObject({
      code: 'CONFLICT',
      currentVersion: 3,
      path: ['input', 'expectedVersion'],
    });
  });

  it('is refused when the stored and the new terms contradict', async () => {
    expect(await refused(graph, 'updateInstrument', { symbol: 'ETH-USD', minOrderSize: '6' })).toMatchObject({
      code: 'VALIDATION_FAILED',
      message: 'minOrderSize must be at most maxOrderSize, but got 6 and 5.',
    });
  });

  it('cannot clear the breaker', async () => {
    const refusal = await refused(graph, 'updateInstrument', { symbol: 'ETH-USD', circuitBreakerThreshold: null });
    expect(refusal.path).toEqual(['input', 'circuitBreakerThreshold']);
  });

  it('cannot change base or quote: the input has no such field', async () => {
    const document =
      'mutation M($input: UpdateInstrumentInput!) { updateInstrument(input: $input) { errors { code } } }';
    const { errors } = await graph.subgraph('market-data', document, {
      input: { symbol: 'ETH-USD', baseAsset: 'BTC' },
    });
    expect(errors?.[0]?.message).toContain('"baseAsset" is not defined');
  });

  it('names an instrument that does not exist', async () => {
    expect(await refused(graph, 'updateInstrument', { symbol: 'NO-USD' })).toEqual({
      __typename: 'NotFound',
      code: 'NOT_FOUND',
      message: 'There is no Instrument with id "NO-USD".',
      path: ['input', 'symbol'],
      entity: 'Instrument',
      id: 'NO-USD',
    });
  });

  it('opens and closes it; what is so already is no change', async () => {
    const set = (isActive: boolean, rest: object = {}) =>
      done(graph, 'setInstrumentActive', { symbol: 'ETH-USD', isActive, ...rest }, 'instrument { isActive version }');
    expect((await set(false, { expectedVersion: 3 })).instrument).toEqual({ isActive: false, version: 4 });
    expect((await set(false)).instrument).toEqual({ isActive: false, version: 4 });
    expect((await set(true)).instrument).toEqual({ isActive: true, version: 5 });
    expect(
      await refused(graph, 'setInstrumentActive', { symbol: 'ETH-USD', isActive: false, expectedVersion: 4 }),
    ).toMatchObject({ code: 'CONFLICT', currentVersion: 5 });
  });

  it('lists it on a venue, and replaces its terms there', async () => {
    const set = (venue: object) =>
      done(
        graph,
        'setInstrumentVenue',
        { symbol: 'ETH-USD', venue: { venueId: 'bybit', ...venue } },
        'instrument { venues { venue { venueId } venueSymbol tickSize minOrderSize } }',
      );
    await set({ venueSymbol: 'ETHUSD', tickSize: '0.01' });
    expect((await set({ venueSymbol: 'ETHUSDX', minOrderSize: '5' })).instrument.venues).toEqual([
      { venue: { venueId: 'bybit' }, venueSymbol: 'ETHUSDX', tickSize: null, minOrderSize: '5' },
    ]);
    const input = { symbol: 'ETH-USD', venue: { venueId: 'By Bit', venueSymbol: 'X' } };
    expect((await refused(graph, 'setInstrumentVenue', input)).path).toEqual(['input', 'venue', 'venueId']);
  });

  it('takes a hundred venues and no more', async () => {
    await createInstruments(graph, 'MANY-USD');
    const venue = (i: number) => ({ venueId: `v${String(i).padStart(3, '0')}`, venueSymbol: 'MANY' });
    await graph.sql(
      'market-data',
      `insert into instrument_venues (symbol, venue_id, venue_symbol)
       select 'MANY-USD', 'v' || to_char(i, 'FM000'), 'MANY' from generate_series(1, 100) i`,
    );
    expect(await refused(graph, 'setInstrumentVenue', { symbol: 'MANY-USD', venue: venue(101) })).toMatchObject({
      message: 'An instrument is listed on at most 100 venues.',
    });
    await done(graph, 'setInstrumentVenue', { symbol: 'MANY-USD', venue: venue(100) });
    const { instrument } = await ask(graph, '{ instrument(symbol: "MANY-USD") { venues { venueSymbol } } }');
    expect(instrument.venues).toHaveLength(100);
  });
});

describe('repeating a command', () => {
  it('with the same key and content gives the first answer again', async () => {
    const input = { symbol: 'SOL-USD', tickSize: '0.1', idempotencyKey: 'create-sol' };
    const first = await done(graph, 'createInstrument', input, 'instrument { symbol version }');
    expect(await done(graph, 'createInstrument', input, 'instrument { symbol version }')).toEqual(first);
  });

  it('with the same key and other content is refused', async () => {
    const input = { symbol: 'SOL-USD', tickSize: '0.2', idempotencyKey: 'create-sol' };
    expect(await refused(graph, 'createInstrument', input)).toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
      key: 'create-sol',
    });
  });

  it('repeats a refusal too', async () => {
    const input = { symbol: 'NEW-USD', tickSize: '1', idempotencyKey: 'update-new' };
    expect(await refused(graph, 'updateInstrument', input)).toMatchObject({ code: 'NOT_FOUND' });
    await createInstruments(graph, 'NEW-USD');
    expect(await refused(graph, 'updateInstrument', input)).toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('assets', () => {
  it('are defined, and defined again', async () => {
    const selection = 'asset { code name kind version }';
    const defined = await done(graph, 'defineAsset', { code: 'usdt', name: 'Tether', kind: 'STABLECOIN' }, selection);
    expect(defined.asset).toEqual({ code: 'USDT', name: 'Tether', kind: 'STABLECOIN', version: 2 });
    const { asset } = await done(graph, 'defineAsset', { code: 'USDT', name: null }, selection);
    expect(asset).toEqual({ code: 'USDT', name: null, kind: 'STABLECOIN', version: 3 });
    expect(await refused(graph, 'defineAsset', { code: 'US DOLLAR' })).toMatchObject({ path: ['input', 'code'] });
    expect(await refused(graph, 'defineAsset', { code: 'BTC', name: '' })).toMatchObject({ path: ['input', 'name'] });
  });

  it('know their instruments', async () => {
    const { asset } = await ask(
      graph,
      `{ asset(code: "btc") {
        instrumentsAsBase(first: 1) { totalCount nodes { symbol } pageInfo { hasNextPage } }
        instrumentsAsQuote { totalCount nodes { symbol } }
      } }`,
    );
    expect(asset).toEqual({
      instrumentsAsBase: { totalCount: 2, nodes: [{ symbol: 'BTC-USD' }], pageInfo: { hasNextPage: true } },
      instrumentsAsQuote: { totalCount: 0, nodes: [] },
    });
  });
});

describe('other writers', () => {
  const rejects = (statement: string) => expect(graph.sql('market-data', statement)).rejects;

  it('have versions and times counted for them', async () => {
    const [row] = await graph.sql(
      'market-data',
      `update symbols set display_name = 'by hand' where symbol = 'BTC-USD' returning version, updated_at > created_at as later`,
    );
    expect(row).toEqual({ version: 2, later: true });
  });

  it('cannot break what a row can state', async () => {
    const insert = (symbol: string, base: string, quote: string, rest = '', values = '') =>
      `insert into symbols (symbol, base_currency, quote_currency${rest}) values ('${symbol}', '${base}', '${quote}'${values})`;
    await rejects(insert('USD-BTC', 'BTC', 'USD')).toThrow('symbols_symbol_spelling');
    await rejects(insert('BTC-BTC', 'BTC', 'BTC')).toThrow('symbols_base_differs_from_quote');
    await rejects(insert('USD-BTC', 'USD', 'BTC', ', min_order_size, max_order_size', ', 2, 1')).toThrow(
      'symbols_order_sizes_ordered',
    );
    await rejects(insert('XX-BTC', 'XX', 'BTC')).toThrow('symbols_base_currency_fkey');
    await rejects(`delete from assets where code = 'BTC'`).toThrow('symbols_base_currency_fkey');
  });

  it('cannot remove an instrument that has a history', async () => {
    await createInstruments(graph, 'OLD-USD');
    await done(graph, 'ingestPrices', { prices: [tick(NOW, '1', { symbol: 'OLD-USD' })] });
    await graph.sql('market-data', `delete from market_snapshots where symbol = 'OLD-USD'`);
    await graph.sql('market-data', `delete from tickers where symbol = 'OLD-USD'`);
    await rejects(`delete from symbols where symbol = 'OLD-USD'`).toThrow('still referenced by prices or candles');
  });

  it('can ask for the health of the schema', async () => {
    const [{ health }] = await graph.sql('market-data', 'select health_check() as health');
    expect(health).toMatchObject({ schema: 'market_data', status: 'healthy', tables: 22 });
  });
});
