import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ACCOUNT, ask, done, order, refused, strategy, trade } from './desk.ts';

let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph();
});
afterAll(() => graph.close());

const market = (strategyId: string, more: object = {}) => ({
  strategyId,
  symbol: 'BTC-USD',
  side: 'BUY',
  type: 'MARKET',
  quantity: '1',
  execution: 'MANUAL',
  ...more,
});

describe('placeOrder', () => {
  it('records a pending order with all it was told', async () => {
    const strategyId = await strategy(graph, { venueIds: ['okx'] });
    const input = {
      orderId: 'my-order',
      strategyId,
      symbol: 'btcusd',
      side: 'SELL',
      type: 'STOP_LIMIT',
      quantity: '0.10000000',
      price: '49000.5',
      stopPrice: '49500',
      timeInForce: 'DAY',
      execution: 'MANUAL',
      venue: 'okx',
    };
    const { order: placed } = await done(
      graph,
      'placeOrder',
      input,
      `order { orderId strategy { strategyId } account { accountId } instrument { symbol } side type status timeInForce
        quantity filledQuantity remainingQuantity price stopPrice averageFillPrice commission realizedPnl venue
        execution exchangeOrderId exchangeOrder { orderId } lastError cancelRequestedAt errorMessage submittedAt filledAt cancelledAt version traceId }`,
    );
    expect(placed).toEqual({
      orderId: 'my-order',
      strategy: { strategyId },
      account: { accountId: ACCOUNT },
      instrument: { symbol: 'BTC-USD' },
      side: 'SELL',
      type: 'STOP_LIMIT',
      status: 'PENDING',
      timeInForce: 'DAY',
      quantity: '0.1',
      filledQuantity: '0',
      remainingQuantity: '0.1',
      price: '49000.5',
      stopPrice: '49500',
      averageFillPrice: null,
      commission: '0',
      realizedPnl: null,
      venue: 'okx',
      execution: 'MANUAL',
      exchangeOrderId: null,
      exchangeOrder: null,
      lastError: null,
      cancelRequestedAt: null,
      errorMessage: null,
      submittedAt: null,
      filledAt: null,
      cancelledAt: null,
      version: 1,
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
    expect(await refused(graph, 'placeOrder', input)).toMatchObject({
      __typename: 'Conflict',
      message: 'An order with id "my-order" exists already.',
      path: ['input', 'orderId'],
      currentVersion: null,
    });
  });

  it('makes an id and rests until cancelled when not told otherwise', async () => {
    const { order: placed } = await done(
      graph,
      'placeOrder',
      market(await strategy(graph)),
      'order { orderId timeInForce }',
    );
    expect(placed).toEqual({ orderId: expect.stringMatching(/^[0-9a-f-]{36}$/), timeInForce: 'GTC' });
  });

  it('gives the first answer to the same idempotency key, a refusal too', async () => {
    const strategyId = await strategy(graph);
    const input = market(strategyId, { idempotencyKey: `key-${strategyId}` });
    const first = await done(graph, 'placeOrder', input, 'order { orderId }');
    expect(await done(graph, 'placeOrder', input, 'order { orderId }')).toEqual(first);
    expect(await refused(graph, 'placeOrder', { ...input, quantity: '2' })).toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
    const bad = market(strategyId, { symbol: 'ETH-USD', idempotencyKey: `bad-${strategyId}` });
    const refusal = await refused(graph, 'placeOrder', bad);
    expect(await refused(graph, 'placeOrder', bad)).toEqual(refusal);
    const { tradingOrders } = await ask(
      graph,
      'query ($id: ID!) { tradingOrders(filter: { strategyId: $id }) { totalCount } }',
      { id: strategyId },
    );
    expect(tradingOrders.totalCount).toBe(1);
  });

  const prices: [string, object, string | null][] = [
    ['MARKET with a price', { type: 'MARKET', price: '1' }, 'A MARKET order takes no price.'],
    ['MARKET with a stopPrice', { type: 'MARKET', stopPrice: '1' }, 'A MARKET order takes no stopPrice.'],
    ['LIMIT without a price', { type: 'LIMIT' }, 'A LIMIT order needs price.'],
    ['LIMIT with a price', { type: 'LIMIT', price: '1' }, null],
    ['STOP without a stopPrice', { type: 'STOP', price: '1' }, 'A STOP order takes no price.'],
    ['STOP with a stopPrice', { type: 'STOP', stopPrice: '1' }, null],
    ['STOP_LIMIT with one of two', { type: 'STOP_LIMIT', price: '1' }, 'A STOP_LIMIT order needs stopPrice.'],
    ['STOP_LIMIT with both', { type: 'STOP_LIMIT', price: '1', stopPrice: '1' }, null],
    ['TRAILING_STOP without a stopPrice', { type: 'TRAILING_STOP' }, 'A TRAILING_STOP order needs stopPrice.'],
    ['TRAILING_STOP with a stopPrice', { type: 'TRAILING_STOP', stopPrice: '1' }, null],
  ];
  it.each(prices)('%s', async (_, more, message) => {
    const input = market(await strategy(graph), more);
    if (message === null) await done(graph, 'placeOrder', input);
    else expect(await refused(graph, 'placeOrder', input)).toMatchObject({ code: 'VALIDATION_FAILED', message });
  });

  const bad: [string, object, string, string][] = [
    ['a quantity of zero', { quantity: '0' }, 'quantity must be above zero, but got 0.', 'quantity'],
    ['a negative quantity', { quantity: '-0.1' }, 'quantity must be above zero, but got -0.1.', 'quantity'],
    [
      'too large a quantity',
      { quantity: '1000000000000' },
      'quantity must be below 1000000000000, but got 1000000000000.',
      'quantity',
    ],
    ['a price of zero', { type: 'LIMIT', price: '0' }, 'price must be above zero, but got 0.', 'price'],
    [
      'a negative stopPrice',
      { type: 'STOP', stopPrice: '-5' },
      'stopPrice must be above zero, but got -5.',
      'stopPrice',
    ],
    [
      'a symbol that is none',
      { symbol: 'gold' },
      '"gold" is not a symbol. Write BASE-QUOTE, for example BTC-USD.',
      'symbol',
    ],
    ['an instrument of others', { symbol: 'ETH-USD' }, "ETH-USD is not one of the strategy's instruments.", 'symbol'],
    [
      'a venue of others',
      { venue: 'kraken' },
      'venue must be one of the strategy\'s (okx), but got "kraken".',
      'venue',
    ],
    ['an empty id', { orderId: '' }, 'orderId must have 1 to 255 characters, but got 0.', 'orderId'],
    ['an id too long', { orderId: 'x'.repeat(256) }, 'orderId must have 1 to 255 characters, but got 256.', 'orderId'],
  ];
  it.each(bad)('refuses %s', async (_, more, message, field) => {
    const input = market(await strategy(graph, { venueIds: ['okx'] }), more);
    expect(await refused(graph, 'placeOrder', input)).toMatchObject({
      __typename: 'ValidationFailed',
      message,
      path: ['input', field],
    });
  });

  it('refuses a strategy that is not there', async () => {
    expect(await refused(graph, 'placeOrder', market('nowhere'))).toMatchObject({
      __typename: 'NotFound',
      entity: 'Strategy',
      id: 'nowhere',
      path: ['input', 'strategyId'],
    });
  });

  it.each(['inactive', 'paused', 'stopped', 'error'])('refuses while the strategy is %s', async (status) => {
    expect(await refused(graph, 'placeOrder', market(await strategy(graph, { status })))).toMatchObject({
      code: 'VALIDATION_FAILED',
      message: `The strategy is ${status.toUpperCase()}; orders are placed only while it is ACTIVE.`,
      path: ['input', 'strategyId'],
    });
  });
});

describe('maxDailyLoss', () => {
  it('leaves a strategy that has lost as much only the way out, until the next UTC day', async () => {
    const strategyId = await strategy(graph);
    await trade(graph, strategyId, '4', '100');
    await trade(graph, strategyId, '-1', '0.00000001');
    const lost = {
      code: 'LIMIT_BREACHED',
      limitId: null,
      message:
        'The strategy has lost 99.99999999 today, and its maxDailyLoss is 99.99999999: until the next UTC day it may only reduce positions.',
    };
    await done(graph, 'placeOrder', market(strategyId));
    await graph.sql('trading', 'update strategies set max_daily_loss = 99.99999999 where strategy_id = $1', [
      strategyId,
    ]);
    expect(await refused(graph, 'placeOrder', market(strategyId))).toMatchObject(lost);
    expect(await refused(graph, 'placeOrder', market(strategyId, { side: 'SELL', quantity: '4' }))).toMatchObject(lost);
    const sell = market(strategyId, { side: 'SELL', quantity: '2' });
    const out = await done(graph, 'placeOrder', sell, 'order { orderId }');
    const [open] = await graph.sql('trading', 'select position_id from positions where strategy_id = $1', [strategyId]);
    const closing = { positionId: open.position_id, execution: 'MANUAL' };
    await done(graph, 'cancelOrder', { orderId: out.order.orderId });
    await done(graph, 'closePosition', closing);

    await graph.sql('trading', 'update strategies set daily_pnl_date = daily_pnl_date - 1 where strategy_id = $1', [
      strategyId,
    ]);
    await done(graph, 'placeOrder', market(strategyId));
  });
});

describe('maxPositionSize', () => {
  it('bounds the position together with the open orders of the side', async () => {
    const strategyId = await strategy(graph, { maxPositionSize: '10' });
    await trade(graph, strategyId, '4', '100');
    const open = await order(graph, strategyId, { quantity: '5' });
    expect(await refused(graph, 'placeOrder', market(strategyId, { quantity: '1.00000001' }))).toMatchObject({
      code: 'VALIDATION_FAILED',
      message:
        "The position could reach 10.00000001 with this order and those that are open, but the strategy's maxPositionSize is 10.",
      path: ['input', 'quantity'],
    });
    await done(graph, 'placeOrder', market(strategyId, { quantity: '1' }));
    await done(graph, 'cancelOrder', { orderId: open });
    await done(graph, 'placeOrder', market(strategyId, { quantity: '5' }));
  });

  it('bounds shorts alike, and lets a position be turned over', async () => {
    const strategyId = await strategy(graph, { maxPositionSize: '10' });
    await trade(graph, strategyId, '10', '100');
    const over = market(strategyId, { side: 'SELL', quantity: '20.00000001' });
    expect(await refused(graph, 'placeOrder', over)).toMatchObject({ path: ['input', 'quantity'] });
    await done(graph, 'placeOrder', market(strategyId, { side: 'SELL', quantity: '20' }));
  });

  it('counts each instrument for itself', async () => {
    const strategyId = await strategy(graph, { maxPositionSize: '1', symbols: ['BTC-USD', 'ETH-USD'] });
    await done(graph, 'placeOrder', market(strategyId));
    await done(graph, 'placeOrder', market(strategyId, { symbol: 'ETH-USD' }));
    expect(await refused(graph, 'placeOrder', market(strategyId))).toMatchObject({ path: ['input', 'quantity'] });
  });

  it('holds when many clients place at once', async () => {
    const strategyId = await strategy(graph, { maxPositionSize: '5' });
    const answers = await Promise.all(
      Array.from({ length: 20 }, () =>
        graph.run('mutation ($input: PlaceOrderInput!) { placeOrder(input: $input) { errors { code } } }', {
          input: market(strategyId),
        }),
      ),
    );
    const codes = answers.map(({ data }) => data.placeOrder.errors.map((error: { code: string }) => error.code).join());
    expect(codes.filter((code) => code === '')).toHaveLength(5);
    expect(codes.filter((code) => code === 'VALIDATION_FAILED')).toHaveLength(15);
  });
});
