/** Orders of one book that come while it is locked are placed together, each with an outcome of its own. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { withDatabase } from '../../support/databases.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { audit } from './audit.ts';
import { ask, book, done, holdings, list, open, orderInput, orderNow, place, send } from './floor.ts';

let graph: TestGraph;

beforeAll(async () => {
  graph = await startGraph();
  for (const symbol of [
    'BTC-USD',
    'ETH-USD',
    'SOL-USD',
    'ADA-USD',
    'DOT-USD',
    'XRP-USD',
    'LTC-USD',
    'UNI-USD',
    'BCH-USD',
  ])
    await list(graph, symbol);
});
afterAll(() => graph.close());

const PLACE = `mutation Place($input: PlaceExchangeOrderInput!) { placeExchangeOrder(input: $input) {
  readToken order { orderId status filledQuantity } errors { code message path } } }`;

interface Outcome {
  readToken: string | null;
  order: { orderId: string; status: string; filledQuantity: string } | null;
  errors: { code: string; message: string; path: string[] | null }[];
}

/** Time in which all orders have come to the line of their book. */
const GATHERING_MS = 400;

/** A connection of somebody who may do everything. */
async function connect(): Promise<pg.Client> {
  const [{ database }] = await graph.sql('exchange', 'select current_database() as database');
  const client = new pg.Client({ connectionString: withDatabase(inject('adminUrl'), database) });
  await client.connect();
  return client;
}

/** Sends the orders while somebody else holds the book, so that they wait for it together; their outcomes in order. */
async function sendTogether(
  symbol: string,
  inputs: readonly object[],
  { traces = [], gatheringMs = GATHERING_MS }: { traces?: string[]; gatheringMs?: number } = {},
): Promise<Outcome[]> {
  const opener = await open(graph, { USD: '1' });
  await send(graph, 'placeExchangeOrder', orderInput(opener, 'buy 1 @ 0.01', { symbol, timeInForce: 'IOC' }));
  const other = await connect();
  try {
    await other.query('begin');
    await other.query('select from exchange.order_books where symbol = $1 for update', [symbol]);
    const sent = inputs.map(async (input, i): Promise<Outcome> => {
      const headers = traces[i] === undefined ? {} : { traceparent: `00-${traces[i]}-00f067aa0ba902b7-01` };
      const { data, errors } = await graph.run(PLACE, { input }, headers);
      expect(errors).toBeUndefined();
      return data.placeExchangeOrder;
    });
    await new Promise((resolve) => setTimeout(resolve, gatheringMs));
    await other.query('commit');
    return await Promise.all(sent);
  } finally {
    await other.end();
  }
}

/** What each was refused for, or that it was placed. */
const codesOf = (outcomes: readonly Outcome[]) => outcomes.map(({ errors }) => errors[0]?.code ?? 'PLACED');

