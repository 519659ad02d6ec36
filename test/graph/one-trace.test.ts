/** One order, from the question whether it may be placed to its settlement and the alert that it causes: one trace. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DOMAINS, type Domain } from '../../platform/domains.ts';
import { settings as audit } from '../../subgraphs/audit/settings.ts';
import type { Context } from '../../subgraphs/custodian/context.ts';
import { followTrades } from '../../subgraphs/custodian/settlement/trade-follower.ts';
import { settings } from '../../subgraphs/trading/settings.ts';
import { startGraph, type TestGraph } from '../support/graph.ts';
import { admit, quote } from './custodian/vault.ts';
import { done, open, place } from './exchange/floor.ts';
import { untilOrder } from './trading/routing/desk.ts';

const TRACE = 'c0ffee00c0ffee00c0ffee00c0ffee00';
const TRACEPARENT = `00-${TRACE}-00f067aa0ba902b7-01`;
/** A Monday noon far enough ahead that everything is due. */
const LATER = '2030-01-07T17:00:00Z';

let graph: TestGraph;
const before = { ...settings };
beforeAll(async () => {
  audit.follow = true;
  graph = await startGraph({ domains: DOMAINS });
  Object.assign(settings, { asksRisk: true, riskTimeoutMs: 20_000 });
});
afterAll(async () => {
  Object.assign(settings, before);
  audit.follow = false;
  await graph.close();
});

interface Entry {
  relation: string;
  key: string;
  status: string | null;
}

/** What the change log of a domain has of the trace. */
const entriesOf = (domain: Domain): Promise<Entry[]> =>
  graph.sql(
    domain,
    `select relation, key, row ->> 'status' as status from change_log where trace like '%' || $1 || '%' order by seq`,
    [TRACE],
  );

const relationsOf = async (domain: Domain) => [...new Set((await entriesOf(domain)).map(({ relation }) => relation))];

/** Traces of all changes of a row since its order was placed. */
const tracesOf = async (domain: Domain, relation: string, key: string) => {
  const rows = await graph.sql(
    domain,
    `select coalesce(substring(trace from '^[0-9a-f]{2}-([0-9a-f]{32})-'), trace) as trace from change_log
      where relation = $1 and key = $2 order by seq`,
    [relation, key],
  );
  return new Set(rows.map(({ trace }) => trace));
};

/** Whether risk would allow the order: it does once it knows the price. */
async function isAllowed(accountId: string): Promise<boolean> {
  const input = { strategyId: 'traced', accountId, symbol: 'BTC-USD', side: 'BUY', quantity: '1' };
  const question = `query ($input: PreTradeCheckInput!) { preTradeCheck(input: $input) { isAllowed } }`;
  return (await graph.run(question, { input })).data.preTradeCheck.isAllowed;
}

