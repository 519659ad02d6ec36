import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startToyGraph, type ToyGraph } from './toy-graph.ts';
import { ACCOUNT_ID, createToys, hang } from './toy-subgraphs.ts';

const PORTFOLIO = `query Portfolio($accountId: ID!) {
  portfolio(accountId: $accountId) {
    accountId totalMarketValue
    account { type }
    balances { asset { code } available }
    positions(first: 2) { nodes { quantity instrument { symbol ticker { lastPrice } } } }
  }
}`;

describe.each([
  { transport: 'in process', spreadOut: false },
  { transport: 'over HTTP', spreadOut: true },
])('subgraphs $transport', ({ spreadOut }) => {
  let graph: ToyGraph;
  beforeEach(async () => {
    graph = await startToyGraph({ spreadOut, fetchTimeoutMs: 300 });
  });
  afterEach(() => graph.close());

  const portfolio = () => graph.run(PORTFOLIO, { accountId: ACCOUNT_ID });

  it('answers one portfolio from three subgraphs', async () => {
    const answer = await portfolio();
    expect(answer.errors).toBeUndefined();
    expect(answer.data).toEqual({
      portfolio: {
        accountId: ACCOUNT_ID,
        totalMarketValue: '605006.25',
        account: { type: 'SPOT' },
        balances: ['USD', 'BTC', 'ETH', 'SOL'].map((code) => ({ asset: { code }, available: '1000.25' })),
        positions: {
          nodes: [0, 1].map((index) => ({
            quantity: '1.25',
            instrument: { symbol: `COIN${index}-USD`, ticker: { lastPrice: '48400.5' } },
          })),
        },
      },
    });
  });

  it('blanks the fields of a domain that answers with a failure, says so once, and answers the rest', async () => {
    graph.toys.marketData.fault = () => Promise.reject(Object.assign(new Error('down'), { code: 'ECONNREFUSED' }));
    const { data, errors } = await portfolio();
    expect(data.portfolio.account).toEqual({ type: 'SPOT' });
    expect(data.portfolio.positions.nodes.map((node: { instrument: unknown }) => node.instrument)).toEqual([
      { symbol: 'COIN0-USD', ticker: null },
      { symbol: 'COIN1-USD', ticker: null },
    ]);
    expect(errors).toEqual([
      {
        message: 'The market-data domain does not answer. Its fields are empty; try again later.',
        path: ['portfolio', 'positions', 'nodes', 'instrument'],
        extensions: { code: 'DOMAIN_UNAVAILABLE', domain: 'market-data' },
      },
    ]);
  });

  it('waits no longer for a domain than it may take', async () => {
    graph.toys.exchange.fault = hang;
    const { data, errors } = await portfolio();
    expect(data.portfolio).toMatchObject({ account: null, balances: null, totalMarketValue: '605006.25' });
    expect(errors?.map(({ extensions }) => extensions)).toEqual([{ code: 'DOMAIN_UNAVAILABLE', domain: 'exchange' }]);
  });

  it('answers null for a root field whose domain is away', async () => {
    graph.toys.trading.fault = hang;
    const { data, errors } = await graph.run(
      `{ portfolio(accountId: "a") { accountId } instrument(symbol: "X") { symbol } }`,
    );
    expect(data).toEqual({ portfolio: null, instrument: { symbol: 'X' } });
    expect(errors).toMatchObject([{ path: ['portfolio'], extensions: { domain: 'trading' } }]);
  });

  it('does not pretend to know whether a command that was not answered was carried out', async () => {
    graph.toys.trading.fault = hang;
    const { data, errors } = await graph.run(`mutation { placeOrder(quantity: "1") { positionId } }`);
    expect(data).toEqual({ placeOrder: null });
    expect(errors?.[0]?.message).toContain('send it again with the same idempotencyKey');
    expect(errors?.[0]?.extensions).toEqual({ code: 'DOMAIN_UNAVAILABLE', domain: 'trading' });
  });

  it('answers again when the domain is back, and logs its going and coming once', async () => {
    graph.toys.marketData.fault = () => Promise.reject(Object.assign(new Error('down'), { code: 'ECONNREFUSED' }));
    await portfolio();
    await portfolio();
    graph.toys.marketData.fault = undefined;
    expect((await portfolio()).errors).toBeUndefined();
    expect(graph.logged.map(({ level, message, domain }) => ({ level, message, domain }))).toEqual([
      { level: 'warn', message: 'a domain went away', domain: 'market-data' },
      { level: 'info', message: 'a domain is back', domain: 'market-data' },
    ]);
  });

  it('shows a bug as "Internal error" with the request id, and logs it', async () => {
    const { data, errors, extensions } = await graph.run('{ marketFault(kind: BUG) }');
    expect(data).toEqual({ marketFault: null });
    expect(errors).toEqual([
      {
        message: 'Internal error',
        path: ['marketFault'],
        extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: extensions?.requestId },
      },
    ]);
    expect(JSON.stringify(errors)).not.toMatch(/hunter2|secrets|127\.0\.0\.1|stack/);
    expect(graph.logged).toMatchObject([{ level: 'error', requestId: extensions?.requestId }]);
    expect(String(graph.logged[0]?.err)).toContain('market_data.secrets');
  });

  it("passes the caller's own fault through", async () => {
    const { errors } = await graph.run('{ marketFault(kind: CALLER) }');
    expect(errors).toEqual([
      { message: 'The symbol is not known.', path: ['marketFault'], extensions: { code: 'BAD_USER_INPUT' } },
    ]);
  });

  it('tells every subgraph the request id, the trace and the authorization', async () => {
    const traceId = '0af7651916cd43dd8448eb211c80319c';
    const headers = {
      'x-request-id': 'request-1',
      traceparent: `00-${traceId}-b7ad6b7169203331-01`,
      authorization: 'Bearer token',
      cookie: 'session=1',
    };
    const { extensions } = await graph.run(PORTFOLIO, { accountId: ACCOUNT_ID }, headers);
    expect(extensions).toEqual({ requestId: 'request-1', traceId });
    for (const toy of graph.toys.all) {
      expect(toy.requests[0]?.headers).toMatchObject({ 'x-request-id': 'request-1', authorization: 'Bearer token' });
      expect(toy.requests[0]?.headers.traceparent).toMatch(new RegExp(`^00-${traceId}-[0-9a-f]{16}-01$`));
      expect(toy.requests[0]?.headers).not.toHaveProperty('cookie');
    }
  });

  it('makes ids for a request that has none, or none that a log line bears', async () => {
    const { extensions } = await graph.run('{ __typename }', {}, { 'x-request-id': 'a\nb', traceparent: 'nonsense' });
    expect(extensions?.requestId).toMatch(/^[0-9a-f-]{36}$/);
    expect(extensions?.traceId).toMatch(/^[0-9a-f]{32}$/);
  });
});

