/** What can be read of accounts: themselves, their balances and the ledger, by every filter. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ask, EXTERNAL, HOUSE, UNKNOWN_ID } from './floor.ts';
import { CLIENT, type TradingDay, tradeForADay } from './trading-day.ts';

let graph: TestGraph;
let day: TradingDay;
beforeAll(async () => {
  graph = await startGraph();
  day = await tradeForADay(graph);
});
afterAll(() => graph.close());

describe('accounts', () => {
  const query = `query Q($filter: ExchangeAccountFilter) {
    list: exchangeAccounts(filter: $filter, sortOrder: ASC) { totalCount nodes { accountId } } }`;
  const by = async (filter: object) => {
    const names = new Map([
      [day.ann, 'ann'],
      [day.bob, 'bob'],
      [day.sub, 'sub'],
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
    ['parent', () => ({ parentAccountId: day.ann }), ['sub']],
    ['being a sub-account', () => ({ isSubAccount: true }), ['sub']],
    ['being a master account', () => ({ isSubAccount: false }), ['ann', 'bob']],
    ['an instant on', () => ({ from: day.middle }), []],
    ['an instant before', () => ({ to: day.middle, clientId: CLIENT.bob }), ['bob']],
  ])('are found by %s', async (_, filter, names) => {
    expect(await by(filter())).toEqual(names);
  });

  it('of a client are found at the client, or there is none', async () => {
    const { client, none } = await ask(
      graph,
      `{ client(id: "${CLIENT.ann}") { accounts { accountId } } none: client(id: "nobody") { clientId } }`,
    );
    expect([client.accounts.map(({ accountId }: { accountId: string }) => accountId), none]).toEqual([
      [day.ann, day.sub],
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
      { id: day.ann },
    );
    expect(account).toMatchObject({
      orders: { totalCount: 3 },
      trades: { totalCount: 2, nodes: [{ price: '101' }] },
      ledgerEntries: { totalCount: 2 },
      portfolio: { accountId: day.ann },
    });
    expect(account.orders.nodes.map(({ orderId }: { orderId: string }) => day.nameOf(orderId))).toEqual([
      'bid too',
      'low',
      'stop',
    ]);
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
      [day.ann, 'ann'],
      [day.bob, 'bob'],
      [day.sub, 'sub'],
      [HOUSE, 'house'],
    ]);
    return nodes.map(
      (balance: { account: { accountId: string }; asset: { code: string }; total: string }) =>
        `${names.get(balance.account.accountId)} ${balance.asset.code} ${balance.total}`,
    );
  };

  it.each([
    ['account, by asset', () => ({ accountId: day.ann }), ['ann BTC 12', 'ann ETH 0', 'ann USD 9798.799']],
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
      [day.sub],
    );
    const changed = await by({ updatedAfter: at });
    expect(changed).not.toContain('sub USD 500');
    expect(changed).toContain('bob ETH 100'); // locked for an order that came later
    expect(await by({ updatedAfter: day.middle })).toContain('sub USD 500');
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
      { id: day.sub },
    );
    expect(of).toMatchObject({ total: '500', available: '202.703', locked: '297.297' });
    const two = await ask(
      graph,
      `query Q($id: ID!, $account: ID!) { it: exchangeBalance(id: $id) { total }
        none: exchangeBalance(id: "${UNKNOWN_ID}") { total }
        never: exchangeBalanceOf(accountId: $account, asset: "DOGE") { total }
        nobody: exchangeBalanceOf(accountId: "x", asset: "USD") { total } }`,
      { id: of.balanceId, account: day.sub },
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
    expect(written((await by(day.bob, { asset: 'BTC' })).nodes)).toEqual([
      'DEPOSIT AVAILABLE 10 BTC',
      'LOCK LOCKED 1 BTC',
      'LOCK AVAILABLE -1 BTC',
      'LOCK LOCKED 2 BTC',
      'LOCK AVAILABLE -2 BTC',
      'FILL LOCKED -1 BTC',
      'FILL LOCKED -1 BTC',
    ]);
    expect(written((await by(day.ann, { asset: 'USD', to: day.middle })).nodes)).toEqual([
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
    const { nodes, totalCount } = await by(day.ann, filter);
    expect([written(nodes), totalCount]).toEqual([found, found.length]);
  });

  it('is searched by posting and by reference, which leads on', async () => {
    const [wire] = (await by(day.sub, { refId: 'wire 1' })).nodes;
    expect(wire).toMatchObject({ kind: 'DEPOSIT', amount: '500', refType: 'EXTERNAL', order: null, trade: null });
    expect(written((await by(EXTERNAL, { postingId: wire.postingId })).nodes)).toEqual(['DEPOSIT AVAILABLE -500 USD']);
    const [lock] = (await by(day.sub, { refId: day.placed.bid })).nodes;
    expect(lock).toMatchObject({ kind: 'LOCK', refType: 'ORDER', order: { orderId: day.placed.bid }, trade: null });
    const [fee] = (await by(HOUSE, {})).nodes;
    expect(fee).toMatchObject({ kind: 'FEE', amount: '0.1', refType: 'TRADE', trade: { price: '100' } });
  });
});
