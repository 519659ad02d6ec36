/** What can be read: every filter, every order, pages, the book, the tape, and entities in batches. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ask, done, EXTERNAL, fault, HOUSE, list, open, place, UNKNOWN_ID } from './floor.ts';

let graph: TestGraph;
let ann: string;
let bob: string;
let sub: string;
const placed: Record<string, string> = {};
let middle: string;

const CLIENT = { ann: 'reads-ann', bob: 'reads-bob' };

beforeAll(async () => {
  graph = await startGraph();
  await list(graph, 'BTC-USD', { tickSize: '0.01' });
  await list(graph, 'ETH-USD');
  ann = await open(graph, { USD: '10000', BTC: '10' }, { clientId: CLIENT.ann });
  bob = await open(graph, { USD: '10000', BTC: '10', ETH: '100' }, { clientId: CLIENT.bob, type: 'MARGIN' });
  const made = await done(graph, 'createSubAccount', { parentAccountId: ann, name: 'desk' }, 'account { accountId }');
  sub = made.account.accountId;
  await done(graph, 'deposit', { accountId: sub, asset: 'USD', amount: '500', reference: 'wire 1' });
  await done(graph, 'setKycStatus', { accountId: bob, status: 'APPROVED' });

  const order = async (name: string, accountId: string, words: string, more = {}) => {
    placed[name] = (await place(graph, accountId, words, more)).orderId;
  };
  await order('ask', bob, 'sell 1 @ 100');
  await order('partly', bob, 'sell 2 @ 101');
  await order('taker', ann, 'buy 2 @ 101'); // meets 1 @ 100 and 1 @ 101
  middle = (await graph.sql('exchange', `select to_char(clock_timestamp(), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at`))[0]
    .at;
  await order('bid', sub, 'buy 3 @ 99', { clientOrderId: 'mine' });
  await order('bid too', ann, 'buy 1 @ 99');
  await order('low', ann, 'buy 4 @ 90');
  await order('stop', ann, 'sell 1 stop 50');
  await order('eth', bob, 'sell 5 @ 10', { symbol: 'ETH-USD' });
  await order('ioc', ann, 'buy 1 @ 5', { symbol: 'ETH-USD', timeInForce: 'IOC' });
  await order('gone', ann, 'buy 1 @ 1');
  await done(graph, 'cancelExchangeOrder', { orderId: placed.gone });
});
afterAll(() => graph.close());

const nameOf = (id: string) => Object.entries(placed).find(([, orderId]) => orderId === id)?.[0] ?? id;

interface Page {
  totalCount: number;
  edges: { cursor: string; node: { orderId: string } }[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; endCursor: string };
}

/** The names of the orders that pass a filter, oldest first. */
async function ordersBy(filter: object): Promise<string[]> {
  const query = `query Q($filter: ExchangeOrderFilter) {
    list: exchangeOrders(filter: $filter, sortOrder: ASC) { totalCount nodes { orderId } } }`;
  const found = (await ask(graph, query, { filter })).list;
  expect(found.totalCount).toBe(found.nodes.length);
  return found.nodes.map(({ orderId }: { orderId: string }) => nameOf(orderId));
}

