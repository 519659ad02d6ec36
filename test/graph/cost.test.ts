/**
 * What requests cost: a cross-domain portfolio in calls of the gateway and statements of the subgraphs, however large it
 * is, and the commands that are sent most in ways to the database.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Domain } from '../../platform/domains.ts';
import type { Subgraph } from '../../platform/subgraph.ts';
import { startGraph, type TestGraph } from '../support/graph.ts';

const SMALL = '00000000-0000-4000-8000-00000000000a';
const LARGE = '00000000-0000-4000-8000-00000000000b';
const INSTRUMENTS = 100;
const UNCACHED = { 'cache-control': 'no-cache' };

const PORTFOLIO = /* GraphQL */ `
  query ($accountId: ID!) {
    portfolio(accountId: $accountId) {
      account { status kycStatus }
      balances { asset { code name } total }
      totalMarketValue totalUnrealizedPnl totalRealizedPnl grossExposure netExposure
      positions(first: 500) {
        nodes {
          quantity averageEntryPrice currentPrice markedAt marketValue unrealizedPnl
          strategy { name }
          instrument { symbol ticker { lastPrice bid ask } }
        }
      }
    }
  }
`;

let graph: TestGraph;

/** An account with so many positions, each of quantity 1 bought at 10 and marked at 12, over the instruments in turn. */
async function openPositions(account: string, count: number): Promise<void> {
  const strategies = Math.ceil(count / INSTRUMENTS);
  const input = { accountId: account, clientId: `client-${account}` };
  await graph.run(
    'mutation ($input: CreateExchangeAccountInput!) { createExchangeAccount(input: $input) { errors { message } } }',
    { input },
  );
  await graph.run('mutation ($input: DepositInput!) { deposit(input: $input) { errors { message } } }', {
    input: { accountId: account, asset: 'A1', amount: '5' },
  });
  await graph.sql(
    'trading',
    `insert into strategies (strategy_id, name, strategy_type, account_id, instruments)
     select $1 || '-' || n, 'Strategy ' || n, 'custom', $1::uuid, array['A1-USD'] from generate_series(1, $2::int) as n`,
    [account, strategies],
  );
  await graph.sql(
    'trading',
    `insert into positions (strategy_id, account_id, instrument_id, quantity, average_entry_price, current_price, marked_at, opened_at)
     select $1 || '-' || (n / ${INSTRUMENTS} + 1), $1::uuid, 'A' || (n % ${INSTRUMENTS} + 1) || '-USD', 1, 10, 12, now(), now()
       from generate_series(0, $2::int - 1) as n`,
    [account, count],
  );
}

beforeAll(async () => {
  graph = await startGraph();
  await graph.sql(
    'market-data',
    `insert into assets (code) select 'A' || n from generate_series(1, ${INSTRUMENTS}) as n union all select 'USD'`,
  );
  await graph.sql(
    'market-data',
    `insert into symbols (symbol, base_currency, quote_currency) select 'A' || n || '-USD', 'A' || n, 'USD' from generate_series(1, ${INSTRUMENTS}) as n`,
  );
  const prices = Array.from({ length: INSTRUMENTS }, (_, i) => ({
    symbol: `A${i + 1}-USD`,
    source: 'test',
    timestamp: '2026-01-01T00:00:00Z',
    price: String(i + 1),
  }));
  await graph.run('mutation ($input: IngestPricesInput!) { ingestPrices(input: $input) { accepted } }', {
    input: { prices },
  });
  await openPositions(SMALL, 5);
  await openPositions(LARGE, 500);
}, 120_000);

afterAll(() => graph.close());

async function costOf(accountId: string, headers: Record<string, string> = {}) {
  const calls = graph.calls.length;
  const statements = graph.statements();
  const { data, errors } = await graph.run(PORTFOLIO, { accountId }, headers);
  expect(errors).toBeUndefined();
  const [first, ...others] = graph.calls.slice(calls);
  return { portfolio: data.portfolio, calls: [first, ...others.sort()], statements: graph.statements() - statements };
}

