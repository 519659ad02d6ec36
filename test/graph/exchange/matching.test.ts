/** Orders meet: exact prices, fees, balances and states, as clients see them. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { audit } from './audit.ts';
import { ask, book, done, HOUSE, holdings, list, open, orderNow, place, refusedOrder } from './floor.ts';

let graph: TestGraph;
let maker: string;
let taker: string;
let markets = 0;
/** A market of its own for each test, so that each begins with an empty book. */
let symbol: string;
let base: string;

async function market(rules: object = { tickSize: '0.01' }): Promise<void> {
  base = `M${++markets}X`;
  symbol = `${base}-USD`;
  await list(graph, symbol, rules);
  maker = await open(graph, { USD: '1000', [base]: '10' });
  taker = await open(graph, { USD: '1000', [base]: '10' });
}

const make = (words: string, more = {}) => place(graph, maker, words, { symbol, ...more });
const take = (words: string, more = {}) => place(graph, taker, words, { symbol, ...more });
const houseUsd = async () => (await holdings(graph, HOUSE)).USD ?? '0 + 0';

beforeAll(async () => {
  graph = await startGraph();
});
afterEach(async () => expect(await audit(graph)).toEqual({}));
afterAll(() => graph.close());

describe('a limit order', () => {
  it('rests with its cost and fee locked', async () => {
    await market();
    const order = await take('buy 2 @ 100');
    expect(order).toMatchObject({ status: 'OPEN', filledQuantity: '0', averagePrice: null, reservedAmount: '200.2' });
    expect(await holdings(graph, taker)).toEqual({ USD: '799.8 + 200.2', [base]: '10 + 0' });
    expect(await book(graph, symbol)).toEqual({ bids: ['100: 2 (1)'], asks: [] });
  });

  it('that sells rests with its quantity locked', async () => {
    await market();
    expect(await take('sell 2.5 @ 100')).toMatchObject({ status: 'OPEN', reservedAmount: '2.5' });
    expect(await holdings(graph, taker)).toEqual({ USD: '1000 + 0', [base]: '7.5 + 2.5' });
  });

  it('is filled at the resting price, both sides paying 0.1 % to the house', async () => {
    await market();
    const before = Number((await houseUsd()).split(' ')[0]);
    const resting = await make('sell 2 @ 100');
    const order = await take('buy 2 @ 105');
    expect(order).toMatchObject({ status: 'FILLED', filledQuantity: '2', averagePrice: '100', reservedAmount: '0' });
    expect(await orderNow(graph, resting.orderId)).toMatchObject({ status: 'FILLED', averagePrice: '100' });
    expect(await holdings(graph, taker)).toEqual({ USD: '799.8 + 0', [base]: '12 + 0' });
    expect(await holdings(graph, maker)).toEqual({ USD: '1199.8 + 0', [base]: '8 + 0' });
    expect(Number((await houseUsd()).split(' ')[0]) - before).toBeCloseTo(0.4, 8);
  });

  it('takes the best price first, then the oldest at a price', async () => {
    await market();
    const [second, third, first] = [await make('sell 1 @ 101'), await make('sell 1 @ 101'), await make('sell 1 @ 100')];
    expect(await take('buy 2.5 @ 101')).toMatchObject({ status: 'FILLED', averagePrice: '100.6' });
    const states = await Promise.all([first, second, third].map(({ orderId }) => orderNow(graph, orderId)));
    expect(states.map(({ status, filledQuantity }) => `${status} ${filledQuantity}`)).toEqual([
      'FILLED 1',
      'FILLED 1',
      'PARTIALLY_FILLED 0.5',
    ]);
  });

  it('rests with what its limit leaves, and locks only that', async () => {
    await market();
    await make('sell 1 @ 100');
    await make('sell 1 @ 102');
    const order = await take('buy 3 @ 101');
    expect(order).toMatchObject({
      status: 'PARTIALLY_FILLED',
      filledQuantity: '1',
      remainingQuantity: '2',
      averagePrice: '100',
      reservedAmount: '202.202',
    });
    expect(await holdings(graph, taker)).toEqual({ USD: '697.698 + 202.202', [base]: '11 + 0' });
    expect(await book(graph, symbol)).toEqual({ bids: ['101: 2 (1)'], asks: ['102: 1 (1)'] });
  });

  it('gives back what it locked too much when it is filled below its limit', async () => {
    await market();
    await take('buy 2 @ 100'); // locks 200.2
    await make('sell 0.5 @ 90'); // meets it at 100: the resting price
    expect(await holdings(graph, taker)).toEqual({ USD: '799.8 + 150.15', [base]: '10.5 + 0' });
    expect(await holdings(graph, maker)).toEqual({ USD: '1049.95 + 0', [base]: '9.5 + 0' });
  });

  it('keeps the exact mean of many fills', async () => {
    await market({});
    for (const words of ['sell 0.1 @ 33.33333333', 'sell 0.2 @ 66.66666667', 'sell 0.7 @ 100']) await make(words);
    const order = await take('buy 1 @ 100');
    expect(order).toMatchObject({ status: 'FILLED', averagePrice: '86.66666667' }); // 86.666666667 exactly
    const { trades } = (
      await ask(
        graph,
        `query T($id: ID!) { order: exchangeOrder(id: $id) { trades(sortOrder: ASC) { nodes {
        quantity price fee side liquidity feeAsset { code } } } } }`,
        { id: order.orderId },
      )
    ).order;
    const common = { side: 'BUY', liquidity: 'TAKER', feeAsset: { code: 'USD' } };
    expect(trades.nodes).toEqual([
      { quantity: '0.1', price: '33.33333333', fee: '0.00333333', ...common },
      { quantity: '0.2', price: '66.66666667', fee: '0.01333333', ...common },
      { quantity: '0.7', price: '100', fee: '0.07', ...common },
    ]);
  });

  it('is refused when the account cannot pay it whole with its fee, to the last digit', async () => {
    await market();
    expect(await refusedOrder(graph, taker, 'buy 10 @ 99.91', { symbol })).toMatchObject({
      __typename: 'InsufficientFunds',
      asset: 'USD',
      available: '1000',
      required: '1000.0991',
      path: ['input', 'quantity'],
    });
    expect(await refusedOrder(graph, taker, 'sell 10.00000001 @ 100', { symbol })).toMatchObject({
      __typename: 'InsufficientFunds',
      asset: base,
      available: '10',
      required: '10.00000001',
    });
    expect(await holdings(graph, taker)).toEqual({ USD: '1000 + 0', [base]: '10 + 0' });
    expect(await book(graph, symbol)).toEqual({ bids: [], asks: [] });
  });

  it('may spend the last cent', async () => {
    await market();
    const account = await open(graph, { USD: '100.1' });
    expect(await place(graph, account, 'buy 1 @ 100', { symbol })).toMatchObject({ status: 'OPEN' });
    expect(await holdings(graph, account)).toEqual({ [base]: '0 + 0', USD: '0 + 100.1' });
    await make('sell 1 @ 100');
    expect(await holdings(graph, account)).toEqual({ [base]: '1 + 0', USD: '0 + 0' });
  });
});