describe('orders', () => {
  const everyOrder = ['ask', 'partly', 'taker', 'bid', 'bid too', 'low', 'stop', 'eth', 'ioc', 'gone'];

  it.each([
    ['nothing', () => ({}), everyOrder],
    ['account', () => ({ accountId: sub }), ['bid']],
    ['account in upper case', () => ({ accountId: sub.toUpperCase() }), ['bid']],
    ['an account that is not', () => ({ accountId: UNKNOWN_ID }), []],
    ['an account id that is none', () => ({ accountId: 'x' }), []],
    [
      'client, sub-accounts too',
      () => ({ clientId: CLIENT.ann }),
      everyOrder.filter((n) => !['ask', 'partly', 'eth'].includes(n)),
    ],
    ['a client that is not', () => ({ clientId: 'x\0' }), []],
    ['symbol in another spelling', () => ({ symbol: 'eth/usd' }), ['eth', 'ioc']],
    ['side', () => ({ side: 'SELL' }), ['ask', 'partly', 'stop', 'eth']],
    ['type', () => ({ type: 'STOP' }), ['stop']],
    ['time in force', () => ({ timeInForce: 'IOC' }), ['ioc']],
    ['state PENDING', () => ({ status: 'PENDING' }), ['stop']],
    ['state OPEN', () => ({ status: 'OPEN' }), ['bid', 'bid too', 'low', 'eth']],
    ['state PARTIALLY_FILLED', () => ({ status: 'PARTIALLY_FILLED' }), ['partly']],
    ['state FILLED', () => ({ status: 'FILLED' }), ['ask', 'taker']],
    ['state CANCELLED', () => ({ status: 'CANCELLED' }), ['gone']],
    ['state EXPIRED', () => ({ status: 'EXPIRED' }), ['ioc']],
    ['state REJECTED', () => ({ status: 'REJECTED' }), []],
    ['life', () => ({ isLive: true }), ['partly', 'bid', 'bid too', 'low', 'stop', 'eth']],
    ['death', () => ({ isLive: false }), ['ask', 'taker', 'ioc', 'gone']],
    ['an instant on', () => ({ from: middle }), everyOrder.slice(3)],
    ['an instant before', () => ({ to: middle }), everyOrder.slice(0, 3)],
    ['a window without length', () => ({ from: middle, to: middle }), []],
    [
      'all at once',
      () => ({ clientId: CLIENT.ann, side: 'BUY', symbol: 'BTCUSD', isLive: true, from: middle }),
      ['bid', 'bid too', 'low'],
    ],
  ])('are found by %s', async (_, filter, names) => {
    expect(await ordersBy(filter())).toEqual(names);
  });

  it('are sorted by size and by last change', async () => {
    const query = `query Q($sortBy: ExchangeOrderSort!, $order: SortOrder!) {
      list: exchangeOrders(first: 3, sortBy: $sortBy, sortOrder: $order) { nodes { orderId quantity } } }`;
    const sorted = async (sortBy: string, order: string) => (await ask(graph, query, { sortBy, order })).list.nodes;
    expect((await sorted('QUANTITY', 'DESC')).map(({ quantity }: { quantity: string }) => quantity)).toEqual([
      '5',
      '4',
      '3',
    ]);
    expect(nameOf((await sorted('UPDATED_AT', 'DESC'))[0].orderId)).toBe('gone');
  });

  it('come in pages that neither repeat nor leave out', async () => {
    const query = `query Q($after: String) { list: exchangeOrders(first: 4, after: $after) {
      totalCount edges { cursor node { orderId } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`;
    const seen: string[] = [];
    for (let after: string | null = null, page = 1; ; page++) {
      const { list: found }: { list: Page } = await ask(graph, query, { after });
      const { edges, pageInfo, totalCount } = found;
      seen.push(...edges.map(({ node }) => nameOf(node.orderId)));
      expect([totalCount, pageInfo.hasPreviousPage, pageInfo.endCursor]).toEqual([10, page > 1, edges.at(-1)?.cursor]);
      after = pageInfo.endCursor;
      if (!pageInfo.hasNextPage) break;
    }
    expect(seen).toEqual(everyOrder.toReversed());
  });

  it('that are open are those that may still be executed', async () => {
    const query = `query Q($id: ID!, $symbol: String) {
      list: openExchangeOrders(accountId: $id, symbol: $symbol, sortOrder: ASC) { nodes { orderId status } } }`;
    const openOf = async (symbol?: string) =>
      (await ask(graph, query, { id: bob, symbol })).list.nodes.map(({ orderId }: { orderId: string }) =>
        nameOf(orderId),
      );
    expect(await openOf()).toEqual(['partly', 'eth']);
    expect(await openOf('ETH/USD')).toEqual(['eth']);
    expect((await ask(graph, query, { id: UNKNOWN_ID })).list.nodes).toEqual([]);
  });

  it('are found one by one, or not', async () => {
    const query = `query Q($a: ID!, $b: ID!, $account: ID!) {
      a: exchangeOrder(id: $a) { orderId } b: exchangeOrder(id: $b) { orderId } none: exchangeOrder(id: "x") { orderId }
      mine: exchangeOrderByClientOrderId(accountId: $account, clientOrderId: "mine") { orderId }
      other: exchangeOrderByClientOrderId(accountId: $account, clientOrderId: "other") { orderId }
      bad: exchangeOrderByClientOrderId(accountId: "x", clientOrderId: "mine") { orderId } }`;
    expect(await ask(graph, query, { a: placed.bid, b: UNKNOWN_ID, account: sub })).toEqual({
      a: { orderId: placed.bid },
      b: null,
      none: null,
      mine: { orderId: placed.bid },
      other: null,
      bad: null,
    });
  });
});

