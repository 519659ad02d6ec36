import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ACCOUNT, ask, done, order, refused, strategy, trade } from './desk.ts';

let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph();
  await graph.sql(
    'market-data',
    `insert into assets (code, name) values ('BTC', 'Bitcoin'), ('ETH', 'Ether'), ('USD', 'US dollar')`,
  );
  await graph.sql(
    'market-data',
    `insert into symbols (symbol, base_currency, quote_currency) values
       ('BTC-USD', 'BTC', 'USD'), ('ETH-USD', 'ETH', 'USD'), ('BTC-USD-PERP', 'BTC', 'USD')`,
  );
  await graph.sql('exchange', `insert into accounts (account_id, user_id, account_type) values ($1, 'alice', 'SPOT')`, [
    ACCOUNT,
  ]);
});
afterAll(() => graph.close());

const create = (more: object = {}) => ({
  name: 'Spread',
  type: 'MARKET_MAKING',
  accountId: ACCOUNT,
  symbols: ['BTC-USD'],
  ...more,
});

const ALL = `strategy { strategyId name type status account { accountId } instruments { symbol } venueIds parameters
  maxPositionSize maxDailyLoss maxLeverage totalTrades realizedPnl unrealizedPnl totalPnl dailyPnl errorMessage startedAt
  stoppedAt version traceId }`;

