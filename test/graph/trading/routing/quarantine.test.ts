/** Executions that an order cannot take: kept apart, told of, and resolved by somebody. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { copyTemplate } from '../../../support/databases.ts';
import { startGraph, type TestGraph } from '../../../support/graph.ts';
import { list, open, place } from '../../exchange/floor.ts';
import { expectTrueTotals } from '../books.ts';
import { ask, done, refused } from '../desk.ts';
import { type Desk, openDesk, route, untilOrder, untilStatus } from './desk.ts';

let graph: TestGraph;
let drop: () => Promise<void>;
let outsider: pg.Client;
let counterparty: string;
beforeAll(async () => {
  const { url, drop: dropDatabase } = await copyTemplate(inject('adminUrl'));
  drop = dropDatabase;
  graph = await startGraph({ databaseUrl: url });
  outsider = new pg.Client({ connectionString: url, options: '-c search_path=trading' });
  await outsider.connect();
  await list(graph, 'BTC-USD');
  await list(graph, 'ETH-USD');
  counterparty = await open(graph, { USD: '1000000', BTC: '1000' });
});
afterAll(async () => {
  await expectTrueTotals((statement) => graph.sql('trading', statement));
  await outsider.end();
  await graph.close();
  await drop();
});

const HELD = `quarantinedFillId status reason message side quantity price commission venue exchangeTradeId executedAt
  resolutionNote resolvedAt instrument { symbol } order { orderId status filledQuantity } strategy { strategyId }
  exchangeTrade { quantity } exchangeOrder { status filledQuantity }`;

/**
 * A resting order of the desk that the exchange executes while another writer changes what trading has of it: nothing of
 * the execution is recorded before that is committed. Gives the order and what is quarantined of it.
 */
async function executedMeanwhile(desk: Desk, words: string, change: string, sell: string) {
  const orderId = await route(graph, desk, words);
  await untilStatus(graph, orderId, 'ACCEPTED');
  await outsider.query('begin');
  await outsider.query(`update orders set ${change} where order_id = $1`, [orderId]);
  await place(graph, counterparty, sell);
  await outsider.query('commit');
  return { orderId, held: await heldOf(orderId) };
}

async function heldOf(orderId: string) {
  const query = `query ($id: ID!) { quarantinedFills(filter: { orderId: $id }) { totalCount nodes { ${HELD} } } }`;
  await expect.poll(async () => (await ask(graph, query, { id: orderId })).quarantinedFills.totalCount).toBe(1);
  return (await ask(graph, query, { id: orderId })).quarantinedFills.nodes[0];
}

const CANCEL = `status = 'cancelled', cancelled_at = clock_timestamp()`;

const resolve = (held: { quarantinedFillId: string }, decision: string, note?: string) => ({
  quarantinedFillId: held.quarantinedFillId,
  decision,
  note,
});

describe('an execution after its order was cancelled', () => {
  it('is in no book before it is accepted, and then in all of them', async () => {
    const desk = await openDesk(graph);
    const { orderId, held } = await executedMeanwhile(desk, 'buy 3 @ 50', CANCEL, 'sell 1 @ 50');
    expect(held).toMatchObject({
      status: 'OPEN',
      reason: 'ORDER_ENDED',
      message: 'It is CANCELLED, which is final, and cannot become PARTIALLY_FILLED.',
      side: 'BUY',
      quantity: '1',
      price: '50',
      commission: '0.05',
      venue: 'exchange',
      instrument: { symbol: 'BTC-USD' },
      order: { orderId, status: 'CANCELLED', filledQuantity: '0' },
      strategy: { strategyId: desk.strategyId },
      exchangeTrade: { quantity: '1' },
    });
    // What is left of an order that trading has given up is cancelled at the exchange too.
    await untilOrder(graph, orderId, ({ exchangeOrder }) => exchangeOrder.status === 'CANCELLED');

    const reasons = async () => (await ask(graph, '{ tradingHealth { reasons } }')).tradingHealth.reasons.join();
    await expect.poll(reasons).toMatch(/execution(s are| is) quarantined/);

    const payload = await done(
      graph,
      'resolveQuarantinedFill',
      resolve(held, 'ACCEPT', 'seen at the exchange'),
      `quarantinedFill { ${HELD} } trade { quantity price notes exchangeTradeId order { orderId } }`,
    );
    expect(payload).toMatchObject({
      quarantinedFill: {
        status: 'ACCEPTED',
        resolutionNote: 'seen at the exchange',
        resolvedAt: expect.any(String),
        order: { status: 'CANCELLED', filledQuantity: '1' },
      },
      trade: { quantity: '1', price: '50', notes: 'seen at the exchange', order: { orderId } },
    });
    expect(await refused(graph, 'resolveQuarantinedFill', resolve(held, 'DISMISS', 'no'))).toMatchObject({
      code: 'INVALID_TRANSITION',
    });
  });

  it('completes its order when it is accepted', async () => {
    const desk = await openDesk(graph);
    const { orderId, held } = await executedMeanwhile(desk, 'buy 1 @ 50', CANCEL, 'sell 1 @ 50');
    await done(graph, 'resolveQuarantinedFill', resolve(held, 'ACCEPT'));
    expect(await untilStatus(graph, orderId, 'FILLED')).toMatchObject({ filledQuantity: '1', cancelledAt: null });
  });

  it('may be dismissed, with a note', async () => {
    const desk = await openDesk(graph);
    const { orderId, held } = await executedMeanwhile(desk, 'buy 1 @ 50', CANCEL, 'sell 1 @ 50');
    expect(await refused(graph, 'resolveQuarantinedFill', resolve(held, 'DISMISS'))).toMatchObject({
      path: ['input', 'note'],
    });
    const { quarantinedFill, trade } = await done(
      graph,
      'resolveQuarantinedFill',
      resolve(held, 'DISMISS', 'booked by hand'),
      'quarantinedFill { status resolutionNote } trade { tradeId }',
    );
    expect({ quarantinedFill, trade }).toEqual({
      quarantinedFill: { status: 'DISMISSED', resolutionNote: 'booked by hand' },
      trade: null,
    });
    expect(await untilStatus(graph, orderId, 'CANCELLED')).toMatchObject({ filledQuantity: '0' });
  });
});

