/**
 * Three small subgraphs with the shape of the real ones (a portfolio that spans all three), answering from memory: they
 * show what the gateway does, and what it costs, without a database. They count their calls and can be made to fail.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { buildSubgraphSchema } from '@apollo/subgraph';
import { type ExecutionResult, execute, GraphQLError, type GraphQLSchema, parse, subscribe } from 'graphql';
import type { LocalRequest } from '../../../gateway/transport/local.ts';
import { CHANGES_SDL, ToyChanges } from './toy-changes.ts';

export const ACCOUNT_ID = '00000000-0000-4000-8000-000000000001';

export interface Toy {
  name: string;
  sdl: string;
  schema: GraphQLSchema;
  /** Every operation since the start, as the gateway sent it. */
  requests: LocalRequest[];
  execute(request: LocalRequest): Promise<ExecutionResult | AsyncIterable<ExecutionResult>>;
  isReady(): Promise<boolean>;
  /** What happens instead of answering, until set to undefined. */
  fault: ((request: LocalRequest) => Promise<ExecutionResult>) | undefined;
  close(): Promise<void>;
}

const LINK = `extend schema @link(url: "https://specs.apollo.dev/federation/v2.9", import: ["@key", "@shareable"])
  scalar Decimal
  enum OrderSide { BUY SELL }
  type PageInfo @shareable { hasNextPage: Boolean! endCursor: String }
`;

const MARKET_DATA = `${LINK}
  type Instrument @key(fields: "symbol") { symbol: ID!  tickSize: Decimal!  ticker: Ticker }
  type Ticker { lastPrice: Decimal!  bid: Decimal!  ask: Decimal! }
  type PriceChange { instrument: Instrument!  price: Decimal! }
  type Query {
    instrument(symbol: ID!): Instrument
    instruments(first: Int = 50): [Instrument!]!
    marketFault(kind: FaultKind!): String
  }
  enum FaultKind { BUG CALLER }
  type Subscription { prices(count: Int!): PriceChange! }
`;

const EXCHANGE = `${LINK}
  type Portfolio @key(fields: "accountId") {
    accountId: ID!
    account: ExchangeAccount
    balances: [ExchangeBalance!]
    openExchangeOrders(first: Int = 50): ExchangeOrderConnection
  }
  type Asset @key(fields: "code", resolvable: false) { code: ID! }
  type ExchangeAccount @key(fields: "accountId") { accountId: ID!  type: String!  status: String!  owner: String }
  type ExchangeBalance @key(fields: "balanceId") { balanceId: ID!  asset: Asset!  available: Decimal!  locked: Decimal! }
  type ExchangeOrder @key(fields: "orderId") {
    orderId: ID!  side: OrderSide!  quantity: Decimal!  price: Decimal  instrument: Instrument!
  }
  type ExchangeOrderConnection { nodes: [ExchangeOrder!]!  pageInfo: PageInfo!  totalCount: Int! }
  type Instrument @key(fields: "symbol") { symbol: ID!  orderBook(depth: Int = 10): OrderBook }
  type OrderBook { bids: [BookLevel!]!  asks: [BookLevel!]! }
  type BookLevel { price: Decimal!  quantity: Decimal! }
  type Query { exchangeAccount(accountId: ID!): ExchangeAccount }
  type Mutation { cancelExchangeOrder(orderId: ID!): ExchangeOrder }
`;

