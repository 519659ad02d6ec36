/** What the domains change is sealed by itself: one order is one trace, and leads to the things themselves. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DOMAINS } from '../../../platform/domains.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { watch } from '../../support/watch.ts';
import { price } from '../risk/watch-desk.ts';
import { ACCOUNT, ask, done, openDesk, sealed, settingsAsBefore, withSettings } from './watch.ts';

const TRACE = 'c0ffee00000000000000000000000001';
const SAMPLED = 'c0ffee00000000000000000000000002';

let graph: TestGraph;
let orderId: string;

beforeAll(async () => {
  withSettings({ follow: true, anchorMinutes: 0 });
  graph = await startGraph({ domains: DOMAINS });
  await openDesk(graph);
  const { data, errors } = await graph.run(
    `mutation ($input: PlaceOrderInput!) { placeOrder(input: $input) { order { orderId } errors { message } } }`,
    {
      input: {
        strategyId: 'desk',
        symbol: 'BTC-USD',
        side: 'BUY',
        type: 'LIMIT',
        quantity: '1',
        price: '100',
        execution: 'MANUAL',
      },
    },
    { traceparent: `00-${TRACE}-1234567890abcdef-00` },
  );
  expect(errors).toBeUndefined();
  expect(data.placeOrder.errors).toEqual([]);
  orderId = data.placeOrder.order.orderId;
  await price(graph, 'BTC-USD', '101');
  await sealed(graph);
});
afterAll(async () => {
  await graph.close();
  settingsAsBefore();
});

const EVENT = `eventId eventType serviceName domain traceId spanId entityType entityId category severity status origin chainId
  sequence previousHash hash timestamp receivedAt tags metadata payload`;

describe('a command of another domain', () => {
  it('is an event of its trace, with the thing it is about, from any of its subgraphs', async () => {
    const { trace } = await ask(
      graph,
      `query ($id: ID!) { trace(traceId: $id) { root { eventType } events { totalCount nodes { ${EVENT} entity { __typename
         ... on TradingOrder { orderId status strategy { name } trace { traceId } } } } } } }`,
      { id: TRACE },
    );
    expect(trace.events.totalCount).toBeGreaterThan(0);
    const [first] = trace.events.nodes;
    expect(trace.root.eventType).toBe('order_created');
    expect(first).toMatchObject({
      eventType: 'order_created',
      serviceName: 'trading',
      domain: 'trading',
      traceId: TRACE,
      entityType: 'TradingOrder',
      entityId: orderId,
      category: 'TRADE',
      severity: 'INFO',
      status: 'PROCESSED',
      origin: 'FEED',
      chainId: 'audit:trading',
      entity: { __typename: 'TradingOrder', orderId, strategy: { name: 'Desk' }, trace: { traceId: TRACE } },
    });
    expect(first.payload).toMatchObject({ orderId, quantity: '1.00000000' });
    expect(first.tags).toEqual(expect.arrayContaining([`account:${ACCOUNT}`, 'symbol:BTC-USD', 'strategy:desk']));
  });

  it('is found from the thing itself', async () => {
    const { tradingOrder } = await ask(
      graph,
      `query ($id: ID!) { tradingOrder(id: $id) { auditEvents { totalCount nodes { eventType } } trace { traceId } } }`,
      { id: orderId },
    );
    expect(tradingOrder.auditEvents.nodes[0]).toEqual({ eventType: 'order_created' });
    expect(tradingOrder.trace).toEqual({ traceId: TRACE });
  });

  it('is told live, and the subscription goes on where it was', async () => {
    const document = `subscription ($after: String) { auditEventIngested(serviceNames: ["trading"], after: $after) {
      kind cursor at event { eventId eventType entityId } } }`;
    const watcher = watch(graph.client, 'auditEventIngested', document);
    const { cursor } = await watcher.begun();
    await watcher.leave();
    await done(graph, 'cancelOrder', { orderId });
    const later = watch(graph.client, 'auditEventIngested', document, { after: cursor });
    const { event } = await later.until(({ event: one }) => one?.eventType === 'order_cancelled');
    expect(event.entityId).toBe(orderId);
    await later.leave();
  });
});

describe('what is measured by the second', () => {
  const count = async () =>
    (await ask(graph, `{ auditEventCount(filter: { eventTypes: ["price_update"] }) }`)).auditEventCount;

  it('is an event only where its trace is to be kept', async () => {
    expect(await count()).toBe(0);
    const input = {
      prices: [{ symbol: 'BTC-USD', price: '102', source: 'test', timestamp: new Date().toISOString() }],
    };
    await graph.run(
      `mutation ($input: IngestPricesInput!) { ingestPrices(input: $input) { errors { message } } }`,
      { input },
      {
        traceparent: `00-${SAMPLED}-1234567890abcdef-01`,
      },
    );
    await sealed(graph);
    expect(await count()).toBe(1);
    const { trace } = await ask(
      graph,
      `{ trace(traceId: "${SAMPLED}") { events { nodes { eventType entity { __typename } } } } }`,
    );
    expect(trace.events.nodes).toContainEqual({ eventType: 'price_update', entity: { __typename: 'Instrument' } });
  });
});

describe('what nobody gave a trace', () => {
  it('has one of its transaction’s own', async () => {
    await graph.sql('market-data', `insert into assets (code) values ('AAA'), ('BBB')`);
    await sealed(graph);
    const { auditEvents } = await ask(
      graph,
      `{ auditEvents(filter: { entityType: "Asset" }) { nodes { entityId traceId metadata } } }`,
    );
    const traces = new Map(
      auditEvents.nodes.map((one: { entityId: string; traceId: string }) => [one.entityId, one.traceId]),
    );
    expect(traces.get('AAA')).toBe(traces.get('BBB'));
    expect(traces.get('AAA')).not.toBe(traces.get('USD'));
    expect(auditEvents.nodes[0].metadata.isTraced).toBe(false);
  });
});

describe('the chains of all that', () => {
  it('hold', async () => {
    const { auditChains, followedDomains } = await ask(
      graph,
      `{ auditChains { chainId domain isCurrent state sequence } followedDomains { domain isFollowing toldUntil reason } }`,
    );
    expect(followedDomains).toHaveLength(DOMAINS.length - 1);
    expect(followedDomains.every((one: { isFollowing: boolean }) => one.isFollowing)).toBe(true);
    expect(auditChains.map((one: { chainId: string }) => one.chainId)).toEqual(
      expect.arrayContaining(['audit:market-data', 'audit:trading']),
    );
    for (const { chainId, sequence } of auditChains) {
      const { verifyChain } = await ask(
        graph,
        `query ($id: ID!) { verifyChain(chainId: $id) { isValid checkedCount firstBreak { kind sequence detail } } }`,
        { id: chainId },
      );
      expect(verifyChain).toEqual({ isValid: true, checkedCount: Number(sequence), firstBreak: null });
    }
  });
});