it('an execution beyond the order’s quantity is quarantined, and cannot be accepted', async () => {
  const desk = await openDesk(graph);
  const { orderId, held } = await executedMeanwhile(desk, 'buy 2 @ 50', 'quantity = 1', 'sell 2 @ 50');
  expect(held).toMatchObject({ reason: 'OVERFILL', quantity: '2' });
  expect(await refused(graph, 'resolveQuarantinedFill', resolve(held, 'ACCEPT'))).toMatchObject({
    code: 'VALIDATION_FAILED',
  });
  expect(await untilStatus(graph, orderId, 'EXPIRED')).toMatchObject({
    errorMessage: 'The exchange executed it whole, but some of it is quarantined.',
  });
});

it('an execution of another instrument than the order’s is quarantined, and cannot be accepted', async () => {
  const desk = await openDesk(graph);
  const { held } = await executedMeanwhile(desk, 'buy 1 @ 50', `instrument_id = 'ETH-USD'`, 'sell 1 @ 50');
  expect(held).toMatchObject({ reason: 'FOREIGN', message: 'It is of BTC-USD, but the order of ETH-USD.' });
  expect(await refused(graph, 'resolveQuarantinedFill', resolve(held, 'ACCEPT'))).toMatchObject({
    message: 'It cannot be brought into the books. It is of BTC-USD, but the order of ETH-USD.',
  });
});

it('is told to who subscribes: what is open, then what is new and what is resolved', async () => {
  const desk = await openDesk(graph);
  const first = await executedMeanwhile(desk, 'buy 1 @ 50', CANCEL, 'sell 1 @ 50');
  const events = graph.client.subscribe<{
    quarantinedFillChanges: { kind: string; quarantinedFill: { status: string; order: { orderId: string } } | null };
  }>(
    `subscription ($id: ID!) { quarantinedFillChanges(strategyId: $id) { kind quarantinedFill { status order { orderId } } } }`,
    { id: desk.strategyId },
  );
  const nextFill = async () => {
    for (;;) {
      const { value, done: isOver } = await events.next();
      if (isOver) throw new Error('the stream ended');
      const { kind, quarantinedFill } = value.quarantinedFillChanges;
      if (quarantinedFill) return [kind, quarantinedFill.status, quarantinedFill.order.orderId];
    }
  };
  expect(await nextFill()).toEqual(['SNAPSHOT', 'OPEN', first.orderId]);
  const second = await executedMeanwhile(desk, 'buy 1 @ 50', CANCEL, 'sell 1 @ 50');
  expect(await nextFill()).toEqual(['UPSERT', 'OPEN', second.orderId]);
  await done(graph, 'resolveQuarantinedFill', resolve(first.held, 'DISMISS', 'no'));
  expect(await nextFill()).toEqual(['UPSERT', 'DISMISSED', first.orderId]);
  await events.return?.();
});

it('names what is not there', async () => {
  for (const id of ['nothing', '00000000-0000-4000-8000-0000000000ff']) {
    expect(await refused(graph, 'resolveQuarantinedFill', { quarantinedFillId: id, decision: 'ACCEPT' })).toMatchObject(
      { code: 'NOT_FOUND' },
    );
  }
  const { quarantinedFills, quarantinedFill } = await ask(
    graph,
    `{ quarantinedFills(filter: { status: OPEN, reason: FOREIGN, symbol: "btcusd" }, first: 1) { totalCount nodes { reason } }
       quarantinedFill(id: "00000000-0000-4000-8000-0000000000ff") { reason } }`,
  );
  expect(quarantinedFills).toEqual({ totalCount: 1, nodes: [{ reason: 'FOREIGN' }] });
  expect(quarantinedFill).toBeNull();
});
