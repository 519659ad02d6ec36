/** A missing resolver is no type error: every field of every type is selected once, where all of them say something. */
import {
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  isEnumType,
  isInterfaceType,
  isLeafType,
  isObjectType,
} from 'graphql';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LIVE_ORDER_STATUSES, ORDER_TRANSITIONS } from '../../../subgraphs/exchange/rules/order-lifecycle.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { done, list, open, place } from './floor.ts';

let graph: TestGraph;
let schema: GraphQLSchema;
let account: string;
let order: string;

beforeAll(async () => {
  graph = await startGraph();
  schema = graph.subgraphs.get('exchange')?.schema as GraphQLSchema;
  await list(graph, 'BTC-USD');
  const maker = await open(graph, { BTC: '10' });
  account = await open(graph, { USD: '1000' }, { clientId: 'contract' });
  await done(graph, 'createSubAccount', { parentAccountId: account, name: 'sub' });
  await place(graph, maker, 'sell 1 @ 100');
  await place(graph, maker, 'sell 1 @ 101');
  order = (await place(graph, account, 'buy 1.5 @ 100', { clientOrderId: 'contract' })).orderId;
});
afterAll(() => graph.close());

/** The leaves of a type of this subgraph, and of what lies `depth` fields below it. */
function selection(type: GraphQLObjectType, depth: number): string {
  const fields = Object.values(type.getFields()).map((field) => {
    const inner = getNamedType(field.type);
    if (isLeafType(inner)) return field.name;
    if (depth === 0 || !isObjectType(inner)) return '';
    return `${field.name} { __typename ${selection(inner, depth - 1)} }`;
  });
  return fields.join(' ');
}

const ROOTS: Record<string, () => string> = {
  Client: () => 'client(id: "contract")',
  ExchangeAccount: () => `exchangeAccount(id: "${account}")`,
  ExchangeOrder: () => `exchangeOrder(id: "${order}")`,
  ExchangeBalance: () => `exchangeBalanceOf(accountId: "${account}", asset: "USD")`,
  ExchangeOrderBook: () => 'orderBook(symbol: "BTC-USD")',
  ExchangePrint: () => 'recentTrades(symbol: "BTC-USD")',
  ExchangeAccountConnection: () => 'exchangeAccounts',
  ExchangeOrderConnection: () => 'exchangeOrders',
  ExchangeTradeConnection: () => 'exchangeTrades',
  ExchangeBalanceConnection: () => 'exchangeBalances',
  LedgerEntryConnection: () => `ledgerEntries(accountId: "${account}")`,
};

describe('the contract', () => {
  it.each(Object.entries(ROOTS))('%s answers every field, three deep', async (name, root) => {
    const fields = selection(schema.getType(name) as GraphQLObjectType, 3);
    const { data, errors } = await graph.subgraph('exchange', `{ it: ${root()} { ${fields} } }`);
    expect(errors).toBeUndefined();
    expect(data.it).not.toBeNull();
  });

  it('entities answer every field from their keys', async () => {
    const { data: found } = await graph.subgraph(
      'exchange',
      `{ trades: exchangeTrades { nodes { tradeId } } balances: exchangeBalances { nodes { balanceId } } }`,
    );
    const these = [
      { __typename: 'Client', clientId: 'contract' },
      { __typename: 'ExchangeAccount', accountId: account },
      { __typename: 'ExchangeOrder', orderId: order },
      { __typename: 'ExchangeTrade', tradeId: found.trades.nodes[0].tradeId },
      { __typename: 'ExchangeBalance', balanceId: found.balances.nodes[0].balanceId },
      { __typename: 'Instrument', symbol: 'BTC-USD' },
      { __typename: 'Portfolio', accountId: account },
    ];
    for (const representation of these) {
      const { __typename } = representation;
      const fields = selection(schema.getType(__typename) as GraphQLObjectType, 1);
      const { data, errors } = await graph.subgraph(
        'exchange',
        `query Q($these: [_Any!]!) { _entities(representations: $these) { ... on ${__typename} { ${fields} } } }`,
        { these: [representation] },
      );
      expect(errors).toBeUndefined();
      expect(data._entities[0]).not.toBeNull();
    }
  });

  it('selects every type of the subgraph', () => {
    const reached = new Set<string>();
    const visit = (name: string) => {
      const type = schema.getType(name);
      if (reached.has(name) || !isObjectType(type)) return;
      reached.add(name);
      for (const field of Object.values(type.getFields())) visit(getNamedType(field.type).name);
    };
    for (const root of [...Object.keys(ROOTS), 'Portfolio']) visit(root);
    const own = Object.values(schema.getTypeMap()).filter((type) => isObjectType(type) && !type.name.startsWith('_'));
    const rest = own
      .map(({ name }) => name)
      .filter(
        (name) =>
          !reached.has(name) &&
          !/Payload$|Change$|^DomainEvent|^Fault$|^(Query|Mutation|Subscription|FeedStatus|DomainHealth|StoreHealth|CacheStatus)$/.test(
            name,
          ),
      );
    const errors = Object.values(schema.getTypeMap()).filter((type) => isInterfaceType(type));
    expect(errors.map(({ name }) => name).toSorted()).toEqual(['Change', 'UserError']);
    expect(rest.toSorted()).toEqual([
      'Conflict',
      'DomainUnavailable',
      'IdempotencyConflict',
      'InsufficientFunds',
      'InvalidTransition',
      'LimitBreached',
      'NotFound',
      'ValidationFailed',
    ]);
  });

  it('names the states of an order as the rules do', () => {
    const type = schema.getType('ExchangeOrderStatus');
    const names = isEnumType(type) ? type.getValues().map(({ name }) => name) : [];
    const stored = Object.keys(ORDER_TRANSITIONS).map((status) => (status === 'PARTIAL' ? 'PARTIALLY_FILLED' : status));
    expect(names).toEqual(stored);
    expect(LIVE_ORDER_STATUSES).toHaveLength(3);
  });

  it('has a health of its own', async () => {
    const [{ health }] = await graph.sql('exchange', 'select health_check() as health');
    expect(health).toMatchObject({
      schema: 'exchange',
      status: 'healthy',
      accounts: 5,
      order_books: 1,
      live_orders: 2,
    });
    expect(health.tables).toBeGreaterThanOrEqual(7);
  });
});
