/** Cancelling, repeats, and what happens when two want the same order at once. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { audit } from './audit.ts';
import {
  ask,
  book,
  done,
  holdings,
  list,
  open,
  orderInput,
  orderNow,
  place,
  refused,
  refusedOrder,
  send,
  UNKNOWN_ID,
} from './floor.ts';

let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph();
  await list(graph, 'BTC-USD', { tickSize: '0.01' });
});
afterEach(async () => expect(await audit(graph)).toEqual({}));
afterAll(() => graph.close());

const ORDERS = 'order { orderId status }';

describe('cancelling', () => {
  it('gives back what is locked and keeps the fills', async () => {
    const [buyer, seller] = [await open(graph, { USD: '1000' }), await open(graph, { BTC: '1' })];
    const order = await place(graph, buyer, 'buy 3 @ 100');
    await place(graph, seller, 'sell 1 @ 100');
    const cancelled = await done(
      graph,
      'cancelExchangeOrder',
      { orderId: order.orderId },
      'order { status filledQuantity averagePrice reservedAmount cancelledAt filledAt }',
    );
    expect(cancelled.order).toEqual({
      status: 'CANCELLED',
      filledQuantity: '1',
      averagePrice: '100',
      reservedAmount: '0',
      cancelledAt: expect.any(String),
      filledAt: null,
    });
    expect(await holdings(graph, buyer)).toEqual({ BTC: '1 + 0', USD: '899.9 + 0' });
    expect(await book(graph)).toEqual({ bids: [], asks: [] });
  });

  it('takes an order once: the second time it is final', async () => {
    const { orderId } = await place(graph, await open(graph, { BTC: '1' }), 'sell 1 @ 500');
    await done(graph, 'cancelExchangeOrder', { orderId });
    expect(await refused(graph, 'cancelExchangeOrder', { orderId })).toMatchObject({
      __typename: 'InvalidTransition',
      from: 'CANCELLED',
      to: 'CANCELLED',
      allowed: [],
      path: ['input', 'orderId'],
    });
  });

  it('refuses an order that was filled', async () => {
    const [buyer, seller] = [await open(graph, { USD: '1000' }), await open(graph, { BTC: '1' })];
    const { orderId } = await place(graph, seller, 'sell 1 @ 100');
    await place(graph, buyer, 'buy 1 @ 100');
    expect(await refused(graph, 'cancelExchangeOrder', { orderId })).toMatchObject({ from: 'FILLED', to: 'CANCELLED' });
  });

  it.each([UNKNOWN_ID, 'no-uuid', '', '\0'])('does not find order %j', async (orderId) => {
    expect(await refused(graph, 'cancelExchangeOrder', { orderId })).toMatchObject({
      __typename: 'NotFound',
      entity: 'ExchangeOrder',
      id: orderId,
    });
  });

  it('is possible for a suspended account, and in an instrument that is closed', async () => {
    await list(graph, 'SOL-USD');
    const accountId = await open(graph, { SOL: '2' });
    const { orderId } = await place(graph, accountId, 'sell 1 @ 5', { symbol: 'SOL-USD' });
    await done(graph, 'suspendAccount', { accountId });
    await done(graph, 'setInstrumentActive', { symbol: 'SOL-USD', isActive: false });
    await done(graph, 'cancelExchangeOrder', { orderId });
    expect(await holdings(graph, accountId)).toEqual({ SOL: '2 + 0', USD: '0 + 0' });
  });
});

describe('two at once', () => {
  it('cancel one order: exactly one does', async () => {
    const accountId = await open(graph, { BTC: '50' });
    for (let round = 0; round < 8; round++) {
      const { orderId } = await place(graph, accountId, 'sell 1 @ 900');
      const answers = await Promise.all([1, 2].map(() => send(graph, 'cancelExchangeOrder', { orderId }, ORDERS)));
      expect(answers.map(({ errors }) => errors[0]?.code ?? 'done').toSorted()).toEqual(['INVALID_TRANSITION', 'done']);
    }
    expect(await holdings(graph, accountId)).toEqual({ BTC: '50 + 0', USD: '0 + 0' });
  });

  it('cancel and fill one order: exactly one does', async () => {
    const seller = await open(graph, { BTC: '50' });
    const buyer = await open(graph, { USD: '50000' });
    const outcomes = new Set<string>();
    for (let round = 0; round < 20; round++) {
      const { orderId } = await place(graph, seller, 'sell 1 @ 800');
      const cancel = () => send(graph, 'cancelExchangeOrder', { orderId });
      const fill = () => place(graph, buyer, 'buy 1 @ 800', { timeInForce: 'IOC' });
      const [filled, cancelled] =
        round % 2 === 0 ? await Promise.all([fill(), cancel()]) : (await Promise.all([cancel(), fill()])).toReversed();
      const outcome = `${cancelled.errors[0]?.from ?? 'cancelled'}, ${filled.status} ${filled.filledQuantity}`;
      expect(['cancelled, EXPIRED 0', 'FILLED, FILLED 1']).toContain(outcome);
      expect((await orderNow(graph, orderId)).status).toBe(outcome.startsWith('c') ? 'CANCELLED' : 'FILLED');
      outcomes.add(outcome);
    }
    expect(outcomes.size).toBeGreaterThan(0);
  });

  it('place the same client order: there is one, and both are told of it', async () => {
    const accountId = await open(graph, { BTC: '10' });
    for (let round = 0; round < 5; round++) {
      const input = orderInput(accountId, 'sell 1 @ 700', { clientOrderId: `round-${round}` });
      const answers = await Promise.all([1, 2, 3].map(() => done(graph, 'placeExchangeOrder', input, ORDERS)));
      expect(new Set(answers.map(({ order }) => order.orderId)).size).toBe(1);
    }
    expect((await holdings(graph, accountId)).BTC).toBe('5 + 5');
  });

  it('place the same client order in two markets: one is a conflict', async () => {
    await list(graph, 'ETH-USD');
    const accountId = await open(graph, { BTC: '10', ETH: '10' });
    for (let round = 0; round < 5; round++) {
      const clientOrderId = `either-${round}`;
      const answers = await Promise.all(
        ['BTC-USD', 'ETH-USD'].map((symbol) =>
          send(graph, 'placeExchangeOrder', orderInput(accountId, 'sell 1 @ 650', { symbol, clientOrderId })),
        ),
      );
      expect(answers.map(({ errors }) => errors[0]?.code ?? 'done').toSorted()).toEqual(['CONFLICT', 'done']);
    }
  });

  it('spend the same money: only as much as there is', async () => {
    const accountId = await open(graph, { USD: '250' });
    const answers = await Promise.all(
      [1, 2, 3, 4, 5].map(() => send(graph, 'placeExchangeOrder', orderInput(accountId, 'buy 1 @ 100'), ORDERS)),
    );
    const codes = answers.map(({ errors }) => errors[0]?.code ?? 'done').toSorted();
    expect(codes).toEqual(['INSUFFICIENT_FUNDS', 'INSUFFICIENT_FUNDS', 'INSUFFICIENT_FUNDS', 'done', 'done']);
    expect((await holdings(graph, accountId)).USD).toBe('49.8 + 200.2');
    const [first, second] = answers.flatMap(({ order }) => (order ? [order] : []));
    for (const { orderId } of [first, second]) await done(graph, 'cancelExchangeOrder', { orderId });
  });

  it('withdraw and order with the same money: only as much as there is', async () => {
    const accountId = await open(graph, { USD: '100.1' });
    const [order, payment] = await Promise.all([
      send(graph, 'placeExchangeOrder', orderInput(accountId, 'buy 1 @ 100'), ORDERS),
      send(graph, 'withdraw', { accountId, asset: 'USD', amount: '50' }),
    ]);
    const refusals = [...order.errors, ...payment.errors];
    expect(refusals).toMatchObject([{ code: 'INSUFFICIENT_FUNDS' }]);
    if (order.order) await done(graph, 'cancelExchangeOrder', { orderId: order.order.orderId });
  });
});

describe('a repeat', () => {
  it('of a client order id gives the order that is there, as it is now', async () => {
    const [buyer, seller] = [await open(graph, { USD: '1000' }), await open(graph, { BTC: '1' })];
    const first = await place(graph, buyer, 'buy 1 @ 100', { clientOrderId: 'mine' });
    await place(graph, seller, 'sell 1 @ 100');
    const again = await place(graph, buyer, 'buy 1.0 @ 100.00', { clientOrderId: 'mine', symbol: 'btc/usd' });
    expect(again).toMatchObject({ orderId: first.orderId, status: 'FILLED' });
    expect((await holdings(graph, buyer)).BTC).toBe('1 + 0');
    const query = `query Q($id: ID!) { order: exchangeOrderByClientOrderId(accountId: $id, clientOrderId: "mine") { orderId } }`;
    expect(await ask(graph, query, { id: buyer })).toEqual({ order: { orderId: first.orderId } });
  });

  it.each([
    ['another quantity', 'buy 2 @ 100', {}],
    ['another price', 'buy 1 @ 99', {}],
    ['another side', 'sell 1 @ 100', {}],
    ['another type', 'buy 1', {}],
    ['another instrument', 'buy 1 @ 100', { symbol: 'ETH-USD' }],
    ['another time in force', 'buy 1 @ 100', { timeInForce: 'IOC' }],
    ['other metadata', 'buy 1 @ 100', { metadata: { desk: 'b' } }],
  ])('of a client order id with %s is refused', async (_, words, more) => {
    const accountId = await open(graph, { USD: '1000' });
    const { orderId } = await place(graph, accountId, 'buy 1 @ 100', {
      clientOrderId: 'mine',
      metadata: { desk: 'a' },
    });
    const same = { metadata: { desk: 'a' }, ...more };
    expect(await refusedOrder(graph, accountId, words, { clientOrderId: 'mine', ...same })).toMatchObject({
      __typename: 'Conflict',
      currentVersion: null,
      path: ['input', 'clientOrderId'],
    });
    await done(graph, 'cancelExchangeOrder', { orderId });
  });

  it('of a client order id may be written into the document', async () => {
    const accountId = await open(graph, { USD: '1000' });
    const document = `mutation { placeExchangeOrder(input: { accountId: "${accountId}", symbol: "BTC-USD", side: BUY,
      type: LIMIT, quantity: "1", price: "10", clientOrderId: "inline", metadata: { desk: "a", tags: [1, { b: null }] } }) {
      order { orderId metadata } errors { code } } }`;
    const [first, second] = [await ask(graph, document), await ask(graph, document)];
    expect(first.placeExchangeOrder.order.metadata).toEqual({ desk: 'a', tags: [1, { b: null }] });
    expect(second).toEqual(first);
  });

  it('of another account’s client order id is an order of its own', async () => {
    const [a, b] = [await open(graph, { USD: '1000' }), await open(graph, { USD: '1000' })];
    const [first, second] = [a, b].map((id) => place(graph, id, 'buy 1 @ 10', { clientOrderId: 'common' }));
    expect((await first)?.orderId).not.toBe((await second)?.orderId);
  });

  it('of an idempotency key places nothing twice, even when the instrument was closed meanwhile', async () => {
    await list(graph, 'ADA-USD');
    const accountId = await open(graph, { ADA: '10' });
    const more = { symbol: 'ADA-USD', idempotencyKey: 'once' };
    const first = await place(graph, accountId, 'sell 1 @ 100', more);
    await done(graph, 'setInstrumentActive', { symbol: 'ADA-USD', isActive: false });
    expect(await place(graph, accountId, 'sell 1 @ 100', more)).toEqual(first);
    expect(await refusedOrder(graph, accountId, 'sell 2 @ 100', more)).toMatchObject({
      __typename: 'IdempotencyConflict',
      key: 'once',
    });
    expect((await holdings(graph, accountId)).ADA).toBe('9 + 1');
  });

  it('of a refused command is refused the same way', async () => {
    const accountId = await open(graph, { USD: '1' });
    const more = { idempotencyKey: 'poor' };
    const first = await refusedOrder(graph, accountId, 'buy 1 @ 100', more);
    await done(graph, 'deposit', { accountId, asset: 'USD', amount: '1000' });
    expect(await refusedOrder(graph, accountId, 'buy 1 @ 100', more)).toEqual(first);
    expect(first).toMatchObject({ available: '1', required: '100.1' });
  });

  it('of a deposit credits once', async () => {
    const accountId = await open(graph);
    const input = { accountId, asset: 'USD', amount: '5', idempotencyKey: 'salary' };
    const answers = await Promise.all([1, 2, 3].map(() => done(graph, 'deposit', input, 'postingId')));
    expect(new Set(answers.map(({ postingId }) => postingId)).size).toBe(1);
    expect(await holdings(graph, accountId)).toEqual({ USD: '5 + 0' });
  });
});
