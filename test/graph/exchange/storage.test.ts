/** What the tables refuse by themselves, whoever writes, and how the exchange lives with writers outside it. */
import pg from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { withDatabase } from '../../support/databases.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { audit } from './audit.ts';
import { ask, done, EXTERNAL, holdings, list, open, orderNow, place } from './floor.ts';

let graph: TestGraph;
let maker: string;
let taker: string;
beforeAll(async () => {
  graph = await startGraph();
  await list(graph, 'BTC-USD');
  maker = await open(graph, { BTC: '100' });
  taker = await open(graph, { USD: '100000' });
  await place(graph, maker, 'sell 1 @ 100');
  await place(graph, taker, 'buy 0.5 @ 100');
});
afterEach(async () => expect(await audit(graph)).toEqual({}));
afterAll(() => graph.close());

const write = (text: string, params: unknown[] = []) => graph.sql('exchange', text, params);

describe('the tables', () => {
  it.each([
    ['a trade', `update trades set fee = 0`],
    ['a trade', `delete from trades`],
    ['a trade', `truncate trades cascade`],
    ['an entry', `update ledger_entries set amount = amount`],
    ['an entry', `delete from ledger_entries`],
    ['an entry', `truncate ledger_entries`],
    ['an order', `delete from orders`],
    ['a balance', `delete from balances`],
    ['an account', `delete from accounts`],
  ])('never change or lose %s: %s', async (_, statement) => {
    await expect(write(statement)).rejects.toMatchObject({ code: '23001' });
  });

  it('take no posting that does not sum to zero in each asset', async () => {
    const entry = `insert into ledger_entries (posting_id, account_id, asset, bucket, amount, kind, ref_type, ref_id)`;
    const values = (first: string, second: string, asset = 'USD') =>
      `${entry} values (gen_random_uuid(), $1, 'USD', 'AVAILABLE', ${first}, 'DEPOSIT', 'EXTERNAL', 'x'),
                       (gen_random_uuid(), $2, '${asset}', 'AVAILABLE', ${second}, 'DEPOSIT', 'EXTERNAL', 'x')`;
    const samePosting = (text: string) =>
      text.replaceAll('gen_random_uuid()', `'00000000-0000-4000-8000-00000000abcd'`);
    for (const text of [samePosting(values('5', '-4')), samePosting(values('5', '-5', 'EUR')), values('5', '-5')]) {
      await expect(write(text, [taker, EXTERNAL])).rejects.toMatchObject({
        code: '23514',
        message: 'the entries of a posting must sum to zero in each asset',
      });
    }
  });

  it('take no match with one side', async () => {
    const statement = `insert into trades (match_id, order_id, account_id, symbol, side, liquidity, quantity, price, fee_currency)
      select gen_random_uuid(), order_id, account_id, symbol, side, 'MAKER', 1, 1, 'USD' from orders limit 1`;
    await expect(write(statement)).rejects.toMatchObject({ code: '23514' });
  });

  it.each([
    ['balances_available_not_negative', `update balances set available_balance = -1`],
    ['balances_locked_not_negative', `update balances set locked_balance = -0.00000001`],
    ['orders_filled_within', `update orders set filled_quantity = 2, filled_notional = 200 where status = 'PARTIAL'`],
    [
      'orders_status_filled',
      `update orders set status = 'FILLED', filled_at = clock_timestamp(), reserved_amount = 0 where status = 'PARTIAL'`,
    ],
    ['orders_status', `update orders set status = 'PARTIALLY_FILLED', reserved_amount = 0 where status = 'PARTIAL'`],
    ['orders_reserved_while_live', `update orders set reserved_amount = 1 where status = 'FILLED'`],
    ['orders_cancelled_at', `update orders set cancelled_at = clock_timestamp()`],
    ['orders_stop_price', `update orders set stop_price = 1`],
    ['orders_expiry_reason', `update orders set expiry_reason = 'TIME_IN_FORCE'`],
    ['accounts_status', `update accounts set status = 'FROZEN'`],
    ['accounts_exchange_own', `update accounts set user_id = 'exchange' where account_type = 'SPOT'`],
    ['order_books_last_trade', `update order_books set last_price = null`],
  ])('hold %s', async (constraint, statement) => {
    await expect(write(statement)).rejects.toMatchObject({ code: '23514', constraint });
  });

  it('move version and instant of a row, whoever writes it', async () => {
    const read = () =>
      write(`select version, updated_at from balances where account_id = $1 and symbol = 'BTC'`, [maker]);
    const [before] = await read();
    await write(`update balances set trace_id = trace_id, version = 1 where account_id = $1 and symbol = 'BTC'`, [
      maker,
    ]);
    const [after] = await read();
    expect(after.version).toBe(before.version + 1);
    expect(after.updated_at > before.updated_at).toBe(true);
  });
});