describe('trades', () => {
  const query = `query Q($filter: ExchangeTradeFilter) {
    list: exchangeTrades(filter: $filter, sortBy: PRICE, sortOrder: ASC) { totalCount nodes { price side liquidity } } }`;
  const by = async (filter: object) => {
    const { nodes, totalCount } = (await ask(graph, query, { filter })).list;
    expect(totalCount).toBe(nodes.length);
    return nodes.map((trade: { side: string; price: string }) => `${trade.side} ${trade.price}`).toSorted();
  };
  const bought = ['BUY 100', 'BUY 101'];
  const sold = ['SELL 100', 'SELL 101'];

  it.each([
    ['account', () => ({ accountId: ann }), bought],
    ['client', () => ({ clientId: CLIENT.bob }), sold],
    ['order', () => ({ orderId: placed.partly }), ['SELL 101']],
    ['symbol', () => ({ symbol: 'ETHUSD' }), []],
    ['side', () => ({ side: 'SELL' }), sold],
    ['role', () => ({ liquidity: 'TAKER' }), bought],
    ['an instant on', () => ({ from: middle }), []],
    ['an instant before', () => ({ to: middle }), [...bought, ...sold]],
    ['an order id that is none', () => ({ orderId: 'x' }), []],
  ])('are found by %s', async (_, filter, found) => {
    expect(await by(filter())).toEqual(found);
  });

  it('of a match are its two sides', async () => {
    const { list: trades } = await ask(graph, `{ list: exchangeTrades(sortBy: PRICE) { nodes { matchId price } } }`);
    expect(await by({ matchId: trades.nodes[0].matchId })).toEqual(['BUY 101', 'SELL 101']);
  });

  it('are told to the public without accounts, newest first', async () => {
    const { tape } = await ask(
      graph,
      `{ tape: recentTrades(symbol: "btc/usd") { instrument { symbol } price quantity takerSide } }`,
    );
    const common = { instrument: { symbol: 'BTC-USD' }, quantity: '1', takerSide: 'BUY' };
    expect(tape).toEqual([
      { price: '101', ...common },
      { price: '100', ...common },
    ]);
    expect((await ask(graph, `{ tape: recentTrades(symbol: "BTC-USD", first: 1) { price } }`)).tape).toEqual([
      { price: '101' },
    ]);
    expect((await ask(graph, `{ tape: recentTrades(symbol: "ADA-USD") { price } }`)).tape).toEqual([]);
  });

  it('lead to their order, account and instrument', async () => {
    const { list: trades } = await ask(
      graph,
      `query Q($id: ID!) { list: exchangeTrades(filter: { orderId: $id }) { nodes {
        tradeId order { orderId } account { client { clientId } } instrument { symbol isActive } fee feeAsset { code } } } }`,
      { id: placed.ask },
    );
    const [trade] = trades.nodes;
    expect(trade).toMatchObject({
      order: { orderId: placed.ask },
      account: { client: { clientId: CLIENT.bob } },
      instrument: { symbol: 'BTC-USD', isActive: true },
      fee: '0.1',
      feeAsset: { code: 'USD' },
    });
    const one = await ask(graph, `query Q($id: ID!) { trade: exchangeTrade(id: $id) { price } }`, {
      id: trade.tradeId,
    });
    expect(one.trade).toEqual({ price: '100' });
    expect((await ask(graph, `{ trade: exchangeTrade(id: "${UNKNOWN_ID}") { price } }`)).trade).toBeNull();
  });
});