describe('an order', () => {
  it('is one trace through trading, risk, the exchange and the custodian', async () => {
    await quote(graph, { BTC: '100' });
    const { clientId, segregated } = await admit(graph, { USD: '1000' });
    const accountId = await open(graph, { USD: '1000' }, { clientId });
    await done(graph, 'linkVenueAccount', { accountId: segregated, venueAccountId: accountId });
    const strategy = { strategyId: 'traced', name: 'traced', type: 'CUSTOM', accountId, symbols: ['BTC-USD'] };
    await done(graph, 'createStrategy', strategy);
    await done(graph, 'startStrategy', { strategyId: 'traced' });
    await done(graph, 'setRiskLimit', { type: 'NOTIONAL', threshold: '150', by: 'ann' });
    const seller = await open(graph, { BTC: '5' });
    await place(graph, seller, 'sell 1 @ 160');
    await vi.waitFor(async () => expect(await isAllowed(accountId)).toBe(true), { timeout: 30_000 });

    const traced = (document: string, input: object) => graph.run(document, { input }, { traceparent: TRACEPARENT });
    const tick = { symbol: 'BTC-USD', price: '100', source: 'test', timestamp: new Date().toISOString() };
    await traced('mutation ($input: IngestPricesInput!) { ingestPrices(input: $input) { errors { message } } }', {
      prices: [tick],
    });
    const analysis = { traceId: TRACE, serviceName: 'engine', eventType: 'order_analysis' };
    await traced(
      'mutation ($input: IngestAuditEventInput!) { ingestAuditEvent(input: $input) { errors { message } } }',
      {
        event: { ...analysis, timestamp: new Date().toISOString() },
      },
    );
    const input = {
      strategyId: 'traced',
      symbol: 'BTC-USD',
      side: 'BUY',
      quantity: '1',
      type: 'MARKET',
      managedTrade: {},
    };
    const placed = await graph.run(
      `mutation ($input: PlaceOrderInput!) { placeOrder(input: $input) { order { orderId } errors { message } } }`,
      { input },
      { traceparent: TRACEPARENT },
    );
    expect(placed.errors ?? placed.data.placeOrder.errors).toEqual([]);
    const { orderId } = placed.data.placeOrder.order;
    const order = await untilOrder(graph, orderId, ({ status }) => status === 'FILLED');
    const [{ exchangeTrade }] = order.trades.nodes;

    const custodian = graph.subgraphs.get('custodian')?.createContext({}) as Context;
    await followTrades(custodian);
    await done(graph, 'processSettlementQueue', { asOf: LATER, limit: 10 });
    await vi.waitFor(async () => expect(await relationsOf('risk')).toContain('risk_alerts'), { timeout: 30_000 });

    expect((await relationsOf('risk')).sort()).toEqual(
      expect.arrayContaining(['limit_states', 'pre_trade_checks', 'risk_alerts', 'risk_breaches']),
    );
    expect(await relationsOf('trading')).toEqual(
      expect.arrayContaining(['orders', 'managed_trades', 'trades', 'positions', 'strategies']),
    );
    expect(await relationsOf('exchange')).toEqual(expect.arrayContaining(['orders', 'trades', 'balances']));
    expect(await relationsOf('custodian')).toEqual(expect.arrayContaining(['settlements', 'holdings']));

    const own = new Set([TRACE]);
    expect(await tracesOf('trading', 'orders', orderId)).toEqual(own);
    expect(await tracesOf('exchange', 'orders', order.exchangeOrderId)).toEqual(own);
    expect(await tracesOf('exchange', 'trades', exchangeTrade.tradeId)).toEqual(own);
    const [settlement] = await graph.sql(
      'custodian',
      'select settlement_id, status, trace_id from settlements where exchange_trade_id = $1',
      [exchangeTrade.tradeId],
    );
    expect(settlement).toMatchObject({ status: 'COMPLETED', trace_id: TRACE });
    expect(await tracesOf('custodian', 'settlements', settlement.settlement_id)).toEqual(own);
    const settled = (await entriesOf('custodian')).filter(({ relation }) => relation === 'settlements');
    expect(settled.map(({ status }) => status)).toEqual(['PENDING', 'IN_PROGRESS', 'COMPLETED']);
  });

  it('goes through its five stages in their order, as the audit tells them', async () => {
    const stages = ['price_update', 'order_analysis', 'risk_validation', 'order_execution', 'settlement_complete'];
    const question = `{ trace(traceId: "${TRACE}") { events(first: 500) { nodes { eventType domain } } } }`;
    const events = async (): Promise<{ eventType: string; domain: string | null }[]> =>
      (await graph.run(question)).data.trace?.events.nodes ?? [];
    await vi.waitFor(
      async () => expect((await events()).map(({ eventType }) => eventType)).toEqual(expect.arrayContaining(stages)),
      { timeout: 30_000 },
    );
    const types = (await events()).map(({ eventType }) => eventType);
    expect(stages.toSorted((a, b) => types.indexOf(a) - types.indexOf(b))).toEqual(stages);
    expect(types.indexOf('order_created')).toBeGreaterThan(types.indexOf('risk_validation'));
    expect(new Set((await events()).map(({ domain }) => domain))).toEqual(
      new Set(['market-data', null, 'risk', 'trading', 'exchange', 'custodian']),
    );
  });

  it('that rested keeps its own trace to its settlement, whoever met it', async () => {
    const resting = 'beadbeadbeadbeadbeadbeadbeadbead';
    const accountId = await open(graph, { BTC: '1' }, { clientId: 'depositor-rests' });
    await done(graph, 'openCustodyAccount', { accountId: 'rests', clientId: 'depositor-rests', kind: 'MASTER' });
    const segregated = {
      accountId: 'rests-a',
      clientId: 'depositor-rests',
      kind: 'SEGREGATED',
      parentAccountId: 'rests',
    };
    await done(graph, 'openCustodyAccount', segregated);
    await done(graph, 'linkVenueAccount', { accountId: 'rests-a', venueAccountId: accountId });
    const strategy = { strategyId: 'rests', name: 'rests', type: 'CUSTOM', accountId, symbols: ['BTC-USD'] };
    await done(graph, 'createStrategy', strategy);
    await done(graph, 'startStrategy', { strategyId: 'rests' });
    const input = { strategyId: 'rests', symbol: 'BTC-USD', side: 'SELL', quantity: '1', type: 'LIMIT', price: '120' };
    const { data } = await graph.run(
      'mutation ($input: PlaceOrderInput!) { placeOrder(input: $input) { order { orderId } errors { message } } }',
      { input },
      { traceparent: `00-${resting}-00f067aa0ba902b7-01` },
    );
    const { orderId } = data.placeOrder.order;
    await untilOrder(graph, orderId, ({ status }) => status === 'ACCEPTED');
    await place(graph, await open(graph, { USD: '1000' }), 'buy 1 @ 120');
    const order = await untilOrder(graph, orderId, ({ status }) => status === 'FILLED');
    const { tradeId } = order.trades.nodes[0].exchangeTrade;

    await followTrades(graph.subgraphs.get('custodian')?.createContext({}) as Context);
    await done(graph, 'processSettlementQueue', { asOf: LATER, limit: 10 });
    const settled = await graph.sql('custodian', 'select settlement_id from settlements where exchange_trade_id = $1', [
      tradeId,
    ]);
    expect(settled).toHaveLength(1);
    expect(await tracesOf('custodian', 'settlements', settled[0].settlement_id)).toEqual(new Set([resting]));
    expect(await tracesOf('trading', 'orders', orderId)).toEqual(new Set([resting]));
  });
});
