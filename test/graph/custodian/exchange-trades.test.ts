/** Trades at the exchange become settlements, and the books are compared with the exchange's. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { DOMAINS } from '../../../platform/domains.ts';
import type { ServiceParts } from '../../../platform/subgraph.ts';
import type { Context } from '../../../subgraphs/custodian/context.ts';
import { startCustodian } from '../../../subgraphs/custodian/service.ts';
import { settings } from '../../../subgraphs/custodian/settings.ts';
import { followTrades } from '../../../subgraphs/custodian/settlement/trade-follower.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { watch } from '../../support/watch.ts';
import { ask, done, open, place, refused } from '../exchange/floor.ts';
import { audit } from './audit.ts';
import { admit, bring, inside, quote } from './vault.ts';

let graph: TestGraph;
let context: Context;
beforeAll(async () => {
  graph = await startGraph({ domains: DOMAINS });
  context = graph.subgraphs.get('custodian')?.createContext({}) as Context;
  await quote(graph, { BTC: '100' });
  await done(graph, 'createInstrument', { symbol: 'XYZ-BTC' });
});
afterAll(() => graph.close());

interface Party {
  custody: string;
  exchange: string;
}

/** A client whose custody account stands for an account at the exchange, with the same in both. */
async function party(things: Record<string, string>): Promise<Party> {
  const { clientId, segregated: custody } = await admit(graph, things);
  const exchange = await open(graph, things, { clientId });
  await done(graph, 'linkVenueAccount', { accountId: custody, venueAccountId: exchange });
  return { custody, exchange };
}

let buyer: Party;
let seller: Party;
beforeEach(async () => {
  buyer = await party({ USD: '1000' });
  seller = await party({ BTC: '5' });
});

async function trade(quantity: string, price: string): Promise<void> {
  await place(graph, seller.exchange, `sell ${quantity} @ ${price}`);
  await place(graph, buyer.exchange, `buy ${quantity} @ ${price}`);
}

const SETTLEMENTS = `query ($id: ID!) { exchangeAccount(id: $id) { trades { nodes {
  tradeId settlement { externalId status quantity cashAmount currency { code } source { accountId } destination { accountId }
    exchangeTrade { tradeId price } } } } } }`;

const settlementsOf = async ({ exchange }: Party) =>
  (await ask(graph, SETTLEMENTS, { id: exchange })).exchangeAccount.trades.nodes;

/** A Monday noon far enough ahead that all of these are due. */
const LATER = '2030-01-07T17:00:00Z';
const settleAll = () => done(graph, 'processSettlementQueue', { asOf: LATER, limit: 500 });

const reconcile = async (accountId: string) =>
  (
    await done(
      graph,
      'runReconciliation',
      { accountId, actor: 'eve' },
      `run { runId status checked matched breakCount breaks(sortBy: UPDATED_AT) { nodes {
        breakId kind level status difference internalAmount inFlightAmount externalAmount asset { code } } } }`,
    )
  ).run;

