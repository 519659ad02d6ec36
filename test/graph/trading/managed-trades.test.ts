/** Managed trades as clients of the graph open, follow and close them. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { watch } from '../../support/watch.ts';
import { ACCOUNT, ask, done, fault, order, refused, send, strategy, trade } from './desk.ts';

let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph();
  await graph.sql('market-data', `insert into assets (code) values ('BTC'), ('ETH'), ('SOL'), ('USD')`);
  await graph.sql(
    'market-data',
    `insert into symbols (symbol, base_currency, quote_currency, display_name) values
       ('BTC-USD', 'BTC', 'USD', 'Bitcoin'), ('ETH-USD', 'ETH', 'USD', 'Ether'), ('SOL-USD', 'SOL', 'USD', 'Solana')`,
  );
  await graph.sql('exchange', `insert into accounts (account_id, user_id, account_type) values ($1, 'alice', 'SPOT')`, [
    ACCOUNT,
  ]);
  await strategy(graph, { strategyId: 'desk', symbols: ['BTC-USD', 'ETH-USD', 'SOL-USD'] });
  await graph.sql('trading', `update strategies set max_leverage = 20 where strategy_id = 'desk'`);
});
afterAll(() => graph.close());

const FIELDS = `managedTrade { tradeId side status isOpen quantity initialQuantity leverage margin entryPrice stopLossPrice
  initialStopLossPrice takeProfitPrice trailFraction liquidationPrice exitPrice closeReason pnl pnlPercent rMultiple netRMultiple
  entryFee exitFee fundingFees realizedPartialPnl version strategy { strategyId } account { accountId } instrument { displayName }
  metadata }`;

let made = 0;

function terms(more: object = {}) {
  const tradeId = `hand-${++made}`;
  return { tradeId, symbol: 'BTC/USD', side: 'LONG', quantity: '1', entryPrice: '50000', leverage: '10', ...more };
}

async function opened(more: object = {}): Promise<string> {
  const payload = await done(graph, 'openManagedTrade', terms(more), FIELDS);
  return payload.managedTrade.tradeId;
}

describe('by hand', () => {
  it('opens a trade, moves its stop, takes a part off, lets it trail, and closes it with its results', async () => {
    const input = terms({ strategyId: 'desk', stopLossPrice: '48000', takeProfitPrice: '60000', entryFee: '25' });
    const { managedTrade } = await done(graph, 'openManagedTrade', input, FIELDS);
    expect(managedTrade).toEqual({
      tradeId: input.tradeId,
      side: 'LONG',
      status: 'OPEN',
      isOpen: true,
      quantity: '1',
      initialQuantity: '1',
      leverage: '10',
      margin: '5000',
      entryPrice: '50000',
      stopLossPrice: '48000',
      initialStopLossPrice: '48000',
      takeProfitPrice: '60000',
      trailFraction: null,
      liquidationPrice: '45250',
      exitPrice: null,
      closeReason: null,
      pnl: '0',
      pnlPercent: '0',
      rMultiple: '0',
      netRMultiple: null,
      entryFee: '25',
      exitFee: '0',
      fundingFees: '0',
      realizedPartialPnl: '0',
      version: 1,
      strategy: { strategyId: 'desk' },
      account: { accountId: ACCOUNT },
      instrument: { displayName: 'Bitcoin' },
      metadata: {},
    });
    const { tradeId } = input;
    const adjust = async (change: object) =>
      (await done(graph, 'adjustManagedTrade', { tradeId, ...change }, FIELDS)).managedTrade;
    expect(await adjust({ stopLossPrice: '50000' })).toMatchObject({
      status: 'BREAKEVEN',
      initialStopLossPrice: '48000',
    });
    const part = { partialExit: { quantity: '0.5', price: '52000', fee: '13' }, funding: '3.5', expectedVersion: 2 };
    expect(await adjust(part)).toMatchObject({
      quantity: '0.5',
      realizedPartialPnl: '1000',
      exitFee: '13',
      version: 3,
    });
    expect(await adjust({ trailFraction: '0.025', takeProfitPrice: null })).toMatchObject({
      status: 'TRAILING',
      takeProfitPrice: null,
      fundingFees: '3.5',
    });
    const closing = { tradeId, exitPrice: '54000', exitFee: '13.5', reason: 'TRAILING' };
    const closed = await done(graph, 'closeManagedTrade', closing, FIELDS);
    // 1000 + 0.5 × 4000 − 25 − 26.5 − 3.5
    expect(closed.managedTrade).toMatchObject({
      status: 'CLOSED',
      isOpen: false,
      exitPrice: '54000',
      closeReason: 'TRAILING',
      pnl: '2945',
      pnlPercent: '58.9',
      rMultiple: '2',
      netRMultiple: '1.4725',
    });
    expect(await refused(graph, 'closeManagedTrade', closing)).toMatchObject({
      __typename: 'InvalidTransition',
      from: 'CLOSED',
    });
  });

  it('is done once for an idempotency key, and refuses other content under it', async () => {
    const input = terms({ idempotencyKey: 'open-once' });
    const first = await done(graph, 'openManagedTrade', input, FIELDS);
    expect(await done(graph, 'openManagedTrade', input, FIELDS)).toEqual(first);
    expect(await refused(graph, 'openManagedTrade', { ...input, quantity: '2' })).toMatchObject({
      __typename: 'IdempotencyConflict',
    });
    const funding = { tradeId: input.tradeId, funding: '1', idempotencyKey: 'fund-once' };
    for (let time = 0; time < 3; time++) {
      const payload = await done(graph, 'adjustManagedTrade', funding, FIELDS);
      expect(payload.managedTrade.fundingFees).toBe('1');
    }
  });

  it('refuses what breaks a rule, and says where', async () => {
    const cases: [object, object][] = [
      [{ stopLossPrice: '50000' }, { path: ['input', 'stopLossPrice'] }],
      [{ side: 'SHORT', takeProfitPrice: '50001' }, { path: ['input', 'takeProfitPrice'] }],
      [{ quantity: '-1' }, { path: ['input', 'quantity'] }],
      [{ quantity: '1000000000000' }, { path: ['input', 'quantity'] }],
      [{ leverage: '200' }, { message: 'leverage must be from 1 to below 200.' }],
      [{ leverage: '0.99' }, { message: 'leverage must be from 1 to below 200.' }],
      [{ strategyId: 'desk', leverage: '20.1' }, { path: ['input', 'leverage'] }],
      [{ confidence: '1.01' }, { message: 'confidence must be from 0 to 1.' }],
      [{ enteredAt: '2999-01-01T00:00:00Z' }, { path: ['input', 'enteredAt'] }],
      [{ model: '' }, { path: ['input', 'model'] }],
      [{ symbol: 'DOGE-USD' }, { __typename: 'NotFound', entity: 'Instrument', path: ['input', 'symbol'] }],
      [{ strategyId: 'nobody' }, { __typename: 'NotFound', entity: 'Strategy' }],
      [{ accountId: '00000000-0000-4000-8000-00000000dead' }, { __typename: 'NotFound', entity: 'ExchangeAccount' }],
    ];
    for (const [more, refusal] of cases) {
      expect(await refused(graph, 'openManagedTrade', terms(more))).toMatchObject(refusal);
    }
    const tradeId = await opened({ stopLossPrice: '49000' });
    expect(await refused(graph, 'openManagedTrade', { ...terms({ quantity: '2' }), tradeId })).toMatchObject({
      __typename: 'Conflict',
      currentVersion: 1,
    });
    for (const [change, refusal] of [
      [{ stopLossPrice: '48999' }, { path: ['input', 'stopLossPrice'] }],
      [
        { expectedVersion: 7, stopLossPrice: '49500' },
        { __typename: 'Conflict', currentVersion: 1 },
      ],
      [{}, { path: ['input'] }],
      [{ partialExit: { quantity: '1', price: '1' } }, { path: ['input', 'partialExit', 'quantity'] }],
      [{ funding: '-1000000000000' }, { path: ['input', 'funding'] }],
    ] as const) {
      expect(await refused(graph, 'adjustManagedTrade', { tradeId, ...change })).toMatchObject(refusal);
    }
    expect(await refused(graph, 'adjustManagedTrade', { tradeId: 'nobody', funding: '1' })).toMatchObject({
      __typename: 'NotFound',
      entity: 'ManagedTrade',
    });
    const early = { tradeId, exitPrice: '1', exitedAt: '2000-01-01T00:00:00Z' };
    expect(await refused(graph, 'closeManagedTrade', early)).toMatchObject({ code: 'VALIDATION_FAILED' });
    const { managedTrade } = await ask(
      graph,
      `{ managedTrade(id: "${tradeId}") { version stopLossPrice fundingFees } }`,
    );
    expect(managedTrade).toEqual({ version: 1, stopLossPrice: '49000', fundingFees: '0' });
  });

  it('closes once of ten at once, and keeps each of ten fundings', async () => {
    const tradeId = await opened();
    const fund = () => done(graph, 'adjustManagedTrade', { tradeId, funding: '0.00000001' });
    await Promise.all(Array.from({ length: 10 }, fund));
    const close = () => send(graph, 'closeManagedTrade', { tradeId, exitPrice: '50000' });
    const payloads = await Promise.all(Array.from({ length: 10 }, close));
    expect(payloads.filter(({ errors }) => errors.length === 0)).toHaveLength(1);
    const { managedTrade } = await ask(graph, `{ managedTrade(id: "${tradeId}") { version fundingFees pnl } }`);
    expect(managedTrade).toEqual({ version: 12, fundingFees: '0.0000001', pnl: '-0.0000001' });
  });

  it('leaves the ids of orders to orders', async () => {
    await order(graph, 'desk', { orderId: 'an-order' });
    expect(await refused(graph, 'openManagedTrade', terms({ tradeId: 'an-order' }))).toMatchObject({
      __typename: 'Conflict',
    });
  });
});

describe('reads', () => {
  it('finds trades by each condition, and counts them', async () => {
    await strategy(graph, { strategyId: 'reads' });
    const own = { strategyId: 'reads', model: 'm1', regime: 'trend', metaStrategyId: 'meta' };
    const long = await opened({
      ...own,
      rlStateKey: 's',
      rlActionKey: 'a',
      rlOriginalLeverage: '12.5',
      confidence: '0.75',
    });
    const short = await opened({ ...own, side: 'SHORT', model: 'm2', enteredAt: '2026-01-01T00:00:00Z' });
    const gone = await opened({ ...own, model: 'm3', enteredAt: '2026-01-02T00:00:00Z' });
    await done(graph, 'closeManagedTrade', { tradeId: gone, exitPrice: '49000', reason: 'SL' });
    const find = async (filter: object) => {
      const { managedTrades } = await ask(
        graph,
        `query ($filter: ManagedTradeFilter) { managedTrades(filter: $filter, sortBy: ENTERED_AT) { totalCount nodes { tradeId } } }`,
        { filter: { strategyId: 'reads', ...filter } },
      );
      expect(managedTrades.totalCount).toBe(managedTrades.nodes.length);
      return managedTrades.nodes.map(({ tradeId }: { tradeId: string }) => tradeId);
    };
    expect(await find({})).toEqual([long, gone, short]);
    expect(await find({ side: 'SHORT' })).toEqual([short]);
    expect(await find({ status: 'CLOSED' })).toEqual([gone]);
    expect(await find({ isOpen: true })).toEqual([long, short]);
    expect(await find({ closeReason: 'SL' })).toEqual([gone]);
    expect(await find({ model: 'm2' })).toEqual([short]);
    expect(await find({ regime: 'trend', metaStrategyId: 'meta', accountId: ACCOUNT })).toHaveLength(3);
    expect(await find({ rlStateKey: 's', rlActionKey: 'a' })).toEqual([long]);
    expect(await find({ from: '2026-01-01T00:00:00Z', to: '2026-01-02T00:00:00Z' })).toEqual([short]);
    expect(await find({ maxPnl: '-1000' })).toEqual([gone]);
    expect(await find({ symbol: 'ETHUSD' })).toEqual([]);
    const { managedTrade } = await ask(
      graph,
      `{ managedTrade(id: "${long}") { model confidence regime metaStrategyId rlStateKey rlActionKey rlOriginalLeverage } }`,
    );
    expect(managedTrade).toEqual({
      model: 'm1',
      confidence: '0.75',
      regime: 'trend',
      metaStrategyId: 'meta',
      rlStateKey: 's',
      rlActionKey: 'a',
      rlOriginalLeverage: '12.5',
    });
    expect(await fault(graph, '{ managedTrades(first: 501) { nodes { tradeId } } }')).toMatchObject({
      code: 'BAD_USER_INPUT',
    });
    expect(await ask(graph, '{ managedTrade(id: "nobody") { tradeId } }')).toEqual({ managedTrade: null });
  });

  it('gives the open set newest entry first, of one instrument or strategy', async () => {
    await strategy(graph, { strategyId: 'open-set', symbols: ['ETH-USD'] });
    const more = { strategyId: 'open-set', symbol: 'ETH-USD', entryPrice: '3000' };
    const old = await opened({ ...more, enteredAt: '2026-01-01T00:00:00.000001Z' });
    const older = await opened({ ...more, enteredAt: '2026-01-01T00:00:00Z' });
    const ended = await opened({ ...more, enteredAt: '2026-01-03T00:00:00Z' });
    await done(graph, 'closeManagedTrade', { tradeId: ended, exitPrice: '3000' });
    await done(graph, 'adjustManagedTrade', { tradeId: older, trailFraction: '0.01' });
    const { bySymbol, byStrategy, page } = await ask(
      graph,
      `{ bySymbol: openManagedTrades(symbol: "ETHUSD") { nodes { tradeId status } }
         byStrategy: openManagedTrades(strategyId: "open-set") { totalCount }
         page: strategy(id: "open-set") { managedTrades(first: 1, sortOrder: ASC) { nodes { tradeId } pageInfo { hasNextPage } } } }`,
    );
    expect(bySymbol.nodes).toEqual([
      { tradeId: old, status: 'OPEN' },
      { tradeId: older, status: 'TRAILING' },
    ]);
    expect(byStrategy.totalCount).toBe(2);
    expect(page.managedTrades).toEqual({ nodes: [{ tradeId: older }], pageInfo: { hasNextPage: true } });
  });

  it('sums up what was closed', async () => {
    await strategy(graph, { strategyId: 'sums' });
    const more = { strategyId: 'sums', entryFee: '1', stopLossPrice: '49000' };
    for (const [exitPrice, exitFee] of [
      ['52000', '2'],
      ['49500', '3'],
    ] as const) {
      await done(graph, 'closeManagedTrade', { tradeId: await opened(more), exitPrice, exitFee });
    }
    await opened(more);
    const { managedTradeStats } = await ask(
      graph,
      `{ managedTradeStats(filter: { strategyId: "sums" }) {
           total open closed totalPnl winners losers totalFees averageRMultiple backend isInitialized error } }`,
    );
    expect(managedTradeStats).toEqual({
      total: 3,
      open: 1,
      closed: 2,
      totalPnl: '1493',
      winners: 1,
      losers: 1,
      totalFees: '7',
      averageRMultiple: '0.75',
      backend: 'SQLITE',
      isInitialized: true,
      error: null,
    });
  });

  it('values what is open at the live price, as soon as there is one', async () => {
    const tradeId = await opened({
      symbol: 'SOL-USD',
      side: 'SHORT',
      entryPrice: '200',
      stopLossPrice: '210',
      quantity: '3',
      entryFee: '1',
    });
    const at = '2026-01-01T09:30:00Z';
    const prices = [{ symbol: 'SOL-USD', source: 'test', price: '185', timestamp: at }];
    let managedTrade: { currentPrice: string | null } = { currentPrice: null };
    while (managedTrade.currentPrice === null) {
      await graph.run('mutation ($input: IngestPricesInput!) { ingestPrices(input: $input) { accepted } }', {
        input: { prices },
      });
      await sleep(20);
      ({ managedTrade } = await ask(
        graph,
        `{ managedTrade(id: "${tradeId}") { currentPrice markedAt unrealizedPnl openPnl openPnlPercent openRMultiple } }`,
      ));
    }
    expect(managedTrade).toEqual({
      currentPrice: '185',
      markedAt: at,
      unrealizedPnl: '45',
      openPnl: '44',
      openPnlPercent: '73.33333333',
      openRMultiple: '1.5',
    });
  });
});

it('tells every change, from the open set on, and goes on after a cursor', async () => {
  await strategy(graph, { strategyId: 'watched' });
  const tradeId = await opened({ strategyId: 'watched' });
  const SUBSCRIPTION = `subscription ($after: String) { managedTradeChanges(strategyId: "watched", after: $after) {
    kind cursor at managedTrade { tradeId status version } } }`;
  const watcher = watch(graph.client, 'managedTradeChanges', SUBSCRIPTION);
  await watcher.begun();
  expect(watcher.changes()).toMatchObject([
    { kind: 'SNAPSHOT', managedTrade: { tradeId, status: 'OPEN', version: 1 } },
  ]);
  await done(graph, 'adjustManagedTrade', { tradeId, stopLossPrice: '50000' });
  const { cursor } = await watcher.until(({ managedTrade }) => managedTrade?.version === 2);
  await watcher.leave();
  await done(graph, 'adjustManagedTrade', { tradeId, trailFraction: '0.1' });
  await done(graph, 'closeManagedTrade', { tradeId, exitPrice: '51000' });
  const again = watch(graph.client, 'managedTradeChanges', SUBSCRIPTION, { after: cursor });
  await again.until(({ managedTrade }) => managedTrade?.status === 'CLOSED');
  expect(
    again.changes().map(({ kind, managedTrade }) => `${kind} ${managedTrade.status} ${managedTrade.version}`),
  ).toEqual(['UPSERT TRAILING 3', 'UPSERT CLOSED 4']);
  await again.leave();
});

it('the copies are what the journal is', async () => {
  await trade(graph, 'desk', '1', '100');
  const compared = async () =>
    (
      await ask(
        graph,
        `{ managedTradeComparison { backend isActive journalCount copyCount differenceCount error
         differences { tradeId kind fields journalVersion copyVersion } } }`,
      )
    ).managedTradeComparison;
  const { n } = (await graph.sql('trading', 'select count(*)::int as n from managed_trades'))[0];
  // A copy follows its journal by a moment.
  await expect.poll(compared).toEqual([
    {
      backend: 'SQLITE',
      isActive: true,
      journalCount: n,
      copyCount: n,
      differenceCount: 0,
      error: null,
      differences: [],
    },
  ]);
});