describe('balances', () => {
  const query = `query Q($filter: ExchangeBalanceFilter, $sortBy: ExchangeBalanceSort, $sortOrder: SortOrder) {
    list: exchangeBalances(filter: $filter, sortBy: $sortBy, sortOrder: $sortOrder) {
      totalCount nodes { account { accountId } asset { code } total available locked } } }`;
  const by = async (filter: object, sort: object = {}) => {
    const { nodes, totalCount } = (await ask(graph, query, { filter, ...sort })).list;
    expect(totalCount).toBe(nodes.length);
    const names = new Map([
      [ann, 'ann'],
      [bob, 'bob'],
      [sub, 'sub'],
      [HOUSE, 'house'],
    ]);
    return nodes.map(
      (balance: { account: { accountId: string }; asset: { code: string }; total: string }) =>
        `${names.get(balance.account.accountId)} ${balance.asset.code} ${balance.total}`,
    );
  };

  it.each([
    ['account, by asset', () => ({ accountId: ann }), ['ann BTC 12', 'ann ETH 0', 'ann USD 9798.799']],
    ['client', () => ({ clientId: CLIENT.ann, asset: 'USD' }), ['ann USD 9798.799', 'sub USD 500']],
    ['asset, in any case', () => ({ asset: 'eth' }), ['ann ETH 0', 'bob ETH 100']],
    ['minimum balance', () => ({ minBalance: '9798.799', asset: 'USD' }), ['ann USD 9798.799', 'bob USD 10200.799']],
    ['minimum balance, one digit more', () => ({ minBalance: '9798.79900001', asset: 'USD' }), ['bob USD 10200.799']],
    ['what is available', () => ({ minAvailable: '9400', asset: 'USD' }), ['bob USD 10200.799']],
    ['an account that is not', () => ({ accountId: UNKNOWN_ID }), []],
    ['the house', () => ({ accountId: HOUSE }), ['house USD 0.402']],
    ['the world outside, which has none', () => ({ accountId: EXTERNAL }), []],
  ])('are found by %s', async (_, filter, found) => {
    expect((await by(filter())).toSorted()).toEqual(found.toSorted());
  });

  it('are found by their last change', async () => {
    const [{ at }] = await graph.sql(
      'exchange',
      `select to_char(updated_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at from balances where account_id = $1 and symbol = 'USD'`,
      [sub],
    );
    const changed = await by({ updatedAfter: at });
    expect(changed).not.toContain('sub USD 500');
    expect(changed).toContain('bob ETH 100'); // locked for an order that came later
    expect(await by({ updatedAfter: middle })).toContain('sub USD 500');
    expect(await by({ updatedAfter: '2999-01-01T00:00:00Z' })).toEqual([]);
  });

  it('are sorted by asset unless asked otherwise', async () => {
    expect((await by({ clientId: CLIENT.bob })).map((line: string) => line.split(' ')[1])).toEqual([
      'BTC',
      'ETH',
      'USD',
    ]);
    expect(await by({ asset: 'USD' }, { sortBy: 'TOTAL', sortOrder: 'DESC' })).toEqual([
      'bob USD 10200.799',
      'ann USD 9798.799',
      'sub USD 500',
      'house USD 0.402',
    ]);
  });

  it('are found by id, and by account and asset', async () => {
    const { of } = await ask(
      graph,
      `query Q($id: ID!) { of: exchangeBalanceOf(accountId: $id, asset: "usd") { balanceId total available locked } }`,
      { id: sub },
    );
    expect(of).toMatchObject({ total: '500', available: '202.703', locked: '297.297' });
    const two = await ask(
      graph,
      `query Q($id: ID!, $account: ID!) { it: exchangeBalance(id: $id) { total }
        none: exchangeBalance(id: "${UNKNOWN_ID}") { total }
        never: exchangeBalanceOf(accountId: $account, asset: "DOGE") { total }
        nobody: exchangeBalanceOf(accountId: "x", asset: "USD") { total } }`,
      { id: of.balanceId, account: sub },
    );
    expect(two).toEqual({ it: { total: '500' }, none: null, never: null, nobody: null });
  });
});