describe('time in force', () => {
  it('IOC fills what it can and lets the rest expire', async () => {
    await market();
    await make('sell 1 @ 100');
    expect(await take('buy 3 @ 100', { timeInForce: 'IOC' })).toMatchObject({
      status: 'EXPIRED',
      filledQuantity: '1',
      averagePrice: '100',
      reservedAmount: '0',
      expiryReason: 'TIME_IN_FORCE',
    });
    expect(await holdings(graph, taker)).toEqual({ USD: '899.9 + 0', [base]: '11 + 0' });
    expect(await book(graph, symbol)).toEqual({ bids: [], asks: [] });
  });

  it('FOK is filled whole over several prices', async () => {
    await market();
    await make('sell 1 @ 100');
    await make('sell 1 @ 101');
    expect(await take('buy 2 @ 101', { timeInForce: 'FOK' })).toMatchObject({
      status: 'FILLED',
      averagePrice: '100.5',
    });
  });

  it('FOK that cannot be filled whole expires and changes nothing', async () => {
    await market();
    const resting = await make('sell 1 @ 100');
    expect(await take('buy 2 @ 100', { timeInForce: 'FOK' })).toMatchObject({
      status: 'EXPIRED',
      filledQuantity: '0',
      averagePrice: null,
      expiryReason: 'TIME_IN_FORCE',
    });
    expect(await orderNow(graph, resting.orderId)).toMatchObject({ status: 'OPEN' });
    expect(await holdings(graph, taker)).toEqual({ USD: '1000 + 0', [base]: '10 + 0' });
  });
});

