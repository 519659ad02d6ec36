/** A missing resolver is no type error: every field of every type is selected once, on a desk where all of them say something. */
import {
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isInterfaceType,
  isLeafType,
  isObjectType,
  isUnionType,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ACCOUNT, askTrading, done, execution, order, strategy, trade } from './desk.ts';

let graph: TestGraph;
let schema: GraphQLSchema;
beforeAll(async () => {
  graph = await startGraph();
  schema = graph.subgraphs.get('trading')?.schema as GraphQLSchema;
  await strategy(graph, { strategyId: 'all' });
  await trade(graph, 'all', '1', '100');
  const orderId = await order(graph, 'all', { orderId: 'all-order', quantity: '2', status: 'PENDING' });
  const exchangeOrderId = '00000000-0000-4000-8000-00000000000a';
  await done(graph, 'submitOrder', { orderId, venue: 'exchange-okx', exchangeOrderId });
  const exchangeTradeId = '00000000-0000-4000-8000-00000000000b';
  await done(graph, 'recordFill', execution(orderId, '1', '100', { exchangeTradeId, liquidity: 'TAKER' }));
  const input = {
    runId: 'run',
    strategyId: 'all',
    type: 'MOMENTUM',
    symbols: ['BTC-USD'],
    interval: 'H1',
    from: '2026-01-01T00:00:00Z',
    to: '2026-01-02T00:00:00Z',
  };
  await done(graph, 'createInstrument', { symbol: 'BTC-USD' });
  await done(graph, 'startBacktest', input);
  await graph.sql(
    'trading',
    `insert into quarantined_fills (quarantined_fill_id, order_id, strategy_id, account_id, instrument_id, side, quantity,
            price, commission, execution_venue, exchange_trade_id, exchange_order_id, executed_at, reason, message)
     values ('00000000-0000-4000-8000-00000000000c', 'all-order', 'all', $1, 'BTC-USD', 'buy', 5, 100, 0, 'exchange', $2, $3,
             now(), 'overfill', 'as told')`,
    [ACCOUNT, '00000000-0000-4000-8000-00000000000d', exchangeOrderId],
  );
});
afterAll(() => graph.close());

/** The leaves of a type, and of what lies `depth` fields below it. */
function selection(type: GraphQLObjectType, depth: number): string {
  const fields = Object.values(type.getFields()).map((field) => {
    const inner = getNamedType(field.type);
    if (isLeafType(inner)) return field.name;
    if (depth === 0 || !isObjectType(inner)) return '';
    return `${field.name} { __typename ${selection(inner, depth - 1)} }`;
  });
  return fields.join(' ');
}

const ROOTS: Record<string, string> = {
  Strategy: 'strategy(id: "all")',
  TradingOrder: 'tradingOrder(id: "all-order")',
  TradingTrade: 'tradeByExchangeId(venue: "exchange-okx", exchangeTradeId: "00000000-0000-4000-8000-00000000000b")',
  TradingPosition: 'position(strategyId: "all", symbol: "BTC-USD")',
  Portfolio: `portfolio(accountId: "${ACCOUNT}")`,
  PerformanceReport: 'performance(strategyId: "all")',
  BacktestRun: 'backtest(id: "run")',
  BacktestRunConnection: 'backtests',
  StrategyConnection: 'strategies',
  TradingOrderConnection: 'tradingOrders',
  TradingTradeConnection: 'tradingTrades',
  TradingPositionConnection: 'positions',
  ManagedTrade: 'managedTrade(id: "all-order")',
  ManagedTradeConnection: 'managedTrades',
  ManagedTradeStats: 'managedTradeStats',
  ManagedTradeComparison: 'managedTradeComparison',
  QuarantinedFill: 'quarantinedFill(id: "00000000-0000-4000-8000-00000000000c")',
  QuarantinedFillConnection: 'quarantinedFills',
};

