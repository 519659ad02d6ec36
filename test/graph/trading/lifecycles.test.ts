/** Every step that the tables of domain.md §6.4 do not allow is refused, and the others do what they say. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isBefore } from '../../../subgraphs/trading/rules/instants.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ask, done, execution, order, refused, send, strategy } from './desk.ts';

let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph();
});
afterAll(() => graph.close());

const ORDER_STATUSES = [
  'PENDING',
  'SUBMITTED',
  'ACCEPTED',
  'PARTIALLY_FILLED',
  'FILLED',
  'CANCELLED',
  'REJECTED',
  'EXPIRED',
];

const ORDER_COMMANDS: Record<string, { from: string[]; to: string; input?: object }> = {
  submitOrder: { from: ['PENDING'], to: 'SUBMITTED', input: { venue: 'exchange-okx' } },
  acceptOrder: { from: ['SUBMITTED'], to: 'ACCEPTED' },
  rejectOrder: { from: ['PENDING', 'SUBMITTED'], to: 'REJECTED', input: { reason: 'no funds' } },
  expireOrder: { from: ['SUBMITTED', 'ACCEPTED', 'PARTIALLY_FILLED'], to: 'EXPIRED' },
  cancelOrder: { from: ['PENDING', 'SUBMITTED', 'ACCEPTED', 'PARTIALLY_FILLED'], to: 'CANCELLED' },
};

describe('an order', () => {
  const steps = Object.keys(ORDER_COMMANDS).flatMap((name) => ORDER_STATUSES.map((status) => [name, status] as const));

  it.each(steps)('takes %s while it is %s, or refuses it', async (name, status) => {
    const { from, to, input } = ORDER_COMMANDS[name] as (typeof ORDER_COMMANDS)[string];
    const orderId = await order(graph, await strategy(graph), { quantity: '2', status });
    const { order: after, errors } = await send(graph, name, { orderId, ...input }, 'order { status }');
    if (from.includes(status)) {
      expect({ after, errors }).toEqual({ after: { status: to }, errors: [] });
    } else {
      expect(after).toBeNull();
      expect(errors).toMatchObject([{ __typename: 'InvalidTransition', from: status, to, path: ['input', 'orderId'] }]);
    }
  });

  it('keeps the time of each step, its reason and its fills', async () => {
    const orderId = await order(graph, await strategy(graph), { quantity: '2', status: 'PARTIALLY_FILLED' });
    const { order: after } = await done(
      graph,
      'cancelOrder',
      { orderId, reason: 'end of day' },
      'order { status filledQuantity remainingQuantity submittedAt cancelledAt filledAt createdAt errorMessage }',
    );
    expect(after).toMatchObject({
      filledQuantity: '1',
      remainingQuantity: '1',
      filledAt: null,
      errorMessage: 'end of day',
    });
    expect(isBefore(after.createdAt, after.submittedAt) && isBefore(after.submittedAt, after.cancelledAt)).toBe(true);
  });

  it('is sent to one venue, one of the strategy’s, and known there by one id', async () => {
    const strategyId = await strategy(graph, { venueIds: ['okx', 'kraken'] });
    const place = { strategyId, symbol: 'BTC-USD', side: 'BUY', type: 'MARKET', quantity: '1', execution: 'MANUAL' };
    const id = async (more = {}) =>
      (await done(graph, 'placeOrder', { ...place, ...more }, 'order { orderId }')).order.orderId;

    expect(await refused(graph, 'submitOrder', { orderId: await id() })).toMatchObject({
      message: 'venue must be given, since the order names none.',
      path: ['input', 'venue'],
    });
    expect(await refused(graph, 'submitOrder', { orderId: await id(), venue: 'bitfinex' })).toMatchObject({
      message: 'venue must be one of the strategy\'s (okx, kraken), but got "bitfinex".',
    });
    expect(await refused(graph, 'submitOrder', { orderId: await id({ venue: 'okx' }), venue: 'kraken' })).toMatchObject(
      {
        message: 'The order is meant for okx, but venue is "kraken".',
      },
    );

    const orderId = await id({ venue: 'okx' });
    const sent = await done(
      graph,
      'submitOrder',
      { orderId, exchangeOrderId: 'X-1' },
      'order { venue exchangeOrderId }',
    );
    expect(sent.order).toEqual({ venue: 'okx', exchangeOrderId: 'X-1' });
    expect(await refused(graph, 'acceptOrder', { orderId, exchangeOrderId: 'X-2' })).toMatchObject({
      message: 'The venue knows the order as "X-1" already.',
    });
    await done(graph, 'acceptOrder', { orderId, exchangeOrderId: 'X-1' });

    expect(
      await refused(graph, 'submitOrder', { orderId: await id({ venue: 'okx' }), exchangeOrderId: 'X-1' }),
    ).toMatchObject({
      __typename: 'Conflict',
      message: 'Another order has that exchangeOrderId at that venue.',
      path: ['input', 'exchangeOrderId'],
    });
    await done(graph, 'submitOrder', { orderId: await id({ venue: 'kraken' }), exchangeOrderId: 'X-1' });
    const found = await ask(graph, '{ orderByExchangeId(venue: "okx", exchangeOrderId: "X-1") { orderId } }');
    expect(found.orderByExchangeId).toEqual({ orderId });
  });

  it('points to the exchange’s own order when the venue’s id is one', async () => {
    const orderId = await order(graph, await strategy(graph), { status: 'PENDING' });
    const exchangeOrderId = 'ABCDEF00-0000-4000-8000-00000000000A';
    const input = { orderId, venue: 'exchange-okx', exchangeOrderId };
    const { order: sent } = await done(
      graph,
      'submitOrder',
      input,
      'order { exchangeOrderId exchangeOrder { orderId } }',
    );
    const id = exchangeOrderId.toLowerCase();
    expect(sent).toEqual({ exchangeOrderId: id, exchangeOrder: { orderId: id } });
    const found = await ask(
      graph,
      `query ($id: ID!) { orderByExchangeId(venue: "exchange-okx", exchangeOrderId: $id) { orderId exchangeOrder { tradingOrder { orderId } } } }`,
      { id: exchangeOrderId },
    );
    expect(found.orderByExchangeId).toEqual({ orderId, exchangeOrder: { tradingOrder: { orderId } } });
  });

  it.each(Object.keys(ORDER_COMMANDS))('%s refuses an order that is not there', async (name) => {
    const input = { orderId: 'nowhere', ...ORDER_COMMANDS[name]?.input };
    expect(await refused(graph, name, input)).toMatchObject({
      __typename: 'NotFound',
      entity: 'TradingOrder',
      id: 'nowhere',
    });
  });

  it('refuses an empty reason', async () => {
    const orderId = await order(graph, await strategy(graph));
    expect(await refused(graph, 'rejectOrder', { orderId, reason: '' })).toMatchObject({
      message: 'reason must have 1 to 2000 characters, but got 0.',
      path: ['input', 'reason'],
    });
  });
});

const STRATEGY_COMMANDS: Record<string, { from: string[]; to: string; input?: object }> = {
  startStrategy: { from: ['inactive'], to: 'ACTIVE' },
  pauseStrategy: { from: ['active'], to: 'PAUSED' },
  resumeStrategy: { from: ['paused'], to: 'ACTIVE' },
  stopStrategy: { from: ['active', 'paused', 'error'], to: 'STOPPED' },
  failStrategy: { from: ['active', 'paused'], to: 'ERROR', input: { reason: 'no prices' } },
  resetStrategy: { from: ['stopped', 'error'], to: 'INACTIVE' },
};
const ALLOWED: Record<string, string[]> = {
  inactive: ['ACTIVE'],
  active: ['PAUSED', 'STOPPED', 'ERROR'],
  paused: ['ACTIVE', 'STOPPED', 'ERROR'],
  stopped: ['INACTIVE'],
  error: ['INACTIVE', 'STOPPED'],
};

describe('a strategy', () => {
  const steps = Object.keys(STRATEGY_COMMANDS).flatMap((name) =>
    Object.keys(ALLOWED).map((from) => [name, from] as const),
  );

  it.each(steps)('takes %s while it is %s, or refuses it', async (name, status) => {
    const { from, to, input } = STRATEGY_COMMANDS[name] as (typeof STRATEGY_COMMANDS)[string];
    const strategyId = await strategy(graph, { status });
    const { strategy: after, errors } = await send(graph, name, { strategyId, ...input }, 'strategy { status }');
    if (from.includes(status)) {
      expect({ after, errors }).toEqual({ after: { status: to }, errors: [] });
    } else {
      expect(after).toBeNull();
      expect(errors).toMatchObject([
        { __typename: 'InvalidTransition', from: status.toUpperCase(), to, allowed: ALLOWED[status] },
      ]);
    }
  });

  it.each(Object.keys(STRATEGY_COMMANDS))('%s refuses a strategy that is not there', async (name) => {
    const input = { strategyId: 'nowhere', ...STRATEGY_COMMANDS[name]?.input };
    expect(await refused(graph, name, input)).toMatchObject({
      __typename: 'NotFound',
      entity: 'Strategy',
      id: 'nowhere',
    });
  });

  it('keeps when it was started and stopped, and why it failed until it is reset', async () => {
    const strategyId = await strategy(graph, { status: 'inactive' });
    const selection = 'strategy { status startedAt stoppedAt errorMessage version }';
    const started = (await done(graph, 'startStrategy', { strategyId }, selection)).strategy;
    expect(started).toMatchObject({ status: 'ACTIVE', startedAt: expect.any(String), stoppedAt: null, version: 2 });
    const failed = (await done(graph, 'failStrategy', { strategyId, reason: 'no prices' }, selection)).strategy;
    expect(failed).toMatchObject({
      status: 'ERROR',
      errorMessage: 'no prices',
      startedAt: started.startedAt,
      version: 3,
    });
    const stopped = (await done(graph, 'stopStrategy', { strategyId }, selection)).strategy;
    expect(stopped).toMatchObject({ status: 'STOPPED', errorMessage: 'no prices', stoppedAt: expect.any(String) });
    const reset = (await done(graph, 'resetStrategy', { strategyId }, selection)).strategy;
    expect(reset).toMatchObject({ status: 'INACTIVE', errorMessage: null, version: 5 });
  });

  const halts: [string, object][] = [
    ['pauseStrategy', {}],
    ['stopStrategy', {}],
    ['failStrategy', { reason: 'no prices' }],
  ];
  it.each(halts)('%s cancels its active orders, and keeps their fills', async (name, more) => {
    const strategyId = await strategy(graph);
    const other = await order(graph, await strategy(graph));
    const ids = await Promise.all(ORDER_STATUSES.map((status) => order(graph, strategyId, { quantity: '2', status })));
    const halted = await done(
      graph,
      name,
      { strategyId, ...more },
      'cancelledOrderCount strategy { orders(sortBy: CREATED_AT, sortOrder: ASC) { nodes { orderId status filledQuantity } } }',
    );
    expect(halted.cancelledOrderCount).toBe(4);
    const after = new Map<string, { status: string; filledQuantity: string }>(
      halted.strategy.orders.nodes.map((each: { orderId: string }) => [each.orderId, each]),
    );
    expect(ids.map((id) => after.get(id)?.status)).toEqual([
      'CANCELLED',
      'CANCELLED',
      'CANCELLED',
      'CANCELLED',
      'FILLED',
      'CANCELLED',
      'REJECTED',
      'EXPIRED',
    ]);
    expect(after.get(ids[3] as string)?.filledQuantity).toBe('1');
    const untouched = await ask(graph, 'query ($id: ID!) { tradingOrder(id: $id) { status } }', { id: other });
    expect(untouched.tradingOrder.status).toBe('SUBMITTED');
  });

  it('keeps its active orders when told so', async () => {
    const strategyId = await strategy(graph);
    const orderId = await order(graph, strategyId);
    const { cancelledOrderCount } = await done(
      graph,
      'pauseStrategy',
      { strategyId, cancelOrders: false },
      'cancelledOrderCount',
    );
    expect(cancelledOrderCount).toBe(0);
    await done(graph, 'recordFill', execution(orderId, '1', '100'));
  });

  it('refuses a fill of an order that was cancelled with it', async () => {
    const strategyId = await strategy(graph);
    const orderId = await order(graph, strategyId);
    await done(graph, 'stopStrategy', { strategyId });
    expect(await refused(graph, 'recordFill', execution(orderId, '1', '100'))).toMatchObject({
      code: 'INVALID_TRANSITION',
      from: 'CANCELLED',
      message: 'It is CANCELLED, which is final, and cannot become FILLED.',
    });
  });
});