describe('the ledger', () => {
  const query = `query Q($id: ID!, $filter: LedgerEntryFilter) {
    list: ledgerEntries(accountId: $id, filter: $filter, sortOrder: ASC) { totalCount nodes {
      entryId postingId bucket amount kind refType refId asset { code } order { orderId } trade { price } } } }`;
  const by = async (id: string, filter: object = {}) => (await ask(graph, query, { id, filter })).list;
  type Entry = {
    kind: string;
    bucket: string;
    amount: string;
    asset: { code: string };
    postingId: string;
    refId: string;
  };
  const written = (nodes: Entry[]) => nodes.map((e) => `${e.kind} ${e.bucket} ${e.amount} ${e.asset.code}`);

  it('tells the story of an account', async () => {
    expect(written((await by(bob, { asset: 'BTC' })).nodes)).toEqual([
      'DEPOSIT AVAILABLE 10 BTC',
      'LOCK LOCKED 1 BTC',
      'LOCK AVAILABLE -1 BTC',
      'LOCK LOCKED 2 BTC',
      'LOCK AVAILABLE -2 BTC',
      'FILL LOCKED -1 BTC',
      'FILL LOCKED -1 BTC',
    ]);
    expect(written((await by(ann, { asset: 'USD', to: middle })).nodes)).toEqual([
      'DEPOSIT AVAILABLE 10000 USD',
      'FILL AVAILABLE -100 USD',
      'FEE AVAILABLE -0.1 USD',
      'FILL AVAILABLE -101 USD',
      'FEE AVAILABLE -0.101 USD',
    ]);
  });

  it.each([
    ['kind', { kind: 'FEE' }, ['FEE AVAILABLE -0.1 USD', 'FEE AVAILABLE -0.101 USD']],
    ['bucket', { bucket: 'LOCKED', kind: 'UNLOCK' }, ['UNLOCK LOCKED -1.001 USD']],
    ['asset', { asset: 'btc', kind: 'FILL' }, ['FILL AVAILABLE 1 BTC', 'FILL AVAILABLE 1 BTC']],
    ['an instant on', { from: '2999-01-01T00:00:00Z' }, []],
    ['a reference that is not', { refId: 'x\0' }, []],
  ])('is searched by %s', async (_, filter, found) => {
    const { nodes, totalCount } = await by(ann, filter);
    expect([written(nodes), totalCount]).toEqual([found, found.length]);
  });

  it('is searched by posting and by reference, which leads on', async () => {
    const [wire] = (await by(sub, { refId: 'wire 1' })).nodes;
    expect(wire).toMatchObject({ kind: 'DEPOSIT', amount: '500', refType: 'EXTERNAL', order: null, trade: null });
    expect(written((await by(EXTERNAL, { postingId: wire.postingId })).nodes)).toEqual(['DEPOSIT AVAILABLE -500 USD']);
    const [lock] = (await by(sub, { refId: placed.bid })).nodes;
    expect(lock).toMatchObject({ kind: 'LOCK', refType: 'ORDER', order: { orderId: placed.bid }, trade: null });
    const [fee] = (await by(HOUSE, {})).nodes;
    expect(fee).toMatchObject({ kind: 'FEE', amount: '0.1', refType: 'TRADE', trade: { price: '100' } });
  });
});

