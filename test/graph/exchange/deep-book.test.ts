/** A book of four thousand orders: what one order may meet has a limit, and up to it everything is exact. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { audit } from './audit.ts';
import { ask, book, holdings, list, open, orderNow, place, refusedOrder } from './floor.ts';

const ORDERS = 4_010;
let graph: TestGraph;
let maker: string;
let taker: string;

beforeAll(async () => {
  graph = await startGraph();
  await list(graph, 'BTC-USD');
  maker = await open(graph, { BTC: '1000' });
  taker = await open(graph, { USD: '100000' });
  await place(graph, maker, 'sell 1 @ 100');
  // The same order four thousand times over, with what it locks.
  await graph.sql(
    'exchange',
    `with copied as (
       insert into orders (account_id, symbol, sequence, order_type, side, quantity, price, status, reserved_asset,
                           reserved_amount, maker_fee_rate, taker_fee_rate)
       select account_id, symbol, 100 + n, order_type, side, 0.01, 100, 'OPEN', reserved_asset, 0.01, maker_fee_rate,
              taker_fee_rate
         from orders, generate_series(1, $2) as n where account_id = $1
       returning order_id, account_id),
     locked as (
       insert into ledger_entries (posting_id, account_id, asset, bucket, amount, kind, ref_type, ref_id)
       select order_id, account_id, 'BTC', bucket, case bucket when 'LOCKED' then 0.01 else -0.01 end, 'LOCK', 'ORDER', order_id
         from copied, unnest(array['AVAILABLE', 'LOCKED']) as bucket)
     update balances set available_balance = available_balance - 0.01 * $2, locked_balance = locked_balance + 0.01 * $2
      where account_id = $1 and symbol = 'BTC'`,
    [maker, ORDERS],
  );
  await graph.sql('exchange', `update order_books set order_sequence = 1000000`);
  await graph.sql('exchange', 'analyze'); // PostgreSQL itself looks once a minute at what has become of its tables
  expect(await audit(graph)).toEqual({});
});
afterAll(() => graph.close());

describe('a book of four thousand orders', () => {
  it('is summed by price', async () => {
    expect(await book(graph)).toEqual({ bids: [], asks: [`100: 41.1 (${ORDERS + 1})`] });
  });

  it('is not met by one order in more than two thousand places', async () => {
    expect(await refusedOrder(graph, taker, 'buy 30')).toMatchObject({
      __typename: 'ValidationFailed',
      message: 'The order would meet more than 2000 resting orders. Place it in parts.',
    });
  });

  it('is met in two thousand places at once', async () => {
    const { orderId } = await place(graph, taker, 'buy 20.99 @ 100'); // 1 and 1,999 × 0.01
    expect(await orderNow(graph, orderId)).toMatchObject({ status: 'FILLED', averagePrice: '100' });
    const { order } = await ask(
      graph,
      `query Q($id: ID!) { order: exchangeOrder(id: $id) { trades { totalCount } } }`,
      { id: orderId },
    );
    expect(order.trades.totalCount).toBe(2000);
    expect(await holdings(graph, taker)).toEqual({ BTC: '20.99 + 0', USD: '97898.901 + 0' });
    expect(await audit(graph)).toEqual({});
  });

  it('ends a stop order that would go on', async () => {
    const { orderId } = await place(graph, taker, 'buy 21 stop 100');
    expect(await orderNow(graph, orderId)).toMatchObject({
      status: 'EXPIRED',
      filledQuantity: '20',
      expiryReason: 'MATCH_LIMIT',
    });
    expect(await audit(graph)).toEqual({});
  });
});
