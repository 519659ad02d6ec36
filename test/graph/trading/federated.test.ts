/** Trading in the whole graph: what it gives to other domains' things, and what they add to its own. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ACCOUNT, ask, done, execution, now, order, refused, strategy, trade } from './desk.ts';

let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph();
  await graph.sql('market-data', `insert into assets (code) values ('BTC'), ('ETH'), ('USD')`);
  await graph.sql(
    'market-data',
    `insert into symbols (symbol, base_currency, quote_currency, display_name) values
       ('BTC-USD', 'BTC', 'USD', 'Bitcoin'), ('ETH-USD', 'ETH', 'USD', 'Ether')`,
  );
  await graph.sql('exchange', `insert into accounts (account_id, user_id, account_type) values ($1, 'alice', 'SPOT')`, [
    ACCOUNT,
  ]);
  const input = {
    strategyId: 'desk',
    name: 'Desk',
    type: 'CUSTOM',
    accountId: ACCOUNT,
    symbols: ['BTC-USD', 'ETH-USD'],
  };
  await done(graph, 'createStrategy', input);
  await done(graph, 'startStrategy', { strategyId: 'desk' });
  await trade(graph, 'desk', '2', '100', { commission: '1' });
  await trade(graph, 'desk', '-3', '10', { symbol: 'ETH-USD' });
  await order(graph, 'desk', { orderId: 'resting', quantity: '4' });
  await done(graph, 'markPositions', {
    marks: [
      { symbol: 'BTC-USD', price: '110', at: now() },
      { symbol: 'ETH-USD', price: '9', at: now() },
    ],
  });
});
afterAll(() => graph.close());

describe('the portfolio in the graph', () => {
  it('has the account from the exchange, the names from market data, the values from trading', async () => {
    const { portfolio } = await ask(
      graph,
      `query ($id: ID!) { portfolio(accountId: $id) {
        account { accountId status portfolio { totalPnl } }
        totalMarketValue totalUnrealizedPnl totalRealizedPnl grossExposure netExposure
        positions(sortBy: EXPOSURE) { nodes { quantity marketValue instrument { symbol displayName } strategy { name instruments { displayName } } } }
        openOrders { nodes { orderId remainingQuantity } } } }`,
      { id: ACCOUNT },
    );
    const desk = { name: 'Desk', instruments: [{ displayName: 'Bitcoin' }, { displayName: 'Ether' }] };
    expect(portfolio).toEqual({
      account: { accountId: ACCOUNT, status: 'ACTIVE', portfolio: { totalPnl: '22' } },
      totalMarketValue: '193',
      totalUnrealizedPnl: '23',
      totalRealizedPnl: '-1',
      grossExposure: '247',
      netExposure: '193',
      positions: {
        nodes: [
          {
            quantity: '2',
            marketValue: '220',
            instrument: { symbol: 'BTC-USD', displayName: 'Bitcoin' },
            strategy: desk,
          },
          {
            quantity: '-3',
            marketValue: '-27',
            instrument: { symbol: 'ETH-USD', displayName: 'Ether' },
            strategy: desk,
          },
        ],
      },
      openOrders: { nodes: [{ orderId: 'resting', remainingQuantity: '4' }] },
    });
  });

  it('has no account where the exchange knows none, and zero totals', async () => {
    const { portfolio } = await ask(
      graph,
      '{ portfolio(accountId: "00000000-0000-4000-8000-00000000dead") { account { accountId } totalPnl openPositionCount } }',
    );
    expect(portfolio).toEqual({ account: null, totalPnl: '0', openPositionCount: 0 });
  });
});

describe('an instrument in the graph', () => {
  it('knows what strategies do with it', async () => {
    const { instruments } = await ask(
      graph,
      `{ instruments { nodes { symbol displayName
        positions(filter: { isOpen: true }) { nodes { quantity } }
        strategies { nodes { name } } orders { totalCount } trades { totalCount } } } }`,
    );
    const strategies = { nodes: [{ name: 'Desk' }] };
    expect(instruments.nodes).toEqual([
      {
        symbol: 'BTC-USD',
        displayName: 'Bitcoin',
        positions: { nodes: [{ quantity: '2' }] },
        strategies,
        orders: { totalCount: 2 },
        trades: { totalCount: 1 },
      },
      {
        symbol: 'ETH-USD',
        displayName: 'Ether',
        positions: { nodes: [{ quantity: '-3' }] },
        strategies,
        orders: { totalCount: 1 },
        trades: { totalCount: 1 },
      },
    ]);
  });
});

describe('with market data away', () => {
  it('blanks what that domain adds, and refuses a strategy that it would have to vouch for', async () => {
    const apart = await startGraph({ spreadOut: true });
    try {
      await trade(apart, await strategy(apart), '2', '100');
      await apart.servers.get('market-data')?.close();
      apart.servers.delete('market-data');
      const query = `query ($id: ID!) { portfolio(accountId: $id) { totalMarketValue
        positions { nodes { quantity instrument { symbol isActive } } } } }`;
      const { data, errors } = await apart.run(query, { id: ACCOUNT });
      expect(data.portfolio).toMatchObject({ totalMarketValue: '200', positions: { nodes: [{ quantity: '2' }] } });
      expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['DOMAIN_UNAVAILABLE']);
      const create = { name: 'x', type: 'CUSTOM', accountId: ACCOUNT, symbols: ['BTC-USD'] };
      expect(await refused(apart, 'createStrategy', create)).toMatchObject({
        __typename: 'DomainUnavailable',
        code: 'DOMAIN_UNAVAILABLE',
      });
    } finally {
      await apart.close();
    }
  });
});

describe('an order that went to the exchange of this graph', () => {
  it('is found from there, and its executions too', async () => {
    const [placed] = await graph.sql(
      'exchange',
      `insert into orders (account_id, symbol, sequence, order_type, side, quantity, status, cancelled_at, reserved_asset,
              maker_fee_rate, taker_fee_rate)
       values ($1, 'BTC-USD', 1, 'MARKET', 'BUY', 1, 'CANCELLED', now() + interval '1 second', 'USD', 0, 0) returning order_id`,
      [ACCOUNT],
    );
    const orderId = await order(graph, 'desk', { status: 'PENDING' });
    await done(graph, 'submitOrder', { orderId, venue: 'exchange-okx', exchangeOrderId: placed.order_id });
    await done(graph, 'recordFill', execution(orderId, '1', '100'));
    const { exchangeOrder } = await ask(
      graph,
      'query ($id: ID!) { exchangeOrder(id: $id) { orderId tradingOrder { orderId status exchangeOrder { side } } } }',
      { id: placed.order_id },
    );
    expect(exchangeOrder).toEqual({
      orderId: placed.order_id,
      tradingOrder: { orderId, status: 'FILLED', exchangeOrder: { side: 'BUY' } },
    });
  });
});
