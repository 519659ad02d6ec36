import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ask, done, execution, now, order, refused, send, strategy, trade } from './desk.ts';

let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph();
});
afterAll(() => graph.close());

const ORDER = 'order { status filledQuantity remainingQuantity averageFillPrice commission realizedPnl filledAt }';

describe('recordFill', () => {
  it('fills an order in two halves: cumulative quantity, weighted average, filledAt only at the end', async () => {
    const orderId = await order(graph, await strategy(graph), { quantity: '1', status: 'ACCEPTED' });
    const half = await done(graph, 'recordFill', execution(orderId, '0.5', '50100', { commission: '2' }), ORDER);
    expect(half.order).toEqual({
      status: 'PARTIALLY_FILLED',
      filledQuantity: '0.5',
      remainingQuantity: '0.5',
      averageFillPrice: '50100',
      commission: '2',
      realizedPnl: '-2',
      filledAt: null,
    });
    const executedAt = now();
    const rest = execution(orderId, '0.5', '50000', { commission: '1', executedAt });
    const whole = await done(graph, 'recordFill', rest, ORDER);
    expect(whole.order).toMatchObject({
      status: 'FILLED',
      filledQuantity: '1',
      remainingQuantity: '0',
      averageFillPrice: '50050',
      commission: '3',
      realizedPnl: '-3',
    });
    expect(Date.parse(whole.order.filledAt)).toBe(Date.parse(executedAt));
  });

  it('averages the fills of domain.md §12.3 to 50020', async () => {
    const orderId = await order(graph, await strategy(graph), { quantity: '1' });
    await done(graph, 'recordFill', execution(orderId, '0.5', '50000'));
    await done(graph, 'recordFill', execution(orderId, '0.3', '50100'));
    const last = await done(graph, 'recordFill', execution(orderId, '0.2', '49950'), ORDER);
    expect(last.order).toMatchObject({ status: 'FILLED', averageFillPrice: '50020' });
  });

  it('gives the trade all it was told, to the microsecond, and what follows from it', async () => {
    const strategyId = await strategy(graph);
    const orderId = await order(graph, strategyId, { side: 'SELL', quantity: '2' });
    const fill = execution(orderId, '0.75', '33333.33333333', {
      commission: '0.00000001',
      executedAt: now().replace('Z', '456Z'),
      liquidity: 'MAKER',
      notes: 'late report',
    });
    const { trade: recorded } = await done(
      graph,
      'recordFill',
      fill,
      `trade { order { orderId } strategy { strategyId } account { accountId } instrument { symbol } side quantity price
        grossValue commission netValue realizedPnl venue exchangeTradeId liquidity executedAt notes traceId }`,
    );
    expect(recorded).toEqual({
      order: { orderId },
      strategy: { strategyId },
      account: { accountId: '00000000-0000-4000-8000-000000000001' },
      instrument: { symbol: 'BTC-USD' },
      side: 'SELL',
      quantity: '0.75',
      price: '33333.33333333',
      grossValue: '25000',
      commission: '0.00000001',
      netValue: '24999.99999999',
      realizedPnl: '-0.00000001',
      venue: 'exchange-okx',
      exchangeTradeId: fill.exchangeTradeId,
      liquidity: 'MAKER',
      executedAt: fill.executedAt.replace(/0+Z$/, 'Z'),
      notes: 'late report',
      traceId: expect.stringMatching(/^[0-9a-f]{32}$/),
    });
  });

  it('rounds products half-even, as PostgreSQL itself would not', async () => {
    const strategyId = await strategy(graph);
    const small = await trade(graph, strategyId, '0.00000001', '0.5', {}, 'trade { grossValue } position { exposure }');
    expect(small).toEqual({ trade: { grossValue: '0' }, position: { exposure: '0' } });
    const odd = await trade(graph, await strategy(graph), '0.00000001', '1.5', {}, 'trade { grossValue }');
    expect(odd.trade.grossValue).toBe('0.00000002');
    const negative = await trade(graph, await strategy(graph), '-0.00000001', '2.5', {}, 'position { marketValue }');
    expect(negative.position.marketValue).toBe('-0.00000002');
  });

  it('holds the largest amounts there are', async () => {
    const huge = await trade(
      graph,
      await strategy(graph),
      '999999999999.99999999',
      '999999999999.99999999',
      {},
      'trade { grossValue } order { averageFillPrice } position { marketValue }',
    );
    expect(huge).toEqual({
      trade: { grossValue: '999999999999999999980000' },
      order: { averageFillPrice: '999999999999.99999999' },
      position: { marketValue: '999999999999999999980000' },
    });
  });

  it('refuses what would take the position past what can be stored', async () => {
    const strategyId = await strategy(graph);
    await trade(graph, strategyId, '999999999999', '1');
    const orderId = await order(graph, strategyId, { quantity: '1' });
    expect(await refused(graph, 'recordFill', execution(orderId, '1', '1'))).toMatchObject({
      code: 'VALIDATION_FAILED',
      message: 'The position would reach 1000000000000, but must stay below 1000000000000 either way.',
    });
  });

  it('closes a position exactly, then opens another', async () => {
    const strategyId = await strategy(graph);
    await trade(graph, strategyId, '2', '100');
    const flat = await trade(
      graph,
      strategyId,
      '-2',
      '101',
      { commission: '1' },
      'position { positionId } trade { realizedPnl }',
    );
    expect(flat).toEqual({ position: null, trade: { realizedPnl: '1' } });
    await trade(graph, strategyId, '-1', '102');
    const { positions } = await ask(
      graph,
      `query ($id: ID!) { positions(filter: { strategyId: $id }, sortOrder: ASC) {
        nodes { quantity averageEntryPrice realizedPnl isOpen } } }`,
      { id: strategyId },
    );
    expect(positions.nodes).toEqual([
      { quantity: '0', averageEntryPrice: '100', realizedPnl: '1', isOpen: false },
      { quantity: '-1', averageEntryPrice: '102', realizedPnl: '0', isOpen: true },
    ]);
  });

  it('counts trades and P&L in the strategy, the day only by trades of the day', async () => {
    const strategyId = await strategy(graph);
    await trade(graph, strategyId, '1', '100', { commission: '1' });
    await trade(graph, strategyId, '-1', '110', { commission: '1' });
    const query = 'query ($id: ID!) { strategy(id: $id) { totalTrades realizedPnl totalPnl dailyPnl } }';
    const today = await ask(graph, query, { id: strategyId });
    expect(today.strategy).toEqual({ totalTrades: 2, realizedPnl: '8', totalPnl: '8', dailyPnl: '8' });
    await graph.sql('trading', `update strategies set daily_pnl_date = daily_pnl_date - 1 where strategy_id = $1`, [
      strategyId,
    ]);
    const tomorrow = await ask(graph, query, { id: strategyId });
    expect(tomorrow.strategy).toEqual({ totalTrades: 2, realizedPnl: '8', totalPnl: '8', dailyPnl: '0' });
    await trade(graph, strategyId, '1', '100', { commission: '3' });
    const anew = await ask(graph, query, { id: strategyId });
    expect(anew.strategy).toEqual({ totalTrades: 3, realizedPnl: '5', totalPnl: '5', dailyPnl: '-3' });
  });

  it('takes fills of a strategy that was paused while the order rested', async () => {
    const strategyId = await strategy(graph);
    const orderId = await order(graph, strategyId);
    await done(graph, 'pauseStrategy', { strategyId, cancelOrders: false });
    const { order: filled } = await done(graph, 'recordFill', execution(orderId, '1', '100'), ORDER);
    expect(filled.status).toBe('FILLED');
  });
});