describe.each([
  { transport: 'in process', spreadOut: false },
  { transport: 'over HTTP', spreadOut: true },
])('what subgraphs $transport are asked', ({ spreadOut }) => {
  let graph: ToyGraph;
  beforeEach(async () => {
    graph = await startToyGraph({ spreadOut, toys: createToys({ positions: 500, instruments: 100 }) });
  });
  afterEach(() => graph.close());

  const callsOf = () => Object.fromEntries(graph.toys.all.map(({ name, requests }) => [name, requests.length]));

  it('is one call a subgraph a level for a portfolio of 500 positions in 100 instruments', async () => {
    await graph.run(PORTFOLIO.replace('first: 2', 'first: 500'), { accountId: ACCOUNT_ID });
    expect(callsOf()).toEqual({ 'market-data': 1, exchange: 1, trading: 1 });
    const representations = graph.toys.marketData.requests[0]?.variables?.representations as unknown[];
    expect(representations).toHaveLength(100);
    expect(new Set(representations.map((one) => JSON.stringify(one))).size).toBe(100);
  });

  it('is one call where different types of a level belong to one subgraph', async () => {
    const { data } = await graph.run(
      `{ portfolio(accountId: "a") {
           account { type }
           positions(first: 500) {
             nodes { instrument { orderBook(depth: 1) { bids { price } } } portfolio { account { status } } }
             edges { node { instrument { orderBook(depth: 1) { bids { price } } } } }
           } } }`,
    );
    expect(callsOf()).toEqual({ 'market-data': 0, exchange: 1, trading: 1 });
    expect(data.portfolio.positions.nodes[499].portfolio.account).toEqual({ status: 'ACTIVE' });
    expect(data.portfolio.positions.edges[499].node.instrument.orderBook.bids[0]).toEqual({ price: '100' });
  });

  it('is asked once where conditions keep equal fetches apart in the plan', async () => {
    const { data } = await graph.run(
      `query($edges: Boolean!) { portfolio(accountId: "a") { positions(first: 3) {
           edges { node { instrument { ticker @include(if: $edges) { bid } } } }
           nodes { instrument { symbol ticker { bid } } } } } }`,
      { edges: true },
    );
    expect(callsOf()).toEqual({ 'market-data': 1, exchange: 0, trading: 1 });
    const { edges, nodes } = data.portfolio.positions;
    expect(edges.map((edge: { node: object }) => edge.node)).toEqual(
      Array(3).fill({ instrument: { ticker: { bid: '48400' } } }),
    );
    expect(nodes[2]).toEqual({ instrument: { symbol: 'COIN2-USD', ticker: { bid: '48400' } } });
  });

  it('is nothing for what the client does not ask', async () => {
    await graph.run(
      'query($with: Boolean!) { portfolio(accountId: "a") { accountId account @include(if: $with) { type } } }',
      {
        with: false,
      },
    );
    expect(callsOf()).toEqual({ 'market-data': 0, exchange: 0, trading: 1 });
  });

  it('keeps commands in order and each answered before the next', async () => {
    const order: string[] = [];
    for (const toy of [graph.toys.trading, graph.toys.exchange]) {
      const execute = toy.execute.bind(toy);
      toy.execute = async (request) => {
        order.push(`${toy.name} asked`);
        const result = await execute(request);
        order.push(`${toy.name} answered`);
        return result;
      };
    }
    const { data } = await graph.run(`mutation {
      first: placeOrder(quantity: "1") { positionId }
      cancelExchangeOrder(orderId: "o") { orderId }
      last: placeOrder(quantity: "1") { positionId }
    }`);
    expect(Object.keys(data)).toEqual(['first', 'cancelExchangeOrder', 'last']);
    expect(order).toEqual(['trading', 'exchange', 'trading'].flatMap((name) => [`${name} asked`, `${name} answered`]));
  });
});