describe('a trade of a linked account', () => {
  it('is settled once on each side, with its fee, however often and by however many it is looked for', async () => {
    await trade('2', '100');
    await Promise.all([followTrades(context), followTrades(context), followTrades(context)]);
    await followTrades(context);
    const [bought] = await settlementsOf(buyer);
    const [sold] = await settlementsOf(seller);
    expect(bought.settlement).toEqual({
      externalId: bought.tradeId,
      status: 'PENDING',
      quantity: '2',
      cashAmount: '200.2',
      currency: { code: 'USD' },
      source: { accountId: 'external' },
      destination: { accountId: buyer.custody },
      exchangeTrade: { tradeId: bought.tradeId, price: '100' },
    });
    expect(sold.settlement).toMatchObject({ cashAmount: '199.8', source: { accountId: seller.custody } });
    expect(await inside(graph, buyer.custody)).toMatchObject({ USD: '799.8 + 200.2 + 0' });
    expect(await inside(graph, seller.custody)).toEqual({ BTC: '3 + 2 + 0' });
    const { found } = await ask(
      graph,
      'query ($id: String!) { found: settlementByExternalId(externalId: $id) { settlementId } }',
      {
        id: sold.tradeId,
      },
    );
    expect((await refused(graph, 'cancelSettlement', found)).message).toContain('must be settled');
    await settleAll();
    expect(await inside(graph, buyer.custody)).toEqual({ BTC: '2 + 0 + 0', USD: '799.8 + 0 + 0' });
    expect(await inside(graph, seller.custody)).toEqual({ BTC: '3 + 0 + 0', USD: '199.8 + 0 + 0' });
    const rows = await graph.sql(
      'custodian',
      'select exchange_trade_id from settlements group by 1 having count(*) > 1',
    );
    expect(rows).toEqual([]);
  });

  it('from before it was linked is none of the custodian’s, unless the link says so', async () => {
    const { clientId, segregated } = await admit(graph, { USD: '500' });
    const exchange = await open(graph, { USD: '500' }, { clientId });
    await place(graph, seller.exchange, 'sell 1 @ 100');
    await place(graph, exchange, 'buy 1 @ 100');
    await followTrades(context);
    const early = { custody: segregated, exchange };
    const settlesFrom = '2026-01-01T00:00:00Z';
    await done(graph, 'linkVenueAccount', { accountId: segregated, venueAccountId: exchange, settlesFrom });
    expect(await followTrades(context)).toBe(1);
    expect((await settlementsOf(early))[0].settlement.status).toBe('PENDING');
  });

  it('is settled by the service by itself, at the ring of a bell', async () => {
    const subgraph = graph.subgraphs.get('custodian');
    const { db, feed, log, now } = context;
    const parts = { db, feed, log, now, graph: graph.client, context: () => subgraph?.createContext({}) };
    const how = {
      ...settings,
      followTrades: true,
      settle: true,
      tradeRail: 'CRYPTO_INTERNAL',
      reconcileSeconds: 0,
    } as const;
    const changes = watch(
      graph.client,
      'settlementChanges',
      `subscription ($id: ID!) { settlementChanges(accountId: $id) { kind cursor settlement { status quantity } } }`,
      { id: buyer.custody },
    );
    await changes.begun();
    const services = [1, 2].map(() => startCustodian(parts as unknown as ServiceParts, how));
    await trade('0.5', '90');
    await changes.until(({ settlement }) => settlement?.quantity === '0.5' && settlement.status === 'PENDING');
    await changes.leave();
    await Promise.all(services.map((service) => service.stop()));
  });

  it('that has been made while the account is short is settled when the funds are there', async () => {
    await done(graph, 'withdrawCustodyAsset', { accountId: buyer.custody, asset: 'USD', amount: '1000' });
    await trade('1', '50');
    await followTrades(context);
    const [{ settlement }] = await settlementsOf(buyer);
    expect(settlement.status).toBe('PENDING');
    await bring(graph, buyer.custody, 'USD', '50.05');
    await settleAll();
    expect((await settlementsOf(buyer))[0].settlement.status).toBe('COMPLETED');
    expect(await inside(graph, buyer.custody)).toEqual({ BTC: '1 + 0 + 0', USD: '0 + 0 + 0' });
  });
});