describe('createStrategy', () => {
  it('creates a strategy, inactive, with all it was told', async () => {
    const { strategy: created } = await done(
      graph,
      'createStrategy',
      create({
        strategyId: 'spread-1',
        symbols: ['btc/usd', 'BTC-USD', 'ETHUSD', 'BTC-USD-PERP'],
        venueIds: ['okx', 'kraken'],
        parameters: { spread: '0.0005', legs: [1, { deep: true }] },
        maxPositionSize: '10.5',
        maxDailyLoss: '1000',
        maxLeverage: '3.25',
      }),
      ALL,
    );
    expect(created).toEqual({
      strategyId: 'spread-1',
      name: 'Spread',
      type: 'MARKET_MAKING',
      status: 'INACTIVE',
      account: { accountId: ACCOUNT },
      instruments: [{ symbol: 'BTC-USD' }, { symbol: 'ETH-USD' }, { symbol: 'BTC-USD-PERP' }],
      venueIds: ['okx', 'kraken'],
      parameters: { spread: '0.0005', legs: [1, { deep: true }] },
      maxPositionSize: '10.5',
      maxDailyLoss: '1000',
      maxLeverage: '3.25',
      totalTrades: 0,
      realizedPnl: '0',
      unrealizedPnl: '0',
      totalPnl: '0',
      dailyPnl: '0',
      errorMessage: null,
      startedAt: null,
      stoppedAt: null,
      version: 1,
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
  });

  it('makes an id and leaves the rest open when not told', async () => {
    const { strategy: created } = await done(graph, 'createStrategy', create(), ALL);
    expect(created).toMatchObject({
      strategyId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      venueIds: [],
      parameters: {},
      maxPositionSize: null,
      maxDailyLoss: null,
      maxLeverage: null,
    });
  });

  it('refuses an id that is taken, also when two take it at once', async () => {
    const input = create({ strategyId: 'taken' });
    const answers = await Promise.all(
      [input, input].map((each) =>
        graph.run(
          'mutation ($input: CreateStrategyInput!) { createStrategy(input: $input) { strategy { strategyId } errors { code } } }',
          { input: each },
        ),
      ),
    );
    const codes = answers.map(({ data }) => data.createStrategy.errors[0]?.code ?? 'done');
    expect(codes.sort()).toEqual(['CONFLICT', 'done']);
    expect(await refused(graph, 'createStrategy', input)).toMatchObject({
      __typename: 'Conflict',
      message: 'A strategy with id "taken" exists already.',
      path: ['input', 'strategyId'],
      currentVersion: null,
    });
  });

  it('gives the first answer to the same idempotency key', async () => {
    const input = create({ idempotencyKey: 'create-once' });
    const first = await done(graph, 'createStrategy', input, 'strategy { strategyId }');
    expect(await done(graph, 'createStrategy', input, 'strategy { strategyId }')).toEqual(first);
  });

  it('refuses an instrument that market data does not know', async () => {
    expect(await refused(graph, 'createStrategy', create({ symbols: ['BTC-USD', 'DOGE-USD'] }))).toMatchObject({
      __typename: 'NotFound',
      entity: 'Instrument',
      id: 'DOGE-USD',
      path: ['input', 'symbols'],
    });
  });

  it('refuses an account that the exchange does not know', async () => {
    const accountId = '00000000-0000-4000-8000-00000000dead';
    expect(await refused(graph, 'createStrategy', create({ accountId }))).toMatchObject({
      __typename: 'NotFound',
      entity: 'ExchangeAccount',
      id: accountId,
      path: ['input', 'accountId'],
    });
  });

  const bad: [string, object, string, string[]][] = [
    ['no instruments', { symbols: [] }, 'symbols must name 1 to 500 instruments, but got 0.', ['symbols']],
    [
      'a symbol that is none',
      { symbols: ['BTC-USD', 'gold'] },
      '"gold" is not a symbol. Write BASE-QUOTE, for example BTC-USD.',
      ['symbols', '1'],
    ],
    ['an empty name', { name: '' }, 'name must have 1 to 255 characters, but got 0.', ['name']],
    ['a long name', { name: 'x'.repeat(256) }, 'name must have 1 to 255 characters, but got 256.', ['name']],
    ['an empty id', { strategyId: '' }, 'strategyId must have 1 to 255 characters, but got 0.', ['strategyId']],
    ['an account that is no UUID', { accountId: 'me' }, 'accountId must be a UUID, but got "me".', ['accountId']],
    [
      'a negative limit',
      { maxPositionSize: '-1' },
      'maxPositionSize must be zero or more, but got -1.',
      ['maxPositionSize'],
    ],
    [
      'a limit too large',
      { maxDailyLoss: '1000000000000' },
      'maxDailyLoss must be below 1000000000000, but got 1000000000000.',
      ['maxDailyLoss'],
    ],
    [
      'a leverage too fine',
      { maxLeverage: '1.00001' },
      'maxLeverage takes at most 4 fractional digits, but got 1.00001.',
      ['maxLeverage'],
    ],
    [
      'a venue without a name',
      { venueIds: ['okx', ''] },
      '1 must have 1 to 255 characters, but got 0.',
      ['venueIds', '1'],
    ],
    [
      'parameters with NUL',
      { parameters: { note: 'a\0' } },
      'parameters must hold valid text without NUL characters.',
      ['parameters'],
    ],
  ];
  it.each(bad)('refuses %s', async (_, more, message, path) => {
    expect(await refused(graph, 'createStrategy', create(more))).toMatchObject({
      code: 'VALIDATION_FAILED',
      message,
      path: ['input', ...path],
    });
  });
});

describe('configureStrategy', () => {
  const made = async (more: object = {}): Promise<string> =>
    (await done(graph, 'createStrategy', create(more), 'strategy { strategyId }')).strategy.strategyId;

  it('changes what it names and leaves the rest', async () => {
    const strategyId = await made({ maxPositionSize: '1', maxLeverage: '2', venueIds: ['okx'], parameters: { a: 1 } });
    const input = {
      strategyId,
      expectedVersion: 1,
      name: 'Wider',
      symbols: ['ETH/USD'],
      maxPositionSize: null,
      maxDailyLoss: '5',
    };
    const { strategy: after } = await done(graph, 'configureStrategy', input, ALL);
    expect(after).toMatchObject({
      name: 'Wider',
      type: 'MARKET_MAKING',
      instruments: [{ symbol: 'ETH-USD' }],
      venueIds: ['okx'],
      parameters: { a: 1 },
      maxPositionSize: null,
      maxDailyLoss: '5',
      maxLeverage: '2',
      version: 2,
    });
    const more = { strategyId, expectedVersion: 2, venueIds: [], parameters: {} };
    expect((await done(graph, 'configureStrategy', more, ALL)).strategy).toMatchObject({
      venueIds: [],
      parameters: {},
    });
  });

  it('refuses when somebody changed it first', async () => {
    const strategyId = await made();
    await done(graph, 'configureStrategy', { strategyId, expectedVersion: 1, name: 'First' });
    expect(await refused(graph, 'configureStrategy', { strategyId, expectedVersion: 1, name: 'Second' })).toMatchObject(
      {
        __typename: 'Conflict',
        currentVersion: 2,
      },
    );
  });

  it('refuses while the strategy is active', async () => {
    const strategyId = await made();
    await done(graph, 'startStrategy', { strategyId });
    expect(await refused(graph, 'configureStrategy', { strategyId, expectedVersion: 2, name: 'Now' })).toMatchObject({
      code: 'VALIDATION_FAILED',
      message: 'An ACTIVE strategy cannot be configured. Pause or stop it first.',
    });
  });

  it('refuses to leave out an instrument that is held or ordered', async () => {
    const holding = await strategy(graph, { symbols: ['BTC-USD', 'ETH-USD'] });
    await trade(graph, holding, '1', '100');
    const ordering = await strategy(graph, { symbols: ['BTC-USD', 'ETH-USD'] });
    await order(graph, ordering);
    for (const strategyId of [holding, ordering]) {
      await done(graph, 'pauseStrategy', { strategyId, cancelOrders: false });
      const { strategy: now } = await ask(graph, 'query ($id: ID!) { strategy(id: $id) { version } }', {
        id: strategyId,
      });
      const input = { strategyId, expectedVersion: now.version };
      expect(await refused(graph, 'configureStrategy', { ...input, symbols: ['ETH-USD'] })).toMatchObject({
        message: 'BTC-USD cannot be left out: there is an open position or an active order in it.',
        path: ['input', 'symbols'],
      });
      await done(graph, 'configureStrategy', { ...input, symbols: ['BTC-USD'] });
    }
  });

  it.each(['name', 'symbols', 'venueIds', 'parameters'])('refuses null for %s', async (field) => {
    const strategyId = await made();
    expect(await refused(graph, 'configureStrategy', { strategyId, expectedVersion: 1, [field]: null })).toMatchObject({
      message: `${field} cannot be null. Leave it out.`,
      path: ['input', field],
    });
  });

  it('refuses a strategy and an instrument that are not there', async () => {
    expect(await refused(graph, 'configureStrategy', { strategyId: 'nowhere', expectedVersion: 1 })).toMatchObject({
      __typename: 'NotFound',
      entity: 'Strategy',
    });
    const input = { strategyId: await made(), expectedVersion: 1, symbols: ['DOGE-USD'] };
    expect(await refused(graph, 'configureStrategy', input)).toMatchObject({ entity: 'Instrument', id: 'DOGE-USD' });
  });
});