describe('orders that wait for one book', () => {
  it('share transactions, and rest in the order in which they came', async () => {
    const accounts = await Promise.all(Array.from({ length: 20 }, () => open(graph, { USD: '1000' })));
    const inputs = accounts.map((accountId) => orderInput(accountId, 'buy 1 @ 100', { symbol: 'ETH-USD' }));
    const outcomes = await sendTogether('ETH-USD', inputs);
    expect(new Set(codesOf(outcomes))).toEqual(new Set(['PLACED']));
    const rows = await graph.sql(
      'exchange',
      `select order_id, xmin::text as xid, account_id from orders where symbol = 'ETH-USD' and status = 'OPEN' order by sequence`,
    );
    expect(rows).toHaveLength(20);
    expect(new Set(rows.map(({ xid }) => xid)).size).toBeLessThanOrEqual(4);
    expect(new Set(outcomes.map(({ readToken }) => readToken)).size).toBeLessThanOrEqual(4);
    const created = await graph.sql(
      'exchange',
      `select order_id from orders where symbol = 'ETH-USD' and status = 'OPEN' order by created_at`,
    );
    expect(created.map(({ order_id }) => order_id)).toEqual(rows.map(({ order_id }) => order_id));
    expect((await book(graph, 'ETH-USD')).bids).toEqual(['100: 20 (20)']);
  });

  it('meet each other, and each is refused for itself', async () => {
    const [rich, poor, seller] = await Promise.all([
      open(graph, { USD: '1000' }),
      open(graph, { USD: '1' }),
      open(graph, { SOL: '5' }),
    ]);
    const symbol = 'SOL-USD';
    const outcomes = await sendTogether(symbol, [
      orderInput(rich, 'buy 3 @ 100', { symbol }),
      orderInput(poor, 'buy 3 @ 100', { symbol }),
      orderInput('00000000-0000-4000-8000-0000000000ff', 'buy 1 @ 100', { symbol }),
      orderInput(rich, 'buy 0 @ 100', { symbol }),
      orderInput(seller, 'sell 2 @ 90', { symbol }),
      orderInput(seller, 'sell 3 @ 100', { symbol }),
      orderInput(seller, 'sell 1 @ 100', { symbol }),
    ]);
    expect(codesOf(outcomes)).toEqual([
      'PLACED',
      'INSUFFICIENT_FUNDS',
      'NOT_FOUND',
      'VALIDATION_FAILED',
      'PLACED',
      'PLACED',
      'INSUFFICIENT_FUNDS',
    ]);
    const first = outcomes[0]?.order?.orderId as string;
    expect(await orderNow(graph, first)).toMatchObject({ status: 'FILLED', filledQuantity: '3', averagePrice: '100' });
    expect(await holdings(graph, poor)).toEqual({ USD: '1 + 0' }); // nothing is left of what was refused
    expect((await book(graph, symbol)).asks).toEqual(['100: 2 (1)']);
    expect(await audit(graph)).toEqual({});
  });

  it('are each one of the trace of their request, and so is what they change', async () => {
    const symbol = 'ADA-USD';
    const accounts = await Promise.all(Array.from({ length: 4 }, () => open(graph, { USD: '1000' })));
    const traces = accounts.map((_, i) => `${i + 1}`.repeat(32));
    const inputs = accounts.map((accountId) => orderInput(accountId, 'buy 1 @ 100', { symbol }));
    const outcomes = await sendTogether(symbol, inputs, { traces });
    for (const [i, { order }] of outcomes.entries()) {
      const changed = await graph.sql(
        'exchange',
        `select relation, trace from change_log
          where key = $1 or relation = 'balances' and key in (select balance_id::text from balances where account_id = $2)
          order by seq desc limit 2`,
        [order?.orderId, accounts[i]],
      );
      expect(changed.map(({ relation }) => relation).toSorted()).toEqual(['balances', 'orders']);
      for (const { trace } of changed) expect(trace).toContain(traces[i]);
    }
  });

  it('repeat an order that has just come, and keep the answer to each key', async () => {
    const symbol = 'DOT-USD';
    const [one, two] = await Promise.all([open(graph, { USD: '1000' }), open(graph, { USD: '1' })]);
    const again = orderInput(one, 'buy 1 @ 100', { symbol, clientOrderId: 'mine' });
    const kept = orderInput(two, 'buy 1 @ 100', { symbol, idempotencyKey: 'kept' });
    const other = orderInput(one, 'buy 2 @ 100', { symbol, clientOrderId: 'mine' });
    const outcomes = await sendTogether(symbol, [again, again, other, kept, kept, again]);
    expect(codesOf(outcomes)).toEqual([
      'PLACED',
      'PLACED',
      'CONFLICT',
      'INSUFFICIENT_FUNDS',
      'INSUFFICIENT_FUNDS',
      'PLACED',
    ]);
    expect(new Set([0, 1, 5].map((i) => outcomes[i]?.order?.orderId)).size).toBe(1);
    await done(graph, 'deposit', { accountId: two, asset: 'USD', amount: '1000' });
    expect((await send(graph, 'placeExchangeOrder', kept)).errors[0].code).toBe('INSUFFICIENT_FUNDS');
    expect((await book(graph, symbol)).bids).toEqual(['100: 1 (1)']);
  });

  it('trigger a STOP order that has come just before them', async () => {
    const symbol = 'XRP-USD';
    const [holder, buyer, seller] = await Promise.all([
      open(graph, { XRP: '1' }),
      open(graph, { USD: '1000' }),
      open(graph, { XRP: '2' }),
    ]);
    const outcomes = await sendTogether(symbol, [
      orderInput(buyer, 'buy 1 @ 1', { symbol }), // has the lock before the others come together
      orderInput(holder, 'sell 1 stop 95', { symbol }),
      orderInput(buyer, 'buy 3 @ 94', { symbol }),
      orderInput(seller, 'sell 1 @ 94', { symbol }),
    ]);
    expect(codesOf(outcomes)).toEqual(['PLACED', 'PLACED', 'PLACED', 'PLACED']);
    expect(await orderNow(graph, outcomes[1]?.order?.orderId as string)).toMatchObject({
      status: 'FILLED',
      averagePrice: '94',
    });
    expect(await audit(graph)).toEqual({});
  });

  it('are a complaint of the exchange when they take long', async () => {
    const symbol = 'LTC-USD';
    const accountId = await open(graph, { USD: '1000' });
    const inputs = Array.from({ length: 60 }, () => orderInput(accountId, 'buy 1 @ 1', { symbol }));
    await sendTogether(symbol, inputs, { gatheringMs: 1_500 });
    const { health } = await ask(graph, '{ health { domains { domain status reasons } } }');
    const exchange = health.domains.find(({ domain }: { domain: string }) => domain === 'exchange');
    expect(exchange.status).toBe('DEGRADED');
    expect(exchange.reasons[0]).toMatch(/^Orders take \d+ ms until they are placed; 0 wait now\.$/);
  });

  it('trigger STOP orders one by one, each for the request whose trade reaches it', async () => {
    const symbol = 'UNI-USD';
    const [holder, buyer, seller] = await Promise.all([
      open(graph, { UNI: '2' }),
      open(graph, { USD: '1000' }),
      open(graph, { UNI: '2' }),
    ]);
    const later = await place(graph, holder, 'sell 1 stop 90', { symbol });
    const sooner = await place(graph, holder, 'sell 1 stop 95', { symbol });
    for (const price of ['94', '89', '88', '80']) await place(graph, buyer, `buy 1 @ ${price}`, { symbol });
    const traces = ['a', 'b', 'c', 'd'].map((digit) => digit.repeat(32));
    const outcomes = await sendTogether(
      symbol,
      [
        orderInput(buyer, 'buy 1 @ 1', { symbol }), // has the lock before the others come together
        orderInput(buyer, 'buy 1 @ 2', { symbol }),
        orderInput(seller, 'sell 1 @ 94', { symbol }),
        orderInput(seller, 'sell 1 @ 89', { symbol }),
      ],
      { traces },
    );
    expect(codesOf(outcomes)).toEqual(['PLACED', 'PLACED', 'PLACED', 'PLACED']);
    expect(await orderNow(graph, sooner.orderId)).toMatchObject({ status: 'FILLED', averagePrice: '88' });
    expect(await orderNow(graph, later.orderId)).toMatchObject({ status: 'FILLED', averagePrice: '80' });
    const triggeredFor = async ({ orderId }: { orderId: string }) => {
      const sql = "select trace from change_log where key = $1 and op = 'U' order by seq limit 1";
      return (await graph.sql('exchange', sql, [orderId]))[0]?.trace;
    };
    expect(await triggeredFor(sooner)).toContain(traces[2]);
    expect(await triggeredFor(later)).toContain(traces[3]);
    expect(await audit(graph)).toEqual({});
  });

  it('can be filled and cancelled though the clock was set back since', async () => {
    const symbol = 'BCH-USD';
    const [buyer, seller] = await Promise.all([open(graph, { USD: '1000' }), open(graph, { BCH: '1' })]);
    const [one, two] = [
      await place(graph, buyer, 'buy 1 @ 100', { symbol }),
      await place(graph, buyer, 'buy 1 @ 99', { symbol }),
    ];
    const other = await connect();
    try {
      await other.query("set session_replication_role = 'replica'");
      const later = "clock_timestamp() + interval '1 hour'";
      await other.query(`update exchange.orders set created_at = ${later}, updated_at = ${later} where symbol = $1`, [
        symbol,
      ]);
    } finally {
      await other.end();
    }
    await place(graph, seller, 'sell 1 @ 100', { symbol });
    await done(graph, 'cancelExchangeOrder', { orderId: two.orderId });
    expect(await orderNow(graph, one.orderId)).toMatchObject({ status: 'FILLED' });
    expect(await orderNow(graph, two.orderId)).toMatchObject({ status: 'CANCELLED' });
  });

  it('leave no book where all of them are refused', async () => {
    const symbol = 'NONE-USD';
    const accountId = await open(graph, { USD: '1000' });
    const input = orderInput(accountId, 'buy 1 @ 1', { symbol });
    const sent = Array.from({ length: 10 }, () => graph.run(PLACE, { input }));
    const outcomes = (await Promise.all(sent)).map(({ data }) => data.placeExchangeOrder);
    expect(new Set(codesOf(outcomes))).toEqual(new Set(['NOT_FOUND']));
    expect(await graph.sql('exchange', 'select from order_books where symbol = $1', [symbol])).toEqual([]);
  });
});