describe('accounts', () => {
  const query = `query Q($filter: ExchangeAccountFilter) {
    list: exchangeAccounts(filter: $filter, sortOrder: ASC) { totalCount nodes { accountId } } }`;
  const by = async (filter: object) => {
    const names = new Map([
      [ann, 'ann'],
      [bob, 'bob'],
      [sub, 'sub'],
      [HOUSE, 'house'],
      [EXTERNAL, 'external'],
    ]);
    const { nodes, totalCount } = (await ask(graph, query, { filter })).list;
    expect(totalCount).toBe(nodes.length);
    return nodes.map(({ accountId }: { accountId: string }) => names.get(accountId));
  };

  it.each([
    ['nothing: the exchange’s own are left out', () => ({}), ['ann', 'bob', 'sub']],
    ['client, sub-accounts too', () => ({ clientId: CLIENT.ann }), ['ann', 'sub']],
    ['type', () => ({ type: 'MARGIN' }), ['bob']],
    ['the house’s type', () => ({ type: 'HOUSE' }), ['house']],
    ['the outside’s type', () => ({ type: 'EXTERNAL' }), ['external']],
    ['state', () => ({ status: 'SUSPENDED' }), []],
    ['KYC status', () => ({ kycStatus: 'APPROVED' }), ['bob']],
    ['parent', () => ({ parentAccountId: ann }), ['sub']],
    ['being a sub-account', () => ({ isSubAccount: true }), ['sub']],
    ['being a master account', () => ({ isSubAccount: false }), ['ann', 'bob']],
    ['an instant on', () => ({ from: middle }), []],
    ['an instant before', () => ({ to: middle, clientId: CLIENT.bob }), ['bob']],
  ])('are found by %s', async (_, filter, names) => {
    expect(await by(filter())).toEqual(names);
  });

  it('of a client are found at the client, or there is none', async () => {
    const { client, none } = await ask(
      graph,
      `{ client(id: "${CLIENT.ann}") { accounts { accountId } } none: client(id: "nobody") { clientId } }`,
    );
    expect([client.accounts.map(({ accountId }: { accountId: string }) => accountId), none]).toEqual([
      [ann, sub],
      null,
    ]);
  });

  it('hold their own orders, trades and entries', async () => {
    const { account } = await ask(
      graph,
      `query Q($id: ID!) { account: exchangeAccount(id: $id) {
        orders(filter: { isLive: true }, sortOrder: ASC) { totalCount nodes { orderId } }
        trades(filter: { side: BUY }, sortBy: PRICE, first: 1) { totalCount nodes { price } }
        ledgerEntries(filter: { kind: DEPOSIT }) { totalCount }
        portfolio { accountId } } }`,
      { id: ann },
    );
    expect(account).toMatchObject({
      orders: { totalCount: 3 },
      trades: { totalCount: 2, nodes: [{ price: '101' }] },
      ledgerEntries: { totalCount: 2 },
      portfolio: { accountId: ann },
    });
    expect(account.orders.nodes.map(({ orderId }: { orderId: string }) => nameOf(orderId))).toEqual([
      'bid too',
      'low',
      'stop',
    ]);
  });
});