const TRADING = `${LINK}${CHANGES_SDL}
  type Portfolio @key(fields: "accountId") {
    accountId: ID!
    totalMarketValue: Decimal!
    totalUnrealizedPnl: Decimal!
    totalRealizedPnl: Decimal!
    grossExposure: Decimal!
    netExposure: Decimal!
    positions(first: Int = 50, after: String): TradingPositionConnection!
  }
  type TradingPositionConnection {
    edges: [TradingPositionEdge!]!  nodes: [TradingPosition!]!  pageInfo: PageInfo!  totalCount: Int!
  }
  type TradingPositionEdge { cursor: String!  node: TradingPosition! }
  type TradingPosition @key(fields: "positionId") {
    positionId: ID!
    quantity: Decimal!
    averageEntryPrice: Decimal!
    currentPrice: Decimal
    markedAt: String
    marketValue: Decimal!
    unrealizedPnl: Decimal!
    instrument: Instrument!
    strategy: Strategy!
    portfolio: Portfolio!
  }
  type Strategy @key(fields: "strategyId") {
    strategyId: ID!  name: String!  positions(first: Int = 50): TradingPositionConnection!
  }
  type Instrument @key(fields: "symbol") { symbol: ID!  positions(first: Int = 50): TradingPositionConnection! }
  type Query { portfolio(accountId: ID!): Portfolio  strategies(first: Int = 50): [Strategy!]! }
  type Mutation { placeOrder(quantity: Decimal!): TradingPosition }
`;

export interface Toys {
  marketData: Toy;
  exchange: Toy;
  trading: Toy;
  all: Toy[];
  /** What the trading toy tells its subscribers. */
  changes: ToyChanges;
}

/** The three subgraphs over a portfolio of that many positions in that many instruments. */
export function createToys({ positions = 10, instruments = 5 } = {}): Toys {
  const marketData = createToy('market-data', MARKET_DATA, marketDataResolvers(instruments));
  const exchange = createToy('exchange', EXCHANGE, exchangeResolvers());
  const changes = new ToyChanges();
  const trading = createToy('trading', TRADING, tradingResolvers(positions, instruments, changes));
  return { marketData, exchange, trading, all: [marketData, exchange, trading], changes };
}

/** A fault that never answers, but ends when the gateway gives up. */
export async function hang({ signal }: LocalRequest): Promise<ExecutionResult> {
  await delay(60_000, undefined, { ref: false, ...(signal && { signal }) });
  return {};
}

const symbolOf = (index: number) => `COIN${index}-USD`;

function marketDataResolvers(instruments: number) {
  const instrument = (symbol: string) => ({
    symbol,
    tickSize: '0.01',
    ticker: { lastPrice: '48400.5', bid: '48400', ask: '48401' },
  });
  return {
    Query: {
      instrument: (_: unknown, args: { symbol: string }) => instrument(args.symbol),
      instruments: (_: unknown, { first }: { first: number }) =>
        Array.from({ length: Math.min(first, instruments) }, (_, index) => instrument(symbolOf(index))),
      marketFault: (_: unknown, { kind }: { kind: string }) => {
        if (kind === 'BUG') throw new Error('password=hunter2 at table market_data.secrets');
        throw new GraphQLError('The symbol is not known.', { extensions: { code: 'BAD_USER_INPUT' } });
      },
    },
    Instrument: { __resolveReference: ({ symbol }: { symbol: string }) => instrument(symbol) },
    Subscription: {
      prices: {
        subscribe: async function* (_: unknown, { count }: { count: number }) {
          for (let index = 0; index < count; index++) {
            yield { prices: { instrument: instrument(symbolOf(index)), price: String(index) } };
          }
        },
      },
    },
  };
}