describe('the trace of a request', () => {
  it('is kept with everything that the command wrote', async () => {
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
    const input = { accountId: taker, symbol: 'BTC-USD', side: 'BUY', type: 'LIMIT', quantity: '0.1', price: '100' };
    const mutation = `mutation M($input: PlaceExchangeOrderInput!) { placeExchangeOrder(input: $input) { order { orderId traceId } } }`;
    const { data } = await graph.run(mutation, { input }, headers);
    const { orderId } = data.placeExchangeOrder.order;
    expect(data.placeExchangeOrder.order.traceId).toBe(traceId);
    const [counts] = await write(
      `select (select count(*)::int from trades where trace_id = $1) as trades,
              (select count(distinct posting_id)::int from ledger_entries where trace_id = $1) as postings,
              (select count(*)::int from orders where trace_id = $1) as orders,
              (select count(*)::int from balances where trace_id = $1) as balances`,
      [traceId],
    );
    // The order and the one it met; buyer's and seller's two balances and the house's.
    expect(counts).toEqual({ trades: 2, postings: 1, orders: 2, balances: 5 });
    expect((await orderNow(graph, orderId)).status).toBe('FILLED');
  });
});

describe('a writer outside the exchange', () => {
  it('that holds an order makes a match wait, and see what it wrote', async () => {
    const { orderId } = await place(graph, maker, 'sell 1 @ 90');
    const [{ database }] = await write('select current_database() as database');
    const other = new pg.Client({ connectionString: withDatabase(inject('adminUrl'), database) });
    await other.connect();
    await other.query('set search_path = exchange');
    await other.query('begin');
    await other.query(`update orders set metadata = '{"note": "held"}' where order_id = $1`, [orderId]);
    const placing = place(graph, taker, 'buy 1 @ 90');
    await new Promise((resolve) => setTimeout(resolve, 100));
    await other.query('commit');
    await other.end();
    expect(await placing).toMatchObject({ status: 'FILLED', averagePrice: '90' });
    expect(await orderNow(graph, orderId)).toMatchObject({ status: 'FILLED' });
  });
});

describe('a crash between a trade and the stop that it triggered', () => {
  it('is made good after the next trade in the symbol', async () => {
    const holder = await open(graph, { BTC: '1' });
    const { orderId } = await place(graph, holder, 'sell 1 stop 50');
    // What a process leaves behind that dies after the commit of the triggering trade.
    await write(`update orders set triggered_at = clock_timestamp() where order_id = $1`, [orderId]);
    await place(graph, taker, 'buy 1 @ 80');
    await place(graph, maker, 'sell 0.25 @ 80');
    expect(await orderNow(graph, orderId)).toMatchObject({
      status: 'EXPIRED',
      filledQuantity: '0.75',
      averagePrice: '80',
    });
  });
});

describe('market data that is away', () => {
  it('blanks instruments, and refuses orders without touching anything', async () => {
    const apart = await startGraph({ spreadOut: true });
    try {
      await list(apart, 'BTC-USD');
      const accountId = await open(apart, { USD: '1000' });
      const { orderId } = await place(apart, accountId, 'buy 1 @ 100', { idempotencyKey: 'before' });
      await apart.servers.get('market-data')?.close();
      apart.servers.delete('market-data');

      const mutation = `mutation M($input: PlaceExchangeOrderInput!) { placeExchangeOrder(input: $input) {
        order { orderId } errors { __typename code ... on DomainUnavailable { domain } } } }`;
      const input = { accountId, symbol: 'BTC-USD', side: 'BUY', type: 'LIMIT', quantity: '1', price: '100' };
      const refused = await apart.run(mutation, { input: { ...input, idempotencyKey: 'during' } });
      expect(refused.data.placeExchangeOrder).toEqual({
        order: null,
        errors: [{ __typename: 'DomainUnavailable', code: 'DOMAIN_UNAVAILABLE', domain: 'market-data' }],
      });
      expect(await apart.sql('exchange', `select from idempotency_keys where key = 'during'`)).toEqual([]);
      expect(await holdings(apart, accountId)).toEqual({ BTC: '0 + 0', USD: '899.9 + 100.1' });

      const repeated = await apart.run(mutation, { input: { ...input, idempotencyKey: 'before' } });
      expect(repeated.data.placeExchangeOrder).toEqual({ order: { orderId }, errors: [] });

      const read = await apart.run(
        `query Q($id: ID!) { exchangeOrder(id: $id) { status instrument { symbol isActive } } }`,
        {
          id: orderId,
        },
      );
      expect(read.data.exchangeOrder).toEqual({ status: 'OPEN', instrument: null });
      expect(read.errors?.map(({ extensions }) => extensions.code)).toEqual(['DOMAIN_UNAVAILABLE']);
      await done(apart, 'cancelExchangeOrder', { orderId });
      expect((await ask(apart, '{ exchangeOrders(filter: { isLive: true }) { totalCount } }')).exchangeOrders).toEqual({
        totalCount: 0,
      });
    } finally {
      await apart.close();
    }
  });
});