describe('a reconciliation', () => {
  it('finds both sides equal, while settlements are under way and after', async () => {
    expect(await reconcile(buyer.custody)).toMatchObject({ status: 'BALANCED', breakCount: 0, checked: 1, matched: 1 });
    await trade('1', '100');
    const between = await reconcile(buyer.custody);
    expect(between).toMatchObject({ status: 'BREAKS_FOUND', checked: 2 });
    expect(between.breaks.nodes).toMatchObject([
      { kind: 'TIMING', status: 'OPEN', difference: '0' },
      { kind: 'TIMING', status: 'OPEN', difference: '0' },
    ]);
    const { portfolio } = await ask(
      graph,
      `query ($id: ID!) { portfolio(accountId: $id) { pendingSettlements { quantity } breaks { kind } } }`,
      { id: buyer.exchange },
    );
    expect(portfolio).toEqual({
      pendingSettlements: [{ quantity: '1' }],
      breaks: [{ kind: 'TIMING' }, { kind: 'TIMING' }],
    });
    await settleAll();
    const { reconciliationBreak } = await ask(
      graph,
      'query ($id: ID!) { reconciliationBreak(id: $id) { status resolution } }',
      { id: between.breaks.nodes[0].breakId },
    );
    expect(reconciliationBreak).toEqual({
      status: 'AUTO_RESOLVED',
      resolution: 'What was under way has come to its end.',
    });
    expect(await reconcile(buyer.custody)).toMatchObject({ status: 'BALANCED' });
  });

  it.each([
    ['1', 'BALANCED', []],
    ['1.00000001', 'BREAKS_FOUND', [{ level: 'REVIEW', status: 'OPEN' }]],
    ['10', 'BREAKS_FOUND', [{ level: 'REVIEW', status: 'OPEN' }]],
    ['10.00000001', 'BREAKS_FOUND', [{ level: 'ALERT', status: 'OPEN' }]],
  ])('of a difference of %s at 100 dollars', async (amount, status, found) => {
    await bring(graph, seller.custody, 'BTC', amount);
    const run = await reconcile(seller.custody);
    expect(run.status).toBe(status);
    expect(run.breaks.nodes.filter((one: { status: string }) => one.status === 'OPEN')).toMatchObject(found);
  });

  it('leads from a break to its end: assigned, resolved, back again, written off by two', async () => {
    await bring(graph, seller.custody, 'BTC', '20');
    const { breakId } = (await reconcile(seller.custody)).breaks.nodes[0];
    await done(graph, 'assignBreak', { breakId, assignee: 'fay' }, 'break { status }');
    await done(graph, 'resolveBreak', { breakId, resolution: 'a typing mistake', actor: 'fay' });
    expect(await refused(graph, 'assignBreak', { breakId, assignee: 'fay' })).toMatchObject({ from: 'RESOLVED' });
    const again = await reconcile(seller.custody);
    expect(again.breaks.nodes).toMatchObject([
      { breakId, status: 'OPEN', kind: 'QUANTITY_MISMATCH', difference: '20' },
    ]);
    const off = { breakId, reason: 'never existed', requestedBy: 'fay' };
    const { request } = await done(graph, 'writeOffBreak', off, 'request { requestId required break { breakId } }');
    expect(request).toMatchObject({ required: 1, break: { breakId } });
    const vote = { requestId: request.requestId, approverId: 'fay' };
    expect(await refused(graph, 'approveRequest', vote)).toMatchObject({ code: 'VALIDATION_FAILED' });
    await done(graph, 'approveRequest', { ...vote, approverId: 'gus' });
    expect(await inside(graph, seller.custody)).toEqual({ BTC: '5 + 0 + 0' });
    const { reconciliationBreaks } = await ask(
      graph,
      `query ($id: ID!) { reconciliationBreaks(filter: { accountId: $id, statuses: [WRITTEN_OFF], kind: QUANTITY_MISMATCH, level: ALERT }) {
        nodes { breakId reopenedCount resolution } } }`,
      { id: seller.custody },
    );
    expect(reconciliationBreaks.nodes).toEqual([{ breakId, reopenedCount: 1, resolution: 'never existed' }]);
    expect(await reconcile(seller.custody)).toMatchObject({ status: 'BALANCED' });
  });

  it('finds what one side alone has, and closes it by itself when it is gone', async () => {
    await done(graph, 'deposit', { accountId: seller.exchange, asset: 'USD', amount: '300' });
    const missing = (await reconcile(seller.custody)).breaks.nodes;
    expect(missing).toMatchObject([{ kind: 'MISSING_INTERNAL', difference: '-300', asset: { code: 'USD' } }]);
    await bring(graph, seller.custody, 'USD', '300');
    expect(await reconcile(seller.custody)).toMatchObject({ status: 'BALANCED' });
    const { run } = await ask(
      graph,
      'query ($id: ID!) { run: reconciliationRuns(filter: { accountId: $id }, first: 1) { nodes { status actor scope } } }',
      { id: seller.custody },
    );
    expect(run.nodes).toEqual([{ status: 'BALANCED', actor: 'eve', scope: 'ACCOUNT' }]);
  });

  it('says of a trade that it was settled twice, or paid with another sum, where that is why', async () => {
    await trade('2', '100');
    await followTrades(context);
    const [{ tradeId: cheap }] = await settlementsOf(seller);
    const [{ tradeId: doubled }] = await settlementsOf(buyer);
    await graph.sql('custodian', 'update settlements set cash_amount = 50 where exchange_trade_id = $1', [cheap]);
    // Nothing but the commands keeps a settled one from being tried again.
    await graph.sql(
      'custodian',
      `insert into settlements (instruction_type, rail, cycle, account_id, source_account_id, destination_account_id, asset,
              quantity, currency, cash_amount, trade_date, expected_settlement_date, due_at, deadline_at, venue_id,
              exchange_trade_id, retry_of, initiated_at)
       select instruction_type, rail, cycle, account_id, source_account_id, destination_account_id, asset, quantity, currency,
              cash_amount, trade_date, expected_settlement_date, due_at, deadline_at, venue_id, exchange_trade_id,
              settlement_id, initiated_at
         from settlements where exchange_trade_id = $1`,
      [doubled],
    );
    await settleAll();
    const found = async ({ custody }: Party) =>
      (await reconcile(custody)).breaks.nodes.map((one: { asset: { code: string } } & Record<string, string>) =>
        [one.asset.code, one.kind, one.difference, one.level, one.status].join(' '),
      );
    expect(await found(seller)).toEqual(['USD PRICE_MISMATCH -149.8 REVIEW OPEN']);
    expect((await found(buyer)).sort()).toEqual(['BTC DUPLICATE 2 REVIEW OPEN', 'USD DUPLICATE -200.2 REVIEW OPEN']);
    await bring(graph, seller.custody, 'USD', '149.8');
    expect(await reconcile(seller.custody)).toMatchObject({ status: 'BALANCED' });
  });

  it('leaves the books even', async () => {
    expect(await audit(graph)).toEqual({});
  });
});
