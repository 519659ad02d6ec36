/** STOP orders wait for the last price and are then executed as market orders. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { audit } from './audit.ts';
import { ask, book, done, holdings, list, open, orderNow, place, refused, refusedOrder } from './floor.ts';

let graph: TestGraph;
let maker: string;
let holder: string;
let markets = 0;
let symbol: string;
let base: string;

beforeAll(async () => {
  graph = await startGraph();
});
beforeEach(async () => {
  base = `S${++markets}X`;
  symbol = `${base}-USD`;
  await list(graph, symbol, { tickSize: '0.01' });
  maker = await open(graph, { USD: '100000', [base]: '100' });
  holder = await open(graph, { USD: '1000', [base]: '10' });
});
afterEach(async () => expect(await audit(graph)).toEqual({}));
afterAll(() => graph.close());

const make = (words: string, more = {}) => place(graph, maker, words, { symbol, ...more });
const hold = (words: string, more = {}) => place(graph, holder, words, { symbol, ...more });

/** Trades once at the price, between two that have nothing to do with the test. */
async function tradeAt(price: string): Promise<void> {
  const seller = await open(graph, { [base]: '1' });
  const buyer = await open(graph, { USD: '10000' });
  await place(graph, seller, `sell 0.5 @ ${price}`, { symbol });
  expect(await place(graph, buyer, `buy 0.5 @ ${price}`, { symbol })).toMatchObject({ status: 'FILLED' });
}

describe('a stop order', () => {
  it('waits, out of the book, with its worst cost locked', async () => {
    const buy = await hold('buy 2 stop 100');
    const sell = await hold('sell 3 stop 90');
    expect([buy, sell]).toMatchObject([
      { status: 'PENDING', reservedAmount: '210.21' }, // 2 × 100 × 1.05 × 1.001
      { status: 'PENDING', reservedAmount: '3' },
    ]);
    expect(await holdings(graph, holder)).toEqual({ USD: '789.79 + 210.21', [base]: '7 + 3' });
    expect(await book(graph, symbol)).toEqual({ bids: [], asks: [] });
  });

  it('to sell is executed once the last price has fallen to it', async () => {
    const stop = await hold('sell 2 stop 95');
    await tradeAt('95.01');
    expect(await orderNow(graph, stop.orderId)).toMatchObject({ status: 'PENDING' });
    await make('buy 1 @ 94');
    await make('buy 1 @ 80');
    await tradeAt('95');
    expect(await orderNow(graph, stop.orderId)).toMatchObject({
      status: 'FILLED',
      averagePrice: '87',
      reservedAmount: '0',
    });
    expect(await holdings(graph, holder)).toEqual({ USD: '1173.826 + 0', [base]: '8 + 0' });
  });

  it('to buy is executed once the last price has risen to it, at most 5 % above', async () => {
    const stop = await hold('buy 3 stop 100');
    await make('sell 1 @ 104');
    await make('sell 1 @ 105');
    await make('sell 1 @ 105.01');
    await tradeAt('100');
    expect(await orderNow(graph, stop.orderId)).toMatchObject({
      status: 'EXPIRED',
      filledQuantity: '2',
      averagePrice: '104.5',
      expiryReason: 'NO_LIQUIDITY',
    });
    expect(await holdings(graph, holder)).toEqual({ USD: '790.791 + 0', [base]: '12 + 0' });
  });

  it('expires when there is nobody to trade with', async () => {
    const stop = await hold('sell 2 stop 95');
    await tradeAt('95');
    expect(await orderNow(graph, stop.orderId)).toMatchObject({ status: 'EXPIRED', expiryReason: 'NO_LIQUIDITY' });
    expect(await holdings(graph, holder)).toEqual({ USD: '1000 + 0', [base]: '10 + 0' });
  });

  it('is executed at once when the last price is there already', async () => {
    await tradeAt('100');
    await make('buy 1 @ 99');
    const { orderId } = await hold('sell 1 stop 100');
    expect(await orderNow(graph, orderId)).toMatchObject({ status: 'FILLED', averagePrice: '99' });
  });

  it('triggers others, one after the other', async () => {
    const first = await hold('sell 1 stop 95');
    const second = await hold('sell 1 stop 90');
    const third = await hold('sell 1 stop 70');
    await make('buy 1 @ 89');
    await make('buy 1 @ 80');
    await tradeAt('95');
    const states = await Promise.all([first, second, third].map(({ orderId }) => orderNow(graph, orderId)));
    expect(states.map(({ status, averagePrice }) => [status, averagePrice])).toEqual([
      ['FILLED', '89'],
      ['FILLED', '80'],
      ['PENDING', null],
    ]);
  });

  it('sees every price of a sweep, not only the last', async () => {
    const stop = await hold('sell 1 stop 90');
    await make('sell 1 @ 90');
    await make('sell 1 @ 99');
    const buyer = await open(graph, { USD: '1000' });
    await place(graph, buyer, 'buy 2 @ 99', { symbol });
    expect(await orderNow(graph, stop.orderId)).toMatchObject({ status: 'EXPIRED', expiryReason: 'NO_LIQUIDITY' });
  });

  it('fills whole or not at all when it is FOK', async () => {
    const stop = await hold('sell 2 stop 95', { timeInForce: 'FOK' });
    await make('buy 1 @ 94');
    await tradeAt('95');
    expect(await orderNow(graph, stop.orderId)).toMatchObject({ status: 'EXPIRED', filledQuantity: '0' });
  });

  it('can be cancelled while it waits', async () => {
    const { orderId } = await hold('sell 2 stop 95');
    await done(graph, 'cancelExchangeOrder', { orderId });
    await tradeAt('95');
    expect(await orderNow(graph, orderId)).toMatchObject({ status: 'CANCELLED', reservedAmount: '0' });
    expect(await holdings(graph, holder)).toEqual({ USD: '1000 + 0', [base]: '10 + 0' });
  });

  it('is rejected when its account cannot trade by then', async () => {
    const stop = await hold('sell 2 stop 95');
    await make('buy 5 @ 94');
    await done(graph, 'suspendAccount', { accountId: holder });
    await tradeAt('95');
    expect(await orderNow(graph, stop.orderId)).toMatchObject({
      status: 'REJECTED',
      rejectReason: 'ACCOUNT_NOT_ACTIVE',
    });
    expect(await holdings(graph, holder)).toEqual({ USD: '1000 + 0', [base]: '10 + 0' });
  });

  it('needs what it may cost', async () => {
    expect(await refusedOrder(graph, holder, 'buy 10 stop 100', { symbol })).toMatchObject({
      __typename: 'InsufficientFunds',
      required: '1051.05',
    });
  });

  it('keeps its account from being closed', async () => {
    await hold('sell 10 stop 95');
    await done(graph, 'withdraw', { accountId: holder, asset: 'USD', amount: '1000' });
    expect(await refused(graph, 'closeAccount', { accountId: holder })).toMatchObject({
      message: 'The account has live orders. Cancel them first.',
    });
  });

  it('says when it was triggered', async () => {
    const { orderId } = await hold('sell 1 stop 95');
    const query = `query Q($id: ID!) { order: exchangeOrder(id: $id) { type stopPrice price triggeredAt createdAt } }`;
    const before = (await ask(graph, query, { id: orderId })).order;
    expect(before).toMatchObject({ type: 'STOP', stopPrice: '95', price: null, triggeredAt: null });
    await tradeAt('95');
    const after = (await ask(graph, query, { id: orderId })).order;
    expect(after.triggeredAt > before.createdAt).toBe(true);
  });
});