describe('recordFill, with what is filled in all', () => {
  const FILLED = 'order { filledQuantity version }';

  it('takes what the venue counts as the graph does, also when it is reported again', async () => {
    const orderId = await order(graph, await strategy(graph), { quantity: '2' });
    const first = execution(orderId, '0.5', '100', { filledQuantity: '0.50' });
    const recorded = await done(graph, 'recordFill', first, FILLED);
    expect(await done(graph, 'recordFill', first, FILLED)).toEqual(recorded);
    const second = execution(orderId, '1.5', '100', { filledQuantity: '2' });
    expect((await done(graph, 'recordFill', second, FILLED)).order.filledQuantity).toBe('2');
  });

  it.each([
    ['less than before', '0.4'],
    ['what it was before', '0.5'],
    ['as if another execution were missing here', '1.2'],
  ])('refuses %s', async (_, filledQuantity) => {
    const orderId = await order(graph, await strategy(graph), { quantity: '2' });
    await done(graph, 'recordFill', execution(orderId, '0.5', '100', { filledQuantity: '0.5' }));
    const before = await graph.sql('trading', 'select * from orders where order_id = $1', [orderId]);
    const next = execution(orderId, '0.3', '100', { filledQuantity });
    expect(await refused(graph, 'recordFill', next)).toMatchObject({
      code: 'VALIDATION_FAILED',
      message: `filledQuantity must be 0.8, what is filled with this execution, but got ${filledQuantity}.`,
      path: ['input', 'filledQuantity'],
    });
    expect(await graph.sql('trading', 'select * from orders where order_id = $1', [orderId])).toEqual(before);
  });
});