describe('a portfolio of 500 positions in 100 instruments', () => {
  it('is whole and right', async () => {
    const { portfolio } = await costOf(LARGE);
    expect(portfolio).toMatchObject({
      account: { status: 'ACTIVE', kycStatus: 'PENDING' },
      balances: [{ asset: { code: 'A1', name: null }, total: '5' }],
      totalMarketValue: '6000',
      totalUnrealizedPnl: '1000',
      totalRealizedPnl: '0',
      grossExposure: '6000',
      netExposure: '6000',
    });
    expect(portfolio.positions.nodes).toHaveLength(500);
    for (const { instrument, unrealizedPnl } of portfolio.positions.nodes) {
      expect(unrealizedPnl).toBe('2');
      expect(instrument.ticker.lastPrice).toBe(/^A(\d+)-USD$/.exec(instrument.symbol)?.[1]);
    }
  });

  it('costs one call a subgraph a level, as many statements as one of five positions, and none once it is cached', async () => {
    // First trading; then the exchange for the account and market data for the instruments; then market data for the
    // assets of the balances, which the exchange has named.
    const calls = ['trading', 'exchange', 'market-data', 'market-data'];
    // Trading follows prices beside its requests, which costs a call and a statement now and then.
    for (const account of [SMALL, LARGE]) {
      await expect.poll(() => costOf(account, UNCACHED)).toMatchObject({ calls, statements: 9 });
      await expect.poll(() => costOf(account)).toMatchObject({ calls, statements: 0 });
    }
  });
});

/** The ways to the domain's database that the command takes; whatever else goes there meanwhile counts too. */
async function waysOf(domain: Domain, name: string, input: object): Promise<number> {
  const { messages } = graph.subgraphs.get(domain) as Subgraph;
  const before = messages();
  const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
  const document = `mutation ($input: ${type}!) { ${name}(input: $input) { errors { message } } }`;
  const { data } = await graph.run(document, { input });
  expect(data[name].errors).toEqual([]);
  return messages() - before;
}

describe('a command asks its database few times', () => {
  const orderId = 'cost';
  const limit = { symbol: 'A1-USD', side: 'BUY', type: 'LIMIT', price: '1', quantity: '1' };
  const order = { ...limit, strategyId: `${SMALL}-1`, execution: 'MANUAL', venue: 'desk' };
  const fill = () => ({
    orderId,
    venue: 'desk',
    exchangeTradeId: crypto.randomUUID(),
    quantity: '0.001',
    price: '1',
    executedAt: new Date().toISOString(),
  });
  const rest = { ...limit, accountId: SMALL };
  const money = { accountId: SMALL, asset: 'USD', amount: '100' };

  beforeAll(async () => {
    await graph.sql('trading', `update strategies set venue_ids = array['desk']`);
    await waysOf('trading', 'startStrategy', { strategyId: `${SMALL}-1` });
    await graph.sql('exchange', `update accounts set kyc_status = 'APPROVED'`);
    await waysOf('trading', 'placeOrder', { ...order, orderId });
    await waysOf('trading', 'submitOrder', { orderId, venue: 'desk' });
    await waysOf('trading', 'recordFill', fill());
    await waysOf('exchange', 'deposit', money);
  });

  // BEGIN goes with the first statements and COMMIT with the last. A deposit looks first whether the asset is known.
  it.each<[Domain, string, number, () => object]>([
    ['trading', 'placeOrder', 2, () => order],
    ['trading', 'placeOrder', 3, () => ({ ...order, idempotencyKey: crypto.randomUUID() })],
    ['trading', 'recordFill', 4, fill],
    ['exchange', 'placeExchangeOrder', 3, () => rest],
    ['exchange', 'deposit', 3, () => money],
  ])('%s: %s, %i times', async (domain, name, ways, input) => {
    await expect.poll(() => waysOf(domain, name, input()), { timeout: 30_000 }).toBe(ways);
  });
});
