/** What can be read: orders and trades by every filter, pages, the book, the tape, and entities in batches. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ask, fault, UNKNOWN_ID } from './floor.ts';
import { CLIENT, type TradingDay, tradeForADay } from './trading-day.ts';

let graph: TestGraph;
let day: TradingDay;
beforeAll(async () => {
  graph = await startGraph({ cacheBytes: 0 });
  day = await tradeForADay(graph);
});
afterAll(() => graph.close());

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
  return found.nodes.map(({ orderId }: { orderId: string }) => day.nameOf(orderId));
}

describe('orders', () => {
  const everyOrder = ['ask', 'partly', 'taker', 'bid', 'bid too', 'low', 'stop', 'eth', 'ioc', 'gone'];

  it.each([
    ['nothing', () => ({}), everyOrder],
    ['account', () => ({ accountId: day.sub }), ['bid']],
    ['account in upper case', () => ({ accountId: day.sub.toUpperCase() }), ['bid']],
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
    ['an instant on', () => ({ from: day.middle }), everyOrder.slice(3)],
    ['an instant before', () => ({ to: day.middle }), everyOrder.slice(0, 3)],
    ['a window without length', () => ({ from: day.middle, to: day.middle }), []],
    [
      'all at once',
      () => ({ clientId: CLIENT.ann, side: 'BUY', symbol: 'BTCUSD', isLive: true, from: day.middle }),
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
    expect(day.nameOf((await sorted('UPDATED_AT', 'DESC'))[0].orderId)).toBe('gone');
  });

  it('come in pages that neither repeat nor leave out', async () => {
    const query = `query Q($after: String) { list: exchangeOrders(first: 4, after: $after) {
      totalCount edges { cursor node { orderId } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }`;
    const seen: string[] = [];
    for (let after: string | null = null, page = 1; ; page++) {
      const { list: found }: { list: Page } = await ask(graph, query, { after });
      const { edges, pageInfo, totalCount } = found;
      seen.push(...edges.map(({ node }) => day.nameOf(node.orderId)));
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
      (await ask(graph, query, { id: day.bob, symbol })).list.nodes.map(({ orderId }: { orderId: string }) =>
        day.nameOf(orderId),
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
    expect(await ask(graph, query, { a: day.placed.bid, b: UNKNOWN_ID, account: day.sub })).toEqual({
      a: { orderId: day.placed.bid },
      b: null,
      none: null,
      mine: { orderId: day.placed.bid },
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
    ['account', () => ({ accountId: day.ann }), bought],
    ['client', () => ({ clientId: CLIENT.bob }), sold],
    ['order', () => ({ orderId: day.placed.partly }), ['SELL 101']],
    ['symbol', () => ({ symbol: 'ETHUSD' }), []],
    ['side', () => ({ side: 'SELL' }), sold],
    ['role', () => ({ liquidity: 'TAKER' }), bought],
    ['an instant on', () => ({ from: day.middle }), []],
    ['an instant before', () => ({ to: day.middle }), [...bought, ...sold]],
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
      { id: day.placed.ask },
    );
    const [trade] = trades.nodes;
    expect(trade).toMatchObject({
      order: { orderId: day.placed.ask },
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
      { id: day.ann },
    );
    expect(portfolio).toEqual({
      account: { client: { clientId: CLIENT.ann } },
      balances: [
        { asset: { code: 'BTC' }, total: '12' },
        { asset: { code: 'ETH' }, total: '0' },
        { asset: { code: 'USD' }, total: '9798.799' },
      ],
      openExchangeOrders: { totalCount: 3, nodes: [{ orderId: day.placed['bid too'] }] },
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
      ...[day.placed.ask, UNKNOWN_ID, day.placed.bid, 'x'].map((orderId) => ({ __typename: 'ExchangeOrder', orderId })),
      ...[day.bob, day.ann, UNKNOWN_ID].map((accountId) => ({ __typename: 'ExchangeAccount', accountId })),
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
      { orderId: day.placed.ask },
      null,
      { orderId: day.placed.bid },
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