describe('the order book', () => {
  it('sums live orders by price, best first, with running totals', async () => {
    const { book } = await ask(
      graph,
      `{ book: orderBook(symbol: "BTC/USD") { instrument { symbol } bids { price quantity total orderCount }
         asks { price quantity total orderCount } spread mid lastPrice lastQuantity lastTradedAt version } }`,
    );
    expect(book).toEqual({
      instrument: { symbol: 'BTC-USD' },
      bids: [
        { price: '99', quantity: '4', total: '4', orderCount: 2 },
        { price: '90', quantity: '4', total: '8', orderCount: 1 },
      ],
      asks: [{ price: '101', quantity: '1', total: '1', orderCount: 1 }],
      spread: '2',
      mid: '100',
      lastPrice: '101',
      lastQuantity: '1',
      lastTradedAt: expect.any(String),
      version: expect.any(Number),
    });
  });

  it('shows as many levels as it is asked for', async () => {
    const { book } = await ask(
      graph,
      `{ book: orderBook(symbol: "BTC-USD", depth: 1) { bids { price } asks { price } } }`,
    );
    expect(book).toEqual({ bids: [{ price: '99' }], asks: [{ price: '101' }] });
  });

  it('is empty where nothing was ever ordered', async () => {
    const { book } = await ask(
      graph,
      `{ book: orderBook(symbol: "XRP-USD") { bids { price } asks { price } spread mid lastPrice version } }`,
    );
    expect(book).toEqual({ bids: [], asks: [], spread: null, mid: null, lastPrice: null, version: 0 });
  });

  it('is part of the instrument, with the tape', async () => {
    const { instrument } = await ask(
      graph,
      `{ instrument(symbol: "BTC-USD") { tickSize orderBook(depth: 1) { asks { price } } recentTrades(first: 1) { price } } }`,
    );
    expect(instrument).toEqual({
      tickSize: '0.01',
      orderBook: { asks: [{ price: '101' }] },
      recentTrades: [{ price: '101' }],
    });
  });

  it.each([0, -1, 101, 100000])('refuses a depth of %i', async (depth) => {
    expect(await fault(graph, `{ orderBook(symbol: "BTC-USD", depth: ${depth}) { version } }`)).toEqual({
      code: 'BAD_USER_INPUT',
      message: `depth must be from 1 to 100, but got ${depth}.`,
    });
  });
});

describe('the portfolio', () => {
  it('is extended by the account, what it holds and its open orders', async () => {
    const { portfolio } = await ask(
      graph,
      `query Q($id: ID!) { portfolio(accountId: $id) { account { client { clientId } } balances { asset { code } total }
        openExchangeOrders(sortOrder: ASC, symbol: "BTC-USD", first: 1) { totalCount nodes { orderId } } } }`,
      { id: ann },
    );
    expect(portfolio).toEqual({
      account: { client: { clientId: CLIENT.ann } },
      balances: [
        { asset: { code: 'BTC' }, total: '12' },
        { asset: { code: 'ETH' }, total: '0' },
        { asset: { code: 'USD' }, total: '9798.799' },
      ],
      openExchangeOrders: { totalCount: 3, nodes: [{ orderId: placed['bid too'] }] },
    });
  });

  it('of an account that is not has none', async () => {
    const { portfolio } = await ask(
      graph,
      `{ portfolio(accountId: "${UNKNOWN_ID}") { account { accountId } balances { total } openExchangeOrders { totalCount } } }`,
    );
    expect(portfolio).toEqual({ account: null, balances: [], openExchangeOrders: { totalCount: 0 } });
  });
});

describe('entities', () => {
  it('are resolved in one statement a type, in the order in which they are asked for', async () => {
    const these = [
      ...[placed.ask, UNKNOWN_ID, placed.bid, 'x'].map((orderId) => ({ __typename: 'ExchangeOrder', orderId })),
      ...[bob, ann, UNKNOWN_ID].map((accountId) => ({ __typename: 'ExchangeAccount', accountId })),
      ...[CLIENT.bob, 'nobody'].map((clientId) => ({ __typename: 'Client', clientId })),
      ...['BTC-USD', 'ETH-USD'].map((symbol) => ({ __typename: 'Instrument', symbol })),
    ];
    const before = graph.subgraphs.get('exchange')?.statements() ?? 0;
    const { data } = await graph.subgraph(
      'exchange',
      `query Q($these: [_Any!]!) { _entities(representations: $these) {
        ... on ExchangeOrder { orderId } ... on ExchangeAccount { type } ... on Client { clientId }
        ... on Instrument { orderBook { asks { price } } } } }`,
      { these },
    );
    expect(data._entities).toEqual([
      { orderId: placed.ask },
      null,
      { orderId: placed.bid },
      null,
      { type: 'MARGIN' },
      { type: 'SPOT' },
      null,
      { clientId: CLIENT.bob },
      null,
      { orderBook: { asks: [{ price: '101' }] } },
      { orderBook: { asks: [{ price: '10' }] } },
    ]);
    expect((graph.subgraphs.get('exchange')?.statements() ?? 0) - before).toBe(4);
  });
});