describe('a market order', () => {
  it('walks the book at whatever it offers and lets the rest expire', async () => {
    await market();
    await make('sell 1 @ 100');
    await make('sell 1 @ 150');
    expect(await take('buy 3')).toMatchObject({
      status: 'EXPIRED',
      filledQuantity: '2',
      averagePrice: '125',
      expiryReason: 'NO_LIQUIDITY',
    });
    expect(await holdings(graph, taker)).toEqual({ USD: '749.75 + 0', [base]: '12 + 0' });
  });

  it('expires on an empty book', async () => {
    await market();
    expect(await take('sell 1')).toMatchObject({
      status: 'EXPIRED',
      filledQuantity: '0',
      expiryReason: 'NO_LIQUIDITY',
    });
  });

  it('that buys is refused when the account has not what the book asks', async () => {
    await market();
    await make('sell 5 @ 100');
    await make('sell 5 @ 200');
    expect(await refusedOrder(graph, taker, 'buy 8', { symbol })).toMatchObject({
      __typename: 'InsufficientFunds',
      asset: 'USD',
      available: '1000',
      required: '1101.1',
    });
    expect(await take('buy 7')).toMatchObject({ status: 'FILLED', averagePrice: '128.57142857' });
    expect(await holdings(graph, taker)).toEqual({ USD: '99.1 + 0', [base]: '17 + 0' });
  });

  it('that sells needs its whole quantity', async () => {
    await market();
    expect(await refusedOrder(graph, taker, 'sell 11', { symbol })).toMatchObject({ asset: base, required: '11' });
  });
});

describe('an account', () => {
  it('never trades with itself: the newcomer ends at its own order, which stays', async () => {
    await market();
    await make('sell 1 @ 99');
    const own = await take('sell 1 @ 100');
    expect(await take('buy 3 @ 101')).toMatchObject({
      status: 'EXPIRED',
      filledQuantity: '1',
      expiryReason: 'SELF_TRADE',
    });
    expect(await orderNow(graph, own.orderId)).toMatchObject({ status: 'OPEN' });
    expect(await book(graph, symbol)).toEqual({ bids: [], asks: ['100: 1 (1)'] });
  });

  it('trades with a sub-account of the same client', async () => {
    await market();
    const sub = await done(
      graph,
      'createSubAccount',
      { parentAccountId: maker, name: 'desk' },
      'account { accountId }',
    );
    await done(graph, 'deposit', { accountId: sub.account.accountId, asset: 'USD', amount: '200' });
    await make('sell 1 @ 100');
    expect(await place(graph, sub.account.accountId, 'buy 1 @ 100', { symbol })).toMatchObject({ status: 'FILLED' });
  });
});

describe('roundings', () => {
  it('leave nobody short: the dust of many fills is drawn from what the buyer has', async () => {
    await market({});
    await take('buy 0.00000009 @ 0.55555555'); // reserves 0.00000005
    for (let i = 0; i < 9; i++) await make('sell 0.00000001'); // each is worth 0.0000000055…, which rounds to 0.00000001
    expect(await holdings(graph, taker)).toEqual({ USD: '999.99999991 + 0', [base]: '10.00000009 + 0' });
    expect(await holdings(graph, maker)).toEqual({ USD: '1000.00000009 + 0', [base]: '9.99999991 + 0' });
  });
});