function exchangeResolvers() {
  const order = (orderId: string) => ({
    orderId,
    side: 'BUY',
    quantity: '0.5',
    price: '48000',
    instrument: { symbol: symbolOf(0) },
  });
  const nodes = Array.from({ length: 5 }, (_, index) => order(`o-${index}`));
  const page = { nodes, pageInfo: { hasNextPage: false, endCursor: 'c' }, totalCount: nodes.length };
  const account = (accountId: string) => ({ accountId, type: 'SPOT', status: 'ACTIVE', owner: 'Ada' });
  const balances = ['USD', 'BTC', 'ETH', 'SOL'].map((asset) => ({
    balanceId: `b-${asset}`,
    asset: { code: asset },
    available: '1000.25',
    locked: '10',
  }));
  const levels = Array.from({ length: 10 }, (_, index) => ({ price: String(100 + index), quantity: '1.5' }));
  return {
    Query: { exchangeAccount: (_: unknown, args: { accountId: string }) => account(args.accountId) },
    Mutation: { cancelExchangeOrder: (_: unknown, args: { orderId: string }) => order(args.orderId) },
    Portfolio: {
      __resolveReference: ({ accountId }: { accountId: string }) => ({ accountId, balances, openExchangeOrders: page }),
      account: ({ accountId }: { accountId: string }) => account(accountId),
    },
    Instrument: {
      __resolveReference: (reference: object) => ({ ...reference, orderBook: { bids: levels, asks: levels } }),
    },
  };
}

function tradingResolvers(positions: number, instruments: number, changes: ToyChanges) {
  const portfolio = (accountId: string) => ({
    accountId,
    totalMarketValue: '605006.25',
    totalUnrealizedPnl: '42500',
    totalRealizedPnl: '-12.5',
    grossExposure: '605006.25',
    netExposure: '605006.25',
  });
  const nodes = Array.from({ length: positions }, (_, index) => ({
    positionId: `p-${index}`,
    quantity: '1.25',
    averageEntryPrice: '45000.5',
    currentPrice: '48400.5',
    markedAt: '2026-01-01T00:00:00Z',
    marketValue: '60500.625',
    unrealizedPnl: '4250',
    instrument: { symbol: symbolOf(index % instruments) },
    strategy: { strategyId: `s-${index % 3}`, name: `Strategy ${index % 3}` },
    portfolio: portfolio(ACCOUNT_ID),
  }));
  const connection = (_: unknown, { first }: { first: number }) => {
    const page = nodes.slice(0, first);
    return {
      edges: page.map((node) => ({ cursor: node.positionId, node })),
      nodes: page,
      pageInfo: { hasNextPage: page.length < nodes.length, endCursor: page.at(-1)?.positionId },
      totalCount: nodes.length,
    };
  };
  return {
    Query: {
      portfolio: (_: unknown, args: { accountId: string }) => portfolio(args.accountId),
      strategies: () => [{ strategyId: 's-0', name: 'Strategy 0' }],
    },
    Mutation: { placeOrder: () => nodes[0] },
    Portfolio: {
      __resolveReference: ({ accountId }: { accountId: string }) => portfolio(accountId),
      positions: connection,
    },
    Strategy: {
      __resolveReference: ({ strategyId }: { strategyId: string }) => ({ strategyId, name: 'Strategy' }),
      positions: connection,
    },
    Instrument: { __resolveReference: (reference: object) => reference, positions: connection },
    Change: { __resolveType: () => 'PositionChange' },
    Subscription: {
      positionChanges: {
        subscribe: (_: unknown, { after }: { after?: string }) => changes.subscribe(after),
        resolve: (change: unknown) => change,
      },
    },
  };
}

function createToy(name: string, sdl: string, resolvers: object): Toy {
  const schema = buildSubgraphSchema([{ typeDefs: parse(sdl), resolvers: resolvers as never }]);
  const requests: LocalRequest[] = [];
  const toy: Toy = {
    name,
    sdl,
    schema,
    requests,
    fault: undefined,
    isReady: async () => toy.fault === undefined,
    close: async () => {},
    async execute(request) {
      requests.push(request);
      if (toy.fault) return toy.fault(request);
      const { document, variables, operationName } = request;
      const args = {
        schema,
        document,
        ...(variables && { variableValues: variables }),
        ...(operationName !== undefined && { operationName }),
      };
      const isSubscription = document.definitions.some(
        (definition) => definition.kind === 'OperationDefinition' && definition.operation === 'subscription',
      );
      return isSubscription ? subscribe(args) : execute(args);
    },
  };
  return toy;
}
