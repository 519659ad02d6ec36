/** Bad input: each a clear error, never a 500, never a stack trace. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { audit } from './audit.ts';
import {
  ask,
  done,
  EXTERNAL,
  fault,
  HOUSE,
  holdings,
  list,
  open,
  orderInput,
  refusedOrder,
  UNKNOWN_ID,
} from './floor.ts';

let graph: TestGraph;
let accountId: string;
beforeAll(async () => {
  graph = await startGraph();
  const sizes = { minOrderSize: '0.001', maxOrderSize: '100' };
  await list(graph, 'BTC-USD', { tickSize: '0.05', ...sizes });
  await list(graph, 'ETH-USD');
  await list(graph, 'DOT-USD', { isActive: false });
  await list(graph, 'BTC-USD-PERP');
  accountId = await open(graph, { USD: '1000000', BTC: '1000' });
});
afterAll(async () => {
  expect(await audit(graph)).toEqual({});
  expect(await holdings(graph, accountId)).toEqual({ BTC: '1000 + 0', ETH: '0 + 0', USD: '1000000 + 0' });
  await graph.close();
});

describe('an order', () => {
  it.each([
    ['a zero quantity', 'buy 0 @ 100', {}, 'quantity', 'quantity must be above zero, but got 0.'],
    ['a negative quantity', 'buy -1 @ 100', {}, 'quantity', 'quantity must be above zero, but got -1.'],
    ['a zero price', 'buy 1 @ 0', {}, 'price', 'price must be above zero, but got 0.'],
    ['a negative stop', 'buy 1 stop -5', {}, 'stopPrice', 'stopPrice must be above zero, but got -5.'],
    ['a limit without price', 'buy 1 @', {}, 'price', 'A LIMIT order needs a price.'],
    [
      'a price off the step',
      'buy 1 @ 100.01',
      {},
      'price',
      "price must be a multiple of BTC-USD's price step 0.05, but got 100.01.",
    ],
    [
      'a stop off the step',
      'sell 1 stop 99.99',
      {},
      'stopPrice',
      "stopPrice must be a multiple of BTC-USD's price step 0.05, but got 99.99.",
    ],
    [
      'too small a size',
      'buy 0.0009 @ 100',
      {},
      'quantity',
      "BTC-USD's smallest order is 0.001, but quantity is 0.0009.",
    ],
    [
      'too large a size',
      'sell 100.00000001',
      {},
      'quantity',
      "BTC-USD's largest order is 100, but quantity is 100.00000001.",
    ],
    [
      'an instrument that is closed',
      'buy 1 @ 1',
      { symbol: 'DOT-USD' },
      'symbol',
      'DOT-USD is not active; it takes no new orders.',
    ],
    [
      'a perpetual',
      'buy 1 @ 1',
      { symbol: 'BTC-USD-PERP' },
      'symbol',
      'BTC-USD-PERP is a perpetual; this exchange trades spot instruments.',
    ],
    ['a symbol that is none', 'buy 1 @ 1', { symbol: 'bitcoin' }, 'symbol', /is not a symbol/],
    ['an empty symbol', 'buy 1 @ 1', { symbol: '' }, 'symbol', /is not a symbol/],
    ['a symbol of a table', 'buy 1 @ 1', { symbol: "x'; drop table orders; --" }, 'symbol', /is not a symbol/],
    [
      'more than can be stored',
      'buy 9999999999999999 @ 9999999999999999',
      { symbol: 'ETH-USD' },
      'quantity',
      /must be below 10000000000000000/,
    ],
    ['less than nothing', 'buy 0.00000001 @ 0.1', { symbol: 'ETH-USD' }, 'quantity', /worth less than 0.00000001/],
    ['an empty client order id', 'buy 1 @ 1', { clientOrderId: '' }, 'clientOrderId', /1 to 255 characters, but got 0/],
    ['a long client order id', 'buy 1 @ 1', { clientOrderId: 'x'.repeat(256) }, 'clientOrderId', /but got 256/],
    ['a client order id with NUL', 'buy 1 @ 1', { clientOrderId: 'a\0' }, 'clientOrderId', /without NUL/],
    ['metadata with NUL', 'buy 1 @ 1', { metadata: { note: ['\0'] } }, 'metadata', /without NUL/],
    [
      'an empty idempotency key',
      'buy 1 @ 1',
      { idempotencyKey: '' },
      'idempotencyKey',
      /1 to 200 characters, but got 0/,
    ],
  ] as const)('with %s is refused', async (_, words, more, field, message) => {
    const refusal = await refusedOrder(graph, accountId, words, more);
    expect(refusal).toMatchObject({ __typename: 'ValidationFailed', path: ['input', field] });
    expect(refusal.message).toMatch(message);
  });

  it('in an instrument that market data does not know is refused', async () => {
    expect(await refusedOrder(graph, accountId, 'buy 1 @ 1', { symbol: 'XRP/EUR' })).toMatchObject({
      __typename: 'NotFound',
      entity: 'Instrument',
      id: 'XRP-EUR',
      path: ['input', 'symbol'],
    });
    expect(await graph.sql('exchange', `select from order_books where symbol = 'XRP-EUR'`)).toEqual([]);
  });

  it.each([UNKNOWN_ID, 'x', '', '\0'])('of account %j is refused', async (id) => {
    expect(await refusedOrder(graph, id, 'buy 1 @ 1')).toMatchObject({
      __typename: 'NotFound',
      entity: 'ExchangeAccount',
      id,
      path: ['input', 'accountId'],
    });
  });

  it.each([HOUSE, EXTERNAL])('of the exchange’s own account %s is refused', async (id) => {
    expect(await refusedOrder(graph, id, 'buy 1 @ 1')).toMatchObject({ code: 'VALIDATION_FAILED' });
  });

  it('in an instrument that was closed a moment ago is refused', async () => {
    const input = orderInput(accountId, 'buy 1 @ 1', { symbol: 'ETH-USD', timeInForce: 'IOC' });
    await done(graph, 'placeExchangeOrder', input);
    await done(graph, 'setInstrumentActive', { symbol: 'ETH-USD', isActive: false });
    expect(await refusedOrder(graph, accountId, 'buy 1 @ 1', { symbol: 'ETH-USD' })).toMatchObject({
      message: 'ETH-USD is not active; it takes no new orders.',
    });
    await done(graph, 'setInstrumentActive', { symbol: 'ETH-USD', isActive: true });
    await done(graph, 'placeExchangeOrder', input);
  });
});

describe('a document', () => {
  const mutation = `mutation M($input: PlaceExchangeOrderInput!) { placeExchangeOrder(input: $input) { errors { message } } }`;
  const amounts = [0.5, 1, '0.123456789', '1e3', '1,000', '', 'NaN', '-', '12345678901234567', null, ['1']];

  it.each(amounts)('with quantity %j is the caller’s fault', async (quantity) => {
    const input = { ...orderInput(accountId, 'buy 1 @ 100'), quantity };
    const { errors, data } = await graph.run(mutation, { input });
    expect(data ?? null).toBeNull();
    expect(errors).toHaveLength(1);
    expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
    expect(errors?.[0]?.message).toMatch(/quantity/);
    expect(JSON.stringify(errors)).not.toMatch(/node_modules|at \w+ \(/);
  });

  it.each([
    ['an unknown side', { side: 'HOLD' }],
    ['an unknown type', { type: 'STOP_LIMIT' }],
    ['an unknown time in force', { timeInForce: 'DAY' }],
    ['an unknown field', { leverage: 10 }],
    ['metadata that is no object', { metadata: [1] }],
    ['metadata of 65 KiB', { metadata: { text: 'x'.repeat(66_000) } }],
  ])('with %s is the caller’s fault', async (_, changes) => {
    const { errors } = await graph.run(mutation, { input: { ...orderInput(accountId, 'buy 1 @ 100'), ...changes } });
    expect(errors).toHaveLength(1);
    expect(errors?.[0]?.extensions.code).toBe('BAD_USER_INPUT');
  });
});

describe('a page', () => {
  const lists = [
    'exchangeAccounts',
    'exchangeOrders',
    'exchangeTrades',
    'exchangeBalances',
    `openExchangeOrders@accountId: "${UNKNOWN_ID}", `,
    `ledgerEntries@accountId: "${UNKNOWN_ID}", `,
  ].map((text) => text.split('@') as [string, string?]);

  it.each(lists)('of %s has at most 500 items', async (name, args = '') => {
    for (const first of [10_000, 501, -1]) {
      expect(await fault(graph, `{ ${name}(${args}first: ${first}) { nodes { __typename } } }`)).toEqual({
        code: 'BAD_USER_INPUT',
        message: `first must be from 0 to 500, but got ${first}.`,
      });
    }
    await ask(graph, `{ ${name}(${args}first: 500) { nodes { __typename } } }`);
  });

  it.each(lists)('of %s begins at a cursor of its own', async (name, args = '') => {
    const { code } = await fault(graph, `{ ${name}(${args}after: "bm90IG1pbmU") { nodes { __typename } } }`);
    expect(code).toBe('BAD_USER_INPUT');
  });

  it('of the tape has 1 to 500 items', async () => {
    for (const first of [0, 501]) {
      expect(await fault(graph, `{ recentTrades(symbol: "BTC-USD", first: ${first}) { price } }`)).toEqual({
        code: 'BAD_USER_INPUT',
        message: `first must be from 1 to 500, but got ${first}.`,
      });
    }
  });
});

describe('a filter', () => {
  it.each([
    `exchangeOrders(filter: { symbol: "nonsense" }) { totalCount }`,
    `exchangeTrades(filter: { symbol: "BTC-BTC" }) { totalCount }`,
    `exchangeBalances(filter: { asset: "not an asset" }) { totalCount }`,
    `ledgerEntries(accountId: "${UNKNOWN_ID}", filter: { asset: "" }) { totalCount }`,
    `openExchangeOrders(accountId: "${UNKNOWN_ID}", symbol: "-") { totalCount }`,
    `exchangeBalanceOf(accountId: "${UNKNOWN_ID}", asset: "$") { total }`,
    `orderBook(symbol: "?") { version }`,
    `recentTrades(symbol: "") { price }`,
  ])('with a name that cannot be is the caller’s fault: %s', async (field) => {
    expect((await fault(graph, `{ ${field} }`)).code).toBe('BAD_USER_INPUT');
  });

  it.each([
    ['a naive instant', { from: '2026-01-01T00:00:00' }],
    ['a day', { to: '2026-01-01' }],
    ['nonsense', { from: 'yesterday' }],
  ])('with %s is the caller’s fault', async (_, filter) => {
    const query = `query Q($filter: ExchangeOrderFilter) { exchangeOrders(filter: $filter) { totalCount } }`;
    expect((await fault(graph, query, { filter })).code).toBe('BAD_USER_INPUT');
  });
});
