/** Orders that the graph carries out by itself, in one process and spread out over HTTP. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../../support/graph.ts';
import { list, open, place } from '../../exchange/floor.ts';
import { expectTrueTotals } from '../books.ts';
import { ask, done, execution, refused, send } from '../desk.ts';
import { type Desk, openDesk, orderOf, route, untilOrder, untilStatus } from './desk.ts';

const CANCELLED = 'order { status filledQuantity errorMessage }';

describe.each([
  { where: 'in one process', spreadOut: false },
  { where: 'spread over HTTP', spreadOut: true },
])('a routed order, $where', ({ spreadOut }) => {
  let graph: TestGraph;
  let desk: Desk;
  let counterparty: string;
  beforeAll(async () => {
    graph = await startGraph({ spreadOut });
    await list(graph, 'BTC-USD');
    desk = await openDesk(graph);
    counterparty = await open(graph, { USD: '1000000', BTC: '1000' });
  });
  afterAll(() => graph.close());

  it('is filled by what the exchange executes, and linked with it both ways', async () => {
    await place(graph, counterparty, 'sell 1 @ 100');
    await place(graph, counterparty, 'sell 1 @ 101');
    const orderId = await route(graph, desk, 'buy 2 @ 101');
    const order = await untilStatus(graph, orderId, 'FILLED');
    expect(order).toMatchObject({
      execution: 'ROUTED',
      venue: 'exchange',
      filledQuantity: '2',
      lastError: null,
      submittedAt: expect.any(String),
      exchangeOrder: { status: 'FILLED', filledQuantity: '2', clientOrderId: orderId, tradingOrder: { orderId } },
    });
    expect(order.trades.nodes).toMatchObject([
      { quantity: '1', price: '100', commission: '0.1' },
      { quantity: '1', price: '101', commission: '0.101' },
    ]);
    for (const { exchangeTrade } of order.trades.nodes) {
      expect(exchangeTrade.tradingTrade.tradeId).toEqual(expect.any(String));
    }
    const { position } = await ask(
      graph,
      'query ($id: ID!) { position(strategyId: $id, symbol: "BTC-USD") { quantity } }',
      { id: desk.strategyId },
      { 'cache-control': 'no-cache' },
    );
    expect(position.quantity).toBe('2');
  });

  it('rests, is executed in part, and is cancelled by the exchange with what is left', async () => {
    const orderId = await route(graph, desk, 'buy 3 @ 90');
    await untilStatus(graph, orderId, 'ACCEPTED');
    await place(graph, counterparty, 'sell 1 @ 90');
    await untilStatus(graph, orderId, 'PARTIALLY_FILLED');
    await done(graph, 'cancelOrder', { orderId, reason: 'enough' });
    expect(await untilStatus(graph, orderId, 'CANCELLED')).toMatchObject({
      filledQuantity: '1',
      errorMessage: 'enough',
      cancelRequestedAt: expect.any(String),
      exchangeOrder: { status: 'CANCELLED', filledQuantity: '1' },
    });
    expect(await refused(graph, 'cancelOrder', { orderId })).toMatchObject({ code: 'INVALID_TRANSITION' });
  });

  it('is rejected with the reason of the exchange', async () => {
    const orderId = await route(graph, desk, 'buy 1 @ 99999999');
    expect(await untilStatus(graph, orderId, 'REJECTED')).toMatchObject({
      errorMessage: expect.stringMatching(/USD are needed and .* available/),
      exchangeOrder: null,
      filledQuantity: '0',
    });
  });
});

describe('a routed order', () => {
  let graph: TestGraph;
  let desk: Desk;
  let counterparty: string;
  beforeAll(async () => {
    graph = await startGraph();
    await list(graph, 'BTC-USD');
    desk = await openDesk(graph);
    counterparty = await open(graph, { USD: '1000000', BTC: '1000' });
  });
  afterAll(async () => {
    await expectTrueTotals((statement) => graph.sql('trading', statement));
    await graph.close();
  });

  it('is told of step by step: placed, accepted, filled', async () => {
    await place(graph, counterparty, 'sell 1 @ 100');
    const orderId = await route(graph, desk, 'buy 1');
    await untilStatus(graph, orderId, 'FILLED');
    const told = await graph.sql(
      'trading',
      `select row ->> 'status' as status from change_log where relation = 'orders' and key = $1 order by seq`,
      [orderId],
    );
    expect(told.map(({ status }) => status)).toEqual(['pending', 'accepted', 'filled']);
  });

  it('goes on with the trace of the request that placed it', async () => {
    const traceparent = '00-0123456789abcdef0123456789abcdef-0123456789abcdef-01';
    const { placeOrder } = await ask(
      graph,
      'mutation ($input: PlaceOrderInput!) { placeOrder(input: $input) { order { orderId } } }',
      {
        input: {
          strategyId: desk.strategyId,
          symbol: 'BTC-USD',
          side: 'BUY',
          type: 'LIMIT',
          quantity: '1',
          price: '50',
        },
      },
      { traceparent },
    );
    const { orderId } = placeOrder.order;
    await untilStatus(graph, orderId, 'ACCEPTED');
    const traces = await ask(
      graph,
      'query ($id: ID!) { tradingOrder(id: $id) { traceId exchangeOrder { traceId } } }',
      { id: orderId },
      { 'cache-control': 'no-cache' },
    );
    const traceId = '0123456789abcdef0123456789abcdef';
    expect(traces.tradingOrder).toEqual({ traceId, exchangeOrder: { traceId } });
    await done(graph, 'cancelOrder', { orderId });
  });

  it('that waits for its stop price is submitted until then', async () => {
    const orderId = await route(graph, desk, 'buy 1 stop 120');
    await untilStatus(graph, orderId, 'SUBMITTED');
    await place(graph, counterparty, 'sell 2 @ 120');
    await place(graph, desk.accountId, 'buy 1 @ 120');
    expect(await untilStatus(graph, orderId, 'FILLED')).toMatchObject({ trades: { nodes: [{ price: '120' }] } });
  });

  it('that finds nobody expires, and says why', async () => {
    const orderId = await route(graph, desk, 'buy 1 @ 10', { timeInForce: 'IOC' });
    expect(await untilStatus(graph, orderId, 'EXPIRED')).toMatchObject({ errorMessage: 'TIME_IN_FORCE' });
  });

  it('that somebody else cancels at the exchange is cancelled', async () => {
    const orderId = await route(graph, desk, 'buy 1 @ 10');
    const { exchangeOrderId } = await untilStatus(graph, orderId, 'ACCEPTED');
    await done(graph, 'cancelExchangeOrder', { orderId: exchangeOrderId });
    await untilStatus(graph, orderId, 'CANCELLED');
  });

  it('is cancelled without the exchange before it was sent', async () => {
    await graph.sql(
      'trading',
      `with placed as (
         insert into orders (order_id, strategy_id, account_id, instrument_id, side, order_type, quantity, price, execution,
                execution_venue)
         values ('unsent', $1, $2, 'BTC-USD', 'buy', 'limit', 1, 10, 'routed', 'exchange') returning order_id)
       insert into order_routes (order_id, due_at) select order_id, now() + interval '1 hour' from placed`,
      [desk.strategyId, desk.accountId],
    );
    const { order } = await done(graph, 'cancelOrder', { orderId: 'unsent' }, CANCELLED);
    expect(order).toEqual({ status: 'CANCELLED', filledQuantity: '0', errorMessage: null });
    expect(await orderOf(graph, 'unsent')).toMatchObject({ cancelRequestedAt: null, exchangeOrder: null });
  });

  it.each(['pauseStrategy', 'stopStrategy'])('is cancelled at the exchange by %s', async (halt) => {
    const halted = await openDesk(graph);
    const ids = [await route(graph, halted, 'buy 1 @ 10'), await route(graph, halted, 'buy 1 @ 11')];
    for (const id of ids) await untilStatus(graph, id, 'ACCEPTED');
    const { cancelledOrderCount } = await done(graph, halt, { strategyId: halted.strategyId }, 'cancelledOrderCount');
    expect(cancelledOrderCount).toBe(2);
    for (const id of ids) {
      expect(await untilStatus(graph, id, 'CANCELLED')).toMatchObject({
        exchangeOrder: { status: 'CANCELLED' },
        errorMessage: `cancelled by ${halt}`,
      });
    }
  });

  it('is cancelled or filled, never both, when both come at once', async () => {
    for (let round = 0; round < 6; round++) {
      const orderId = await route(graph, desk, 'buy 1 @ 95');
      await untilStatus(graph, orderId, 'ACCEPTED');
      await Promise.all([
        done(graph, 'cancelOrder', { orderId }),
        place(graph, counterparty, 'sell 1 @ 95', { timeInForce: 'IOC' }),
      ]);
      const isOver = (order: { status: string }) => order.status === 'FILLED' || order.status === 'CANCELLED';
      const { status, exchangeOrder } = await untilOrder(graph, orderId, isOver);
      expect(exchangeOrder.status).toBe(status);
    }
  });

  it('answers a repeated cancellation while it is asked for, and a replay by its key', async () => {
    const orderId = await route(graph, desk, 'buy 1 @ 10');
    const input = { orderId, idempotencyKey: `cancel ${orderId}` };
    // The second is refused where the first is through already.
    await Promise.all([done(graph, 'cancelOrder', input), send(graph, 'cancelOrder', { orderId })]);
    const cancelled = await untilStatus(graph, orderId, 'CANCELLED');
    await done(graph, 'cancelOrder', input);
    expect(await orderOf(graph, orderId)).toEqual(cancelled);
  });

  it('takes many at once, each to one order at the exchange', async () => {
    const ids = await Promise.all(Array.from({ length: 30 }, () => route(graph, desk, 'buy 0.1 @ 20')));
    for (const id of ids) await untilStatus(graph, id, 'ACCEPTED');
    await Promise.all(ids.map((orderId) => done(graph, 'cancelOrder', { orderId })));
    for (const id of ids) await untilStatus(graph, id, 'CANCELLED');
    const rows = await graph.sql(
      'exchange',
      `select client_order_id from orders where client_order_id = any($1) and status = 'CANCELLED'`,
      [ids],
    );
    expect(rows).toHaveLength(30);
  });

  it('is nobody else’s to move', async () => {
    const orderId = await route(graph, desk, 'buy 1 @ 10');
    const message = 'The order is ROUTED: the graph itself carries it out and says how it does.';
    for (const [name, input] of [
      ['submitOrder', { venue: 'exchange' }],
      ['acceptOrder', {}],
      ['rejectOrder', { reason: 'no' }],
      ['expireOrder', {}],
      ['recordFill', execution(orderId, '1', '10', { venue: 'exchange' })],
    ] as [string, object][]) {
      expect(await refused(graph, name, { orderId, ...input })).toMatchObject({ message, path: ['input', 'orderId'] });
    }
    await done(graph, 'cancelOrder', { orderId });
  });

  it('is of a kind that the exchange takes, and goes there', async () => {
    const place = { strategyId: desk.strategyId, symbol: 'BTC-USD', side: 'BUY', quantity: '1' };
    const hint = 'Place it with execution MANUAL, and carry it out yourself.';
    for (const [more, message] of [
      [{ type: 'STOP_LIMIT', price: '1', stopPrice: '1' }, `The exchange takes no STOP_LIMIT orders. ${hint}`],
      [{ type: 'TRAILING_STOP', stopPrice: '1' }, `The exchange takes no TRAILING_STOP orders. ${hint}`],
      [{ type: 'MARKET', timeInForce: 'DAY' }, `The exchange takes no DAY orders. ${hint}`],
      [{ type: 'MARKET', venue: 'okx' }, `A ROUTED order goes to "exchange", but venue is "okx". ${hint}`],
    ] as [object, string][]) {
      expect(await refused(graph, 'placeOrder', { ...place, ...more })).toMatchObject({ message });
    }
    const { strategyId } = await openDesk(graph, { venueIds: ['okx'] });
    expect(await refused(graph, 'placeOrder', { ...place, strategyId, type: 'MARKET' })).toMatchObject({
      message: 'venue must be one of the strategy\'s (okx), but got "exchange".',
    });
  });
});

describe('placeExchangeOrder', () => {
  it('refuses what comes after notAfter, but finds what is there', async () => {
    const graph = await startGraph();
    try {
      await list(graph, 'BTC-USD');
      const account = await open(graph, { USD: '1000' });
      const late = { notAfter: '2026-01-01T00:00:00Z', clientOrderId: 'late' } as object;
      const input = { accountId: account, symbol: 'BTC-USD', side: 'BUY', type: 'LIMIT', quantity: '1', price: '10' };
      expect(await refused(graph, 'placeExchangeOrder', { ...input, ...late })).toMatchObject({
        code: 'VALIDATION_FAILED',
        path: ['input', 'notAfter'],
      });
      const intime = { ...input, clientOrderId: 'late', notAfter: new Date(Date.now() + 60_000).toISOString() };
      const { order } = await done(graph, 'placeExchangeOrder', intime, 'order { orderId }');
      expect((await done(graph, 'placeExchangeOrder', { ...input, ...late }, 'order { orderId }')).order).toEqual(
        order,
      );
    } finally {
      await graph.close();
    }
  });
});
