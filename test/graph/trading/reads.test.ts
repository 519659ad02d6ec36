/** Every filter, sort and look-up, over one small desk written as another service would write it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ACCOUNT, ask, askTrading, fault, OTHER_ACCOUNT, UNCACHED } from './desk.ts';

let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph();
  await graph.sql(
    'trading',
    `insert into strategies (strategy_id, name, strategy_type, status, account_id, instruments, started_at, created_at) values
       ('s1', 'Maker',    'market_making', 'active',   '${ACCOUNT}',       '{BTC-USD,ETH-USD}', '2026-01-01', '2026-01-01T00:00:00Z'),
       ('s2', 'Follower', 'momentum',      'paused',   '${ACCOUNT}',       '{BTC-USD}',         '2026-01-01', '2026-01-02T00:00:00Z'),
       ('s3', 'Arbiter',  'arbitrage',     'active',   '${OTHER_ACCOUNT}', '{ETH-USD}',         '2026-01-01', '2026-01-03T00:00:00Z'),
       ('s4', 'Rester',   'arbitrage',     'inactive', '${OTHER_ACCOUNT}', '{SOL-USD}',         null,         '2026-01-04T00:00:00Z')`,
  );
  await graph.sql(
    'trading',
    `insert into orders (order_id, strategy_id, account_id, instrument_id, side, order_type, price, status, quantity,
            filled_quantity, filled_notional, average_fill_price, realized_pnl, execution_venue, exchange_order_id,
            submitted_at, filled_at, cancelled_at, created_at) values
       ('o1', 's1', '${ACCOUNT}',       'BTC-USD', 'buy',  'market', null, 'filled',           2, 2, 200, 100, 0, 'okx',    'x1', '2026-01-05', '2026-01-05T10:00:00Z', null, '2026-01-05T00:00:00Z'),
       ('o2', 's1', '${ACCOUNT}',       'BTC-USD', 'sell', 'limit',  110,  'partially_filled', 3, 1, 110, 110, 10, 'okx',   'x2', '2026-01-05', null, null, '2026-01-05T06:00:00Z'),
       ('o3', 's1', '${ACCOUNT}',       'ETH-USD', 'buy',  'limit',  10,   'accepted',         5, 0, 0, null, null, 'kraken','x1', '2026-01-05', null, null, '2026-01-05T12:00:00Z'),
       ('o4', 's2', '${ACCOUNT}',       'BTC-USD', 'sell', 'market', null, 'filled',           1, 1, 120, 120, 0, 'kraken', 'x4', '2026-01-05', '2026-01-06T10:00:00Z', null, '2026-01-06T00:00:00Z'),
       ('o5', 's3', '${OTHER_ACCOUNT}', 'ETH-USD', 'buy',  'limit',  9,    'pending',          7, 0, 0, null, null, null, null, null, null, null, '2026-01-07T00:00:00Z'),
       ('o6', 's3', '${OTHER_ACCOUNT}', 'ETH-USD', 'buy',  'limit',  9,    'cancelled',        8, 0, 0, null, null, null, null, null, null, '2026-01-08', '2026-01-08T00:00:00Z')`,
  );
  await graph.sql(
    'trading',
    `insert into trades (trade_id, order_id, strategy_id, account_id, instrument_id, side, quantity, price, commission,
            realized_pnl, execution_venue, exchange_trade_id, executed_at, created_at) values
       ('t1', 'o1', 's1', '${ACCOUNT}', 'BTC-USD', 'buy',  1.5, 100, 1, -1,  'okx',    'e1', '2026-01-05T09:00:00Z', '2026-01-09'),
       ('t2', 'o1', 's1', '${ACCOUNT}', 'BTC-USD', 'buy',  0.5, 100, 0, 0,   'okx',    'e2', '2026-01-05T23:59:59.999999Z', '2026-01-08'),
       ('t3', 'o2', 's1', '${ACCOUNT}', 'BTC-USD', 'sell', 1,   110, 0, 10,  'okx',    'e3', '2026-01-06T00:00:00Z', '2026-01-07'),
       ('t4', 'o4', 's2', '${ACCOUNT}', 'BTC-USD', 'sell', 1,   120, 2, -2,  'kraken', 'e1', '2026-01-06T10:00:00Z', '2026-01-06')`,
  );
  await graph.sql(
    'trading',
    `insert into positions (position_id, strategy_id, account_id, instrument_id, quantity, average_entry_price,
            realized_pnl, current_price, marked_at, opened_at, closed_at, updated_at) values
       ('p1', 's1', '${ACCOUNT}',       'BTC-USD', 1,  100, 9,  130, '2026-01-10', '2026-01-05T09:00:00Z', null, '2026-01-11'),
       ('p2', 's2', '${ACCOUNT}',       'BTC-USD', -1, 120, -2, 130, '2026-01-09', '2026-01-06T10:00:00Z', null, '2026-01-12'),
       ('p3', 's3', '${OTHER_ACCOUNT}', 'ETH-USD', 50, 10,  0,  12,  '2026-01-08', '2026-01-07T00:00:00Z', null, '2026-01-13'),
       ('p4', 's1', '${ACCOUNT}',       'ETH-USD', 0,  10,  4,  11,  '2026-01-07', '2026-01-04T00:00:00Z', '2026-01-05', '2026-01-14')`,
  );
});
afterAll(() => graph.close());

interface List {
  field: string;
  id: string;
  filter: string;
}
const LISTS = {
  strategies: { field: 'strategies', id: 'strategyId', filter: 'StrategyFilter' },
  orders: { field: 'tradingOrders', id: 'orderId', filter: 'TradingOrderFilter' },
  trades: { field: 'tradingTrades', id: 'tradeId', filter: 'TradingTradeFilter' },
  positions: { field: 'positions', id: 'positionId', filter: 'TradingPositionFilter' },
} satisfies Record<string, List>;

const ids = (nodes: Record<string, string>[]) => nodes.map((node) => Object.values(node)[0]).join(' ');

async function listed({ field, id, filter: type }: List, filter: object, args = 'sortOrder: ASC') {
  const query = `query ($filter: ${type}) { ${field}(filter: $filter, ${args}) { nodes { ${id} } totalCount } }`;
  const { nodes, totalCount } = (await ask(graph, query, { filter }))[field];
  expect(totalCount).toBe(nodes.length);
  return ids(nodes);
}

describe('filters', () => {
  const cases: [keyof typeof LISTS, object, string][] = [
    ['strategies', {}, 's1 s2 s3 s4'],
    ['strategies', { type: 'ARBITRAGE' }, 's3 s4'],
    ['strategies', { status: 'ACTIVE' }, 's1 s3'],
    ['strategies', { symbol: 'eth/usd' }, 's1 s3'],
    ['strategies', { symbol: 'XRP-USD' }, ''],
    ['strategies', { accountId: ACCOUNT }, 's1 s2'],
    ['strategies', { accountId: 'not-a-uuid' }, ''],
    ['strategies', { from: '2026-01-02T00:00:00Z' }, 's2 s3 s4'],
    ['strategies', { to: '2026-01-02T00:00:00Z' }, 's1'],
    ['strategies', { from: '2026-01-02T00:00:00Z', to: '2026-01-03T00:00:00.000001Z' }, 's2 s3'],
    ['strategies', { type: 'ARBITRAGE', status: 'ACTIVE', symbol: 'ETH-USD' }, 's3'],
    ['orders', {}, 'o1 o2 o3 o4 o5 o6'],
    ['orders', { strategyId: 's1' }, 'o1 o2 o3'],
    ['orders', { strategyId: 'a\0b' }, ''],
    ['orders', { accountId: OTHER_ACCOUNT }, 'o5 o6'],
    ['orders', { symbol: 'BTCUSD' }, 'o1 o2 o4'],
    ['orders', { side: 'SELL' }, 'o2 o4'],
    ['orders', { type: 'LIMIT' }, 'o2 o3 o5 o6'],
    ['orders', { status: 'PARTIALLY_FILLED' }, 'o2'],
    ['orders', { status: 'PENDING' }, 'o5'],
    ['orders', { isActive: true }, 'o2 o3 o5'],
    ['orders', { isActive: false }, 'o1 o4 o6'],
    ['orders', { venue: 'okx' }, 'o1 o2'],
    ['orders', { from: '2026-01-06T00:00:00Z' }, 'o4 o5 o6'],
    ['orders', { to: '2026-01-06T00:00:00Z' }, 'o1 o2 o3'],
    ['orders', { from: '2026-01-05T06:00:00Z', to: '2026-01-05T12:00:00Z' }, 'o2'],
    ['orders', { side: 'BUY', symbol: 'ETH-USD', isActive: true, accountId: ACCOUNT }, 'o3'],
    ['trades', {}, 't1 t2 t3 t4'],
    ['trades', { strategyId: 's1' }, 't1 t2 t3'],
    ['trades', { orderId: 'o1' }, 't1 t2'],
    ['trades', { accountId: ACCOUNT }, 't1 t2 t3 t4'],
    ['trades', { accountId: OTHER_ACCOUNT }, ''],
    ['trades', { symbol: 'BTC-USD' }, 't1 t2 t3 t4'],
    ['trades', { symbol: 'ETH-USD' }, ''],
    ['trades', { side: 'BUY' }, 't1 t2'],
    ['trades', { venue: 'kraken' }, 't4'],
    ['trades', { from: '2026-01-06T00:00:00Z' }, 't3 t4'],
    ['trades', { to: '2026-01-06T00:00:00Z' }, 't1 t2'],
    ['trades', { minValue: '110' }, 't1 t3 t4'],
    ['trades', { maxValue: '110' }, 't2 t3'],
    ['trades', { minValue: '110.00000001', maxValue: '149.99999999' }, 't4'],
    ['positions', {}, 'p4 p1 p2 p3'],
    ['positions', { strategyId: 's1' }, 'p4 p1'],
    ['positions', { accountId: OTHER_ACCOUNT }, 'p3'],
    ['positions', { symbol: 'ETH/USD' }, 'p4 p3'],
    ['positions', { isOpen: true }, 'p1 p2 p3'],
    ['positions', { isOpen: false }, 'p4'],
    ['positions', { from: '2026-01-06T10:00:00Z' }, 'p2 p3'],
    ['positions', { to: '2026-01-06T10:00:00Z' }, 'p4 p1'],
    ['positions', { minValue: '130' }, 'p1 p3'],
    ['positions', { maxValue: '-130' }, 'p2'],
    ['positions', { minValue: '0', maxValue: '0' }, 'p4'],
  ];
  it.each(cases)('lists %s chosen by %j: %s', async (list, filter, expected) => {
    expect(await listed(LISTS[list], filter)).toBe(expected);
  });

  it.each(Object.values(LISTS))('$field refuses a symbol that is none', async ({ field, filter: type }) => {
    const query = `query ($filter: ${type}) { ${field}(filter: $filter) { totalCount } }`;
    expect(await fault(graph, query, { filter: { symbol: 'gold' } })).toEqual({
      code: 'BAD_USER_INPUT',
      message: '"gold" is not a symbol. Write BASE-QUOTE, for example BTC-USD.',
    });
  });
});

describe('sorting', () => {
  const cases: [keyof typeof LISTS, string, string][] = [
    ['strategies', 'sortBy: CREATED_AT', 's4 s3 s2 s1'],
    ['strategies', 'sortBy: NAME, sortOrder: ASC', 's3 s2 s1 s4'],
    ['orders', 'sortBy: QUANTITY', 'o6 o5 o3 o2 o1 o4'],
    ['orders', 'sortBy: UPDATED_AT, sortOrder: ASC', 'o1 o2 o3 o4 o5 o6'],
    ['trades', 'sortBy: EXECUTED_AT', 't4 t3 t2 t1'],
    ['trades', 'sortBy: CREATED_AT', 't1 t2 t3 t4'],
    ['trades', 'sortBy: GROSS_VALUE', 't1 t4 t3 t2'],
    ['positions', 'sortBy: OPENED_AT', 'p3 p2 p1 p4'],
    ['positions', 'sortBy: UPDATED_AT', 'p4 p3 p2 p1'],
    ['positions', 'sortBy: EXPOSURE', 'p3 p2 p1 p4'],
    ['positions', 'sortBy: UNREALIZED_PNL', 'p3 p1 p4 p2'],
  ];
  it.each(cases)('%s by %s', async (list, args, expected) => {
    expect(await listed(LISTS[list], {}, args)).toBe(expected);
  });

  it.each(cases)('%s by %s, page by page', async (list, args, expected) => {
    const { field, id } = LISTS[list];
    const found: string[] = [];
    let after: string | null = null;
    for (let pages = 0; pages < 10; pages++) {
      const query = `query ($after: String) { ${field}(first: 1, after: $after, ${args}) {
        nodes { ${id} } pageInfo { hasNextPage endCursor } totalCount } }`;
      const page: { nodes: Record<string, string>[]; pageInfo: { hasNextPage: boolean; endCursor: string } } = (
        await ask(graph, query, { after })
      )[field];
      found.push(ids(page.nodes));
      after = page.pageInfo.endCursor;
      if (!page.pageInfo.hasNextPage) break;
    }
    expect(found.join(' ')).toBe(expected);
  });
});

describe('look-ups', () => {
  const cases: [string, string][] = [
    ['strategy(id: "s1") { strategyId }', 's1'],
    ['tradingOrder(id: "o1") { orderId }', 'o1'],
    ['tradingTrade(id: "t1") { tradeId }', 't1'],
    ['tradingPosition(id: "p1") { positionId }', 'p1'],
    ['position(strategyId: "s1", symbol: "btc/usd") { positionId }', 'p1'],
    ['orderByExchangeId(venue: "okx", exchangeOrderId: "x1") { orderId }', 'o1'],
    ['orderByExchangeId(venue: "kraken", exchangeOrderId: "x1") { orderId }', 'o3'],
    ['tradeByExchangeId(venue: "okx", exchangeTradeId: "e1") { tradeId }', 't1'],
    ['tradeByExchangeId(venue: "kraken", exchangeTradeId: "e1") { tradeId }', 't4'],
  ];
  it.each(cases)('finds %s', async (field, expected) => {
    const data = await ask(graph, `{ found: ${field} }`);
    expect(Object.values(data.found)).toEqual([expected]);
  });

  const absent = [
    'strategy(id: "s9") { strategyId }',
    'strategy(id: "a\\u0000") { strategyId }',
    'tradingOrder(id: "") { orderId }',
    'tradingTrade(id: "t9") { tradeId }',
    'tradingPosition(id: "p9") { positionId }',
    'position(strategyId: "s1", symbol: "ETH-USD") { positionId }',
    'position(strategyId: "a\\u0000", symbol: "ETH-USD") { positionId }',
    'orderByExchangeId(venue: "okx", exchangeOrderId: "x4") { orderId }',
    'orderByExchangeId(venue: "\\u0000", exchangeOrderId: "x4") { orderId }',
    'tradeByExchangeId(venue: "okx", exchangeTradeId: "e9") { tradeId }',
    'portfolio(accountId: "not-a-uuid") { accountId }',
  ];
  it.each(absent)('finds nothing as %s', async (field) => {
    expect(await ask(graph, `{ found: ${field} }`)).toEqual({ found: null });
  });

  const lists: [string, string][] = [
    ['activeStrategies(sortOrder: ASC) { nodes { strategyId } }', 's1 s3'],
    ['activeOrders(sortOrder: ASC) { nodes { orderId } }', 'o2 o3 o5'],
    ['activeOrders(strategyId: "s1", sortOrder: ASC) { nodes { orderId } }', 'o2 o3'],
    ['openPositions(sortOrder: ASC) { nodes { positionId } }', 'p1 p2 p3'],
    ['openPositions(strategyId: "s2") { nodes { positionId } }', 'p2'],
    [`openPositions(accountId: "${ACCOUNT}", sortOrder: ASC) { nodes { positionId } }`, 'p1 p2'],
    [`openPositions(strategyId: "s3", accountId: "${ACCOUNT}") { nodes { positionId } }`, ''],
    ['dailyTrades(strategyId: "s1", date: "2026-01-05", sortOrder: ASC) { nodes { tradeId } }', 't1 t2'],
    ['dailyTrades(strategyId: "s1", date: "2026-01-06") { nodes { tradeId } }', 't3'],
    ['dailyTrades(strategyId: "s1", date: "2026-01-07") { nodes { tradeId } }', ''],
  ];
  it.each(lists)('lists %s', async (field, expected) => {
    const data = await ask(graph, `{ found: ${field} }`);
    expect(ids(data.found.nodes)).toBe(expected);
  });

  const sums: [string, string][] = [
    ['totalExposure', '860'],
    ['totalExposure(strategyId: "s1")', '130'],
    [`totalExposure(accountId: "${ACCOUNT}")`, '260'],
    ['totalExposure(strategyId: "s9")', '0'],
    ['totalExposure(accountId: "not-a-uuid")', '0'],
    ['totalUnrealizedPnl', '120'],
    ['totalUnrealizedPnl(strategyId: "s2")', '-10'],
    [`totalUnrealizedPnl(accountId: "${ACCOUNT}")`, '20'],
    ['strategyVolume(strategyId: "s1")', '310'],
    ['strategyVolume(strategyId: "s1", from: "2026-01-05T09:00:00Z", to: "2026-01-05T23:59:59.999999Z")', '150'],
    ['strategyVolume(strategyId: "s9")', '0'],
    ['strategyRealizedPnl(strategyId: "s1")', '9'],
    ['strategyRealizedPnl(strategyId: "s1", to: "2026-01-06T00:00:00Z")', '-1'],
  ];
  it.each(sums)('sums up %s to %s', async (field, expected) => {
    expect(await ask(graph, `{ found: ${field} }`)).toEqual({ found: expected });
  });

  const bad: [string, string][] = [
    [
      'dailyTrades(strategyId: "s1", date: "05.01.2026") { totalCount }',
      'date must be a UTC day, for example "2026-01-31", but got "05.01.2026".',
    ],
    [
      'dailyTrades(strategyId: "s1", date: "2026-02-30") { totalCount }',
      'date must be a UTC day, for example "2026-01-31", but got "2026-02-30".',
    ],
    ['strategies(first: 501) { totalCount }', 'first must be from 0 to 500, but got 501.'],
    ['positions(first: -1) { totalCount }', 'first must be from 0 to 500, but got -1.'],
    [
      'tradingOrders(after: "rubbish") { totalCount }',
      'after must be a cursor that this list gave out (endCursor of a page).',
    ],
    [
      'position(strategyId: "s1", symbol: "gold") { positionId }',
      '"gold" is not a symbol. Write BASE-QUOTE, for example BTC-USD.',
    ],
  ];
  it.each(bad)('%s is refused', async (field, message) => {
    expect(await fault(graph, `{ ${field} }`)).toEqual({ code: 'BAD_USER_INPUT', message });
  });
});

describe('entities and their children', () => {
  const REPRESENTATIONS = 'query ($these: [_Any!]!) { _entities(representations: $these) {';

  it('resolves each entity by its key, in the order asked, null where there is none', async () => {
    const these = [
      { __typename: 'Strategy', strategyId: 's2' },
      { __typename: 'TradingOrder', orderId: 'o1' },
      { __typename: 'Strategy', strategyId: 's9' },
      { __typename: 'TradingTrade', tradeId: 't4' },
      { __typename: 'TradingPosition', positionId: 'p3' },
      { __typename: 'Instrument', symbol: 'BTC-USD' },
      { __typename: 'Portfolio', accountId: ACCOUNT },
      { __typename: 'Strategy', strategyId: 's1' },
    ];
    const query = `${REPRESENTATIONS} __typename ... on Strategy { name } ... on TradingOrder { status }
      ... on TradingTrade { price } ... on TradingPosition { quantity } ... on Instrument { symbol }
      ... on Portfolio { openPositionCount } } }`;
    const { _entities } = await askTrading(graph, query, { these });
    expect(_entities).toEqual([
      { __typename: 'Strategy', name: 'Follower' },
      { __typename: 'TradingOrder', status: 'FILLED' },
      null,
      { __typename: 'TradingTrade', price: '120' },
      { __typename: 'TradingPosition', quantity: '50' },
      { __typename: 'Instrument', symbol: 'BTC-USD' },
      { __typename: 'Portfolio', openPositionCount: 2 },
      { __typename: 'Strategy', name: 'Maker' },
    ]);
  });

  it('costs one statement a kind of child, however many parents', async () => {
    const query = `{ strategies(first: 10, sortOrder: ASC) { nodes {
      strategyId unrealizedPnl
      orders(first: 10, sortOrder: ASC) { nodes { orderId trades(first: 10) { nodes { tradeId order { orderId } strategy { name } } totalCount } } totalCount }
      trades(first: 1) { nodes { tradeId } pageInfo { hasNextPage } }
      positions(filter: { isOpen: true }, first: 10) { nodes { positionId } } } } }`;
    const before = graph.statements();
    const { strategies } = await ask(graph, query, {}, UNCACHED);
    // The strategies; their P&L, orders with a count, trades, positions; the orders' trades with a count; and the
    // orders and strategies that those trades name.
    expect(graph.statements() - before).toBe(10);
    expect(
      strategies.nodes.map((each: { orders: { nodes: [] } }) =>
        ids(each.orders.nodes.map(({ orderId }) => ({ orderId }))),
      ),
    ).toEqual(['o1 o2 o3', 'o4', 'o5 o6', '']);
    expect(strategies.nodes[0].orders.nodes[0].trades).toEqual({
      nodes: [
        { tradeId: 't1', order: { orderId: 'o1' }, strategy: { name: 'Maker' } },
        { tradeId: 't2', order: { orderId: 'o1' }, strategy: { name: 'Maker' } },
      ],
      totalCount: 2,
    });
    expect(strategies.nodes[0].trades).toEqual({ nodes: [{ tradeId: 't3' }], pageInfo: { hasNextPage: true } });
    expect(strategies.nodes.map((each: { unrealizedPnl: string }) => each.unrealizedPnl)).toEqual([
      '30',
      '-10',
      '100',
      '0',
    ]);
  });

  it('gives an instrument its positions, strategies, orders and trades', async () => {
    const these = ['BTC-USD', 'ETH-USD', 'XRP-USD'].map((symbol) => ({ __typename: 'Instrument', symbol }));
    const query = `${REPRESENTATIONS} ... on Instrument {
      positions(filter: { isOpen: true }, sortOrder: ASC) { nodes { positionId } }
      strategies(filter: { status: ACTIVE }, sortOrder: ASC) { nodes { strategyId } totalCount }
      orders(filter: { side: BUY }, sortOrder: ASC) { nodes { orderId } }
      trades(filter: { venue: "okx" }, sortOrder: ASC) { nodes { tradeId } } } } }`;
    const before = graph.statements();
    const { _entities } = await askTrading(graph, query, { these });
    expect(graph.statements() - before).toBe(5);
    expect(
      _entities.map((each: Record<string, { nodes: Record<string, string>[] }>) =>
        ['positions', 'strategies', 'orders', 'trades'].map((name) => ids(each[name]?.nodes ?? [])),
      ),
    ).toEqual([
      ['p1 p2', 's1', 'o1', 't1 t2 t3'],
      ['p3', 's1 s3', 'o3 o5 o6', ''],
      ['', '', '', ''],
    ]);
  });
});