describe('recordFill, reported again', () => {
  it('gives the trade that is there and changes nothing', async () => {
    const strategyId = await strategy(graph);
    const orderId = await order(graph, strategyId, { quantity: '2' });
    const fill = execution(orderId, '1', '100', { commission: '0.5', liquidity: 'TAKER' });
    const selection = 'trade { tradeId } order { filledQuantity version } position { quantity version }';
    const first = await done(graph, 'recordFill', fill, selection);
    const again = await done(graph, 'recordFill', { ...fill, quantity: '1.0', price: '100.00' }, selection);
    expect(again).toEqual(first);
    const counts = await graph.sql('trading', 'select total_trades from strategies where strategy_id = $1', [
      strategyId,
    ]);
    expect(counts).toEqual([{ total_trades: 1 }]);
  });

  it('gives the trade also after the order ended', async () => {
    const orderId = await order(graph, await strategy(graph), { quantity: '1' });
    const fill = execution(orderId, '1', '100');
    const first = await done(graph, 'recordFill', fill, 'trade { tradeId }');
    expect(await done(graph, 'recordFill', fill, 'trade { tradeId }')).toEqual(first);
  });

  const differences: [string, object][] = [
    ['quantity', { quantity: '0.5' }],
    ['price', { price: '101' }],
    ['commission', { commission: '1' }],
    ['executedAt', { executedAt: '2099-01-01T00:00:00Z' }],
    ['liquidity', { liquidity: 'MAKER' }],
    ['notes', { notes: 'other' }],
  ];
  it.each(differences)('refuses another %s under the same id', async (field, other) => {
    const orderId = await order(graph, await strategy(graph), { quantity: '2' });
    const fill = execution(orderId, '1', '100', { executedAt: now() });
    await done(graph, 'recordFill', fill);
    const differs =
      field === 'executedAt' ? { executedAt: new Date(Date.parse(fill.executedAt) + 1).toISOString() } : other;
    const refusal = await refused(graph, 'recordFill', { ...fill, ...differs });
    expect(refusal).toMatchObject({
      __typename: 'IdempotencyConflict',
      code: 'IDEMPOTENCY_CONFLICT',
      key: `exchange-okx/${fill.exchangeTradeId}`,
    });
  });

  it('refuses the id for an order of another strategy', async () => {
    const [first, second] = [await order(graph, await strategy(graph)), await order(graph, await strategy(graph))];
    const fill = execution(first, '1', '100');
    await done(graph, 'recordFill', fill);
    expect(await refused(graph, 'recordFill', { ...fill, orderId: second })).toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
    });
  });

  it('takes the same id from another venue', async () => {
    const strategyId = await strategy(graph);
    const elsewhere = (
      await done(
        graph,
        'placeOrder',
        { strategyId, symbol: 'BTC-USD', side: 'BUY', type: 'MARKET', quantity: '1', execution: 'MANUAL' },
        'order { orderId }',
      )
    ).order.orderId;
    await done(graph, 'submitOrder', { orderId: elsewhere, venue: 'exchange-kraken' });
    const fill = execution(await order(graph, strategyId), '1', '100');
    await done(graph, 'recordFill', fill);
    await done(graph, 'recordFill', { ...fill, orderId: elsewhere, venue: 'exchange-kraken' });
  });

  it('answers an idempotency key with the first answer', async () => {
    const orderId = await order(graph, await strategy(graph), { quantity: '2' });
    const fill = execution(orderId, '1', '100', { idempotencyKey: `fill-${orderId}` });
    const first = await done(graph, 'recordFill', fill, 'trade { tradeId }');
    expect(await done(graph, 'recordFill', fill, 'trade { tradeId }')).toEqual(first);
    expect(await refused(graph, 'recordFill', { ...fill, exchangeTradeId: 'another' })).toMatchObject({
      code: 'IDEMPOTENCY_CONFLICT',
      key: `fill-${orderId}`,
    });
  });
});