describe('the contract', () => {
  it.each(Object.entries(ROOTS))('%s answers every field, three deep', async (name, root) => {
    const data = await askTrading(
      graph,
      `{ it: ${root} { ${selection(schema.getType(name) as GraphQLObjectType, 3)} } }`,
    );
    expect(data.it).not.toBeNull();
  });

  it('what the exchange owns leads back to what trading made of it', async () => {
    const trade = '00000000-0000-4000-8000-00000000000b';
    const these = [
      { __typename: 'ExchangeOrder', orderId: '00000000-0000-4000-8000-00000000000a' },
      { __typename: 'ExchangeTrade', tradeId: trade },
      { __typename: 'ExchangeOrder', orderId: trade },
      { __typename: 'ExchangeTrade', tradeId: ACCOUNT },
    ];
    const { _entities } = await askTrading(
      graph,
      `query ($these: [_Any!]!) { _entities(representations: $these) {
        ... on ExchangeOrder { orderId tradingOrder { orderId } }
        ... on ExchangeTrade { tradeId tradingTrade { exchangeTradeId } } } }`,
      { these },
    );
    expect(_entities).toEqual([
      { orderId: these[0]?.orderId, tradingOrder: { orderId: 'all-order' } },
      { tradeId: trade, tradingTrade: { exchangeTradeId: trade } },
      { orderId: trade, tradingOrder: null },
      { tradeId: ACCOUNT, tradingTrade: null },
    ]);
  });

  it('Instrument answers every field', async () => {
    const fields = selection(schema.getType('Instrument') as GraphQLObjectType, 3);
    const { _entities } = await askTrading(
      graph,
      `query ($these: [_Any!]!) { _entities(representations: $these) { ... on Instrument { ${fields} } } }`,
      { these: [{ __typename: 'Instrument', symbol: 'BTC-USD' }] },
    );
    expect(_entities).toMatchObject([{ symbol: 'BTC-USD', orders: { totalCount: 2 }, trades: { totalCount: 2 } }]);
  });

  it('has no other type than those selected here, the edges, payloads, refusals, and what subscriptions tell', () => {
    const own = Object.values(schema.getTypeMap())
      .filter((type) => isObjectType(type) || isInterfaceType(type) || isUnionType(type))
      .map(({ name }) => name)
      .filter(
        (name) =>
          !/^(__|_Service|_Entity|federation__|link__)|(Edge|Payload|Change)$|^DomainEvent|^Fault$|^Subscription$/.test(
            name,
          ),
      );
    const refusals =
      'UserError ValidationFailed NotFound InvalidTransition Conflict InsufficientFunds IdempotencyConflict LimitBreached DomainUnavailable';
    const stubs =
      'BacktestMetrics BacktestPoint BacktestPointConnection BacktestTrade BacktestTradeConnection CacheStatus DailyPnl DomainHealth EquityPoint ExchangeAccount ExchangeOrder ExchangeTrade FeedStatus Instrument ManagedTradeDifference PageInfo PerformanceShare Query Mutation StoreHealth';
    expect(own.sort()).toEqual([...Object.keys(ROOTS), ...refusals.split(' '), ...stubs.split(' ')].sort());
  });

  it('has a mutation for every payload, each answering `errors`', () => {
    const all = Object.values(schema.getMutationType()?.getFields() ?? {});
    const mutations = all.filter(({ name }) => !/^invalidate|Faults?$/.test(name)); // every subgraph's alike
    const payloads = Object.values(schema.getTypeMap()).filter(({ name }) => /(?<!Cache|Faults?)Payload$/.test(name));
    expect(mutations).toHaveLength(payloads.length);
    for (const { name, type } of mutations) {
      const payload = getNamedType(type);
      expect(payload.name.toLowerCase()).toBe(`${name}payload`.toLowerCase());
      expect(isObjectType(payload) && Object.keys(payload.getFields())).toContain('errors');
    }
  });
});