describe('recordFill refuses', () => {
  it.each(['PENDING', 'FILLED', 'CANCELLED', 'REJECTED', 'EXPIRED'])(
    'a fill of an order that is %s',
    async (status) => {
      const orderId = await order(graph, await strategy(graph), { quantity: '2', status });
      const refusal = await refused(graph, 'recordFill', execution(orderId, '1', '100'));
      expect(refusal).toMatchObject({ __typename: 'InvalidTransition', from: status, path: ['input', 'orderId'] });
    },
  );

  it('more than is left, leaving everything as it was', async () => {
    const strategyId = await strategy(graph);
    const orderId = await order(graph, strategyId, { quantity: '1', status: 'PARTIALLY_FILLED' });
    const before = await graph.sql('trading', 'select * from orders where order_id = $1', [orderId]);
    const payload = await send(graph, 'recordFill', execution(orderId, '0.50000001', '100'), 'trade { tradeId }');
    expect(payload.trade).toBeNull();
    expect(payload.errors).toMatchObject([
      {
        code: 'VALIDATION_FAILED',
        message: 'quantity must be at most what is left of the order, 0.5, but got 0.50000001.',
        path: ['input', 'quantity'],
      },
    ]);
    expect(await graph.sql('trading', 'select * from orders where order_id = $1', [orderId])).toEqual(before);
  });

  const badFields: [string, object, string, string][] = [
    ['a quantity of zero', { quantity: '0' }, 'quantity must be above zero, but got 0.', 'quantity'],
    ['a negative quantity', { quantity: '-1' }, 'quantity must be above zero, but got -1.', 'quantity'],
    ['a price of zero', { price: '0' }, 'price must be above zero, but got 0.', 'price'],
    [
      'a price too large',
      { price: '1000000000000' },
      'price must be below 1000000000000, but got 1000000000000.',
      'price',
    ],
    ['a negative commission', { commission: '-0.1' }, 'commission must be zero or more, but got -0.1.', 'commission'],
    [
      'an empty trade id',
      { exchangeTradeId: '' },
      'exchangeTradeId must have 1 to 255 characters, but got 0.',
      'exchangeTradeId',
    ],
    [
      'a trade id with NUL',
      { exchangeTradeId: 'a\0' },
      'exchangeTradeId must be valid text without NUL characters.',
      'exchangeTradeId',
    ],
    ['another venue', { venue: 'kraken' }, 'The order went to exchange-okx, but venue is "kraken".', 'venue'],
    [
      'the future',
      { executedAt: '2999-01-01T00:00:00Z' },
      'executedAt must not lie in the future, but got 2999-01-01T00:00:00Z.',
      'executedAt',
    ],
    [
      'a time before the order',
      { executedAt: '2020-01-01T00:00:00Z' },
      'executedAt must not be before the order was placed, but got 2020-01-01T00:00:00Z.',
      'executedAt',
    ],
  ];
  it.each(badFields)('%s', async (_, bad, message, field) => {
    const orderId = await order(graph, await strategy(graph));
    expect(await refused(graph, 'recordFill', execution(orderId, '1', '100', bad))).toMatchObject({
      code: 'VALIDATION_FAILED',
      message,
      path: ['input', field],
    });
  });

  it.each(['no-such-order', '', 'a\0b'])('an order that is not there: %j', async (orderId) => {
    expect(await refused(graph, 'recordFill', execution(orderId, '1', '100'))).toMatchObject({
      __typename: 'NotFound',
      entity: 'TradingOrder',
      id: orderId,
    });
  });

  const badTexts: [string, object, string][] = [
    ['nine fractional digits', { quantity: '0.000000001' }, 'at most 8 fractional digits, but got 9'],
    ['an exponent', { price: '1e3' }, 'digits with an optional point'],
    ['a number', { quantity: 1.5 }, 'Decimal must be text'],
    ['words', { price: 'cheap' }, 'digits with an optional point'],
    ['a time without an offset', { executedAt: '2026-01-01T00:00:00' }, 'must have an offset'],
  ];
  it.each(badTexts)('%s, before the command is looked at', async (_, bad, message) => {
    const { errors = [] } = await graph.run(
      'mutation ($input: RecordFillInput!) { recordFill(input: $input) { errors { message } } }',
      { input: execution('any', '1', '100', bad) },
    );
    expect(errors).toHaveLength(1);
    expect(errors[0]?.message).toContain(message);
    expect(errors[0]?.extensions.code).toBe('BAD_USER_INPUT');
  });

  it('a float literal', async () => {
    const { errors = [] } = await graph.run(
      `mutation { recordFill(input: { orderId: "x", exchangeTradeId: "x", venue: "x", quantity: 0.1, price: "1",
        executedAt: "2026-01-01T00:00:00Z" }) { errors { message } } }`,
    );
    expect(errors).toHaveLength(1);
    expect(errors[0]?.message).toContain('0.1');
    expect(errors[0]?.extensions.code).toBe('BAD_USER_INPUT');
  });
});
