/** Every subscription of the graph, with every field of what it tells, as the gateway serves it. */
import { type GraphQLObjectType, type GraphQLOutputType, getNamedType, isLeafType } from 'graphql';
import type pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { rowTypes, toObjects } from '../../../platform/database/rows.ts';
import { DOMAINS } from '../../../platform/domains.ts';
import type { RowChange } from '../../../platform/feed/change.ts';
import { parseSnapshot, type Snapshot } from '../../../platform/feed/snapshot.ts';
import { TickReader } from '../../../platform/feed/tick-reader.ts';
import { createLogger } from '../../../platform/log.ts';
import type { Subgraph } from '../../../platform/subgraph.ts';
import { loadDemo } from '../../../prisma/demo/demo.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { watch } from '../../support/watch.ts';
import { FUND } from './desk.ts';

/** Arguments with which each subscription has something to tell of the demo. */
const ARGUMENTS: Record<string, string> = {
  positionChanges: `(accountId: "${FUND}", symbols: ["BTC/USD"])`,
  orderChanges: `(accountId: "${FUND}", strategyId: "btc-trend")`,
  tradeChanges: `(strategyId: "btc-trend")`,
  strategyChanges: '',
  backtestChanges: '(runId: "run")',
  quarantinedFillChanges: `(accountId: "${FUND}")`,
  managedTradeChanges: '(strategyId: "btc-trend", symbols: ["BTC-USD"])',
  portfolioChanges: `(accountId: "${FUND}")`,
  exchangeOrderChanges: `(accountId: "${FUND}")`,
  exchangeTradeChanges: `(accountId: "${FUND}", symbol: "BTC-USD")`,
  exchangeBalanceChanges: `(accountId: "${FUND}")`,
  orderBookChanges: '(symbol: "BTC-USD", depth: 2)',
  priceChanges: '(symbols: ["BTC-USD", "ETHUSD"])',
  candleChanges: '(symbol: "BTC-USD", interval: M1)',
  orderBookSnapshotChanges: '(symbol: "SOL-USD", depth: 2)',
  custodyAccountChanges: '(clientId: "custodian")',
  dataSourceChanges: '(names: ["venue"])',
  consensusChanges: '(symbols: ["SOL-USD"])',
  feedStateChanges: '(symbol: "SOL-USD")',
  marketScenarioChanges: '',
  scenarioPrices: '(scenarioId: "$scenarioId")',
  settlementChanges: '(accountId: "northwind-trading")',
  transferChanges: '(fromAccountId: "southgate-trading")',
  approvalRequests: '(approverId: "fay")',
  reconciliationBreakChanges: '(accountId: "northwind-trading")',
  limitUtilisationChanges: '',
  alertChanges: '',
  circuitBreakerChanges: '',
  riskMetricChanges: '',
  serviceChanges: '(name: "risk")',
  configChanges: '(keys: ["risk.interval"], service: "risk")',
  auditEventIngested: '(serviceNames: ["desk"])',
  correlationFound: '',
  scenarioValidationChanged: '(runId: "run")',
  chainBroken: '',
  testRunUpdated: '(runId: "tried")',
  scenarioTimeline: '(runId: "tried")',
  assertionEvaluated: '(runId: "tried")',
  chaosEventUpdated: '(runId: "tried")',
};

let graph: TestGraph;
let scenarioId: string;

beforeAll(async () => {
  graph = await startGraph({ domains: DOMAINS });
  await loadDemo(graph.client, createLogger({ level: 'silent', service: 'test' }));
  await carriedOut(`mutation {
    setInstrumentVenue(input: { symbol: "BTC-USD", venue: { venueId: "exchange-okx", venueSymbol: "BTC-USDT", tickSize: "0.1" } }) {
      errors { message }
    }
  }`);
  await carriedOut(`mutation {
    registerDataSource(input: { name: "venue", kind: EXCHANGE, priority: 1 }) { errors { message } }
    ingestPrice(input: { price: { symbol: "SOL-USD", source: "venue", timestamp: "${new Date().toISOString()}", price: "150" } }) {
      errors { message }
    }
  }`);
  await carriedOut(`mutation {
    recordOrderBooks(input: { books: [{ symbol: "SOL-USD", venueId: "kraken", sequence: "1", timestamp: "2026-01-01T00:00:00Z",
      bids: [{ price: "149", quantity: "1" }], asks: [{ price: "151", quantity: "1" }] }] }) { errors { message } }
  }`);
  const { createMarketScenario } = await graph.client.request<{
    createMarketScenario: { scenario: { scenarioId: string } };
  }>(`mutation {
    createMarketScenario(input: { name: "live", type: RALLY, symbols: ["SOL-USD"], durationMinutes: 60 }) {
      scenario { scenarioId }
    }
  }`);
  scenarioId = createMarketScenario.scenario.scenarioId;
  await carriedOut(`mutation {
    startMarketScenario(input: { scenarioId: "${scenarioId}" }) { errors { message } }
  }`);
  await carriedOut(`mutation {
    haltTransfers(input: { reason: "a drill", actor: "dana" }) { errors { message } }
    resumeTransfers(input: { actor: "dana" }) { errors { message } }
    runReconciliation(input: {}) { errors { message } }
    adjustCustodyBalance(input: {
      accountId: "southgate-vault", asset: "USD", amount: "1", reason: "a coin was found", requestedBy: "dana"
    }) { errors { message } }
  }`);
  const { errors } = await graph.run(`mutation {
    registerService(input: { serviceId: "risk-1", name: "risk", version: "1", host: "db1" }) { errors { message } }
    setConfig(input: { key: "risk.interval", type: DURATION, value: "PT5S" }) { errors { message } }
  }`);
  expect(errors).toBeUndefined();
  await carriedOut(`mutation {
    calculateRisk(input: { accountId: "${FUND}" }) { errors { message } }
    setRiskLimit(input: { type: LEVERAGE, threshold: "30", by: "ann" }) { errors { message } }
    triggerCircuitBreaker(input: { reason: "a drill", by: "ann" }) { errors { message } }
    resetCircuitBreaker(input: { reason: "it is over", by: "ann" }) { errors { message } }
  }`);
  // What the demo holds breaks a limit of concentration, which the monitor finds by itself.
  await vi.waitFor(async () => expect(await graph.sql('risk', 'select 1 from risk_breaches')).not.toEqual([]), {
    timeout: 30_000,
  });
  for (const domain of DOMAINS) {
    await graph.sql(
      domain,
      `insert into injected_faults (kind, parameters, run_id, injected_at, expires_at)
       values ('LATENCY', '{"delayMs": 1}', 'drill', now() - interval '2 hours', now() - interval '1 hour')`,
    );
  }
  await graph.client.request(`{
    preTradeCheck(input: { strategyId: "btc-trend", accountId: "${FUND}", symbol: "BTC-USD", side: BUY, quantity: "1" }) {
      isAllowed
    }
  }`);
  await vi.waitFor(async () => expect(await graph.sql('risk', 'select 1 from pre_trade_checks')).not.toEqual([]));
  const started = await graph.run(`mutation {
    startBacktest(input: { runId: "run", strategyId: "btc-trend", type: MOMENTUM, interval: M15, from: "2026-01-01T00:00:00Z",
      to: "2026-01-02T00:00:00Z" }) { errors { message } }
  }`);
  expect(started).toMatchObject({ data: { startBacktest: { errors: [] } } });
  await carriedOut(`mutation {
    ingestAuditEvents(input: { events: [
      { eventId: "cause", serviceName: "desk", eventType: "cause", domain: "trading", entityType: "Strategy", entityId: "btc-trend" }
      { eventId: "effect", serviceName: "desk", eventType: "effect", causationId: "cause" }] }) { errors { message } }
    correlateEvents(input: { by: "ann", correlations: [{ sourceEventId: "cause", targetEventId: "effect" }] }) { errors { message } }
    setCorrelationRule(input: { ruleName: "mine", triggerType: "cause", effectType: "effect", maxDelayMs: 1000,
      minConfidence: "0.8" }) { errors { message } }
    validateScenarioRun(input: { runId: "run", scenarioId: "live", startedAt: "2026-01-01T00:00:00Z",
      endedAt: "2026-01-02T00:00:00Z", expected: [{ name: "a", eventType: "effect", withinMs: 1 }] }) { errors { message } }
    generateAuditReport(input: { from: "2026-01-01T00:00:00Z", to: "2026-01-02T00:00:00Z", by: "ann" }) { errors { message } }
  }`);
  await tryScenario();
  await graph.sql(
    'audit',
    `insert into chain_breaks (chain_id, sequence, kind, detail) values ('audit:trading', 9, 'truncation', 'a drill')`,
  );
  await graph.sql(
    'trading',
    `insert into quarantined_fills (order_id, strategy_id, account_id, instrument_id, side, quantity, price, commission,
            execution_venue, exchange_trade_id, exchange_order_id, executed_at, reason, message)
     select 'demo-order-1', 'btc-trend', $1, 'BTC-USD', 'buy', 1, 48000, 48, 'exchange',
            '00000000-0000-4000-8000-0000000000e1', '00000000-0000-4000-8000-0000000000e2', now(), 'order_ended', 'as told'`,
    [FUND],
  );
});

afterAll(() => graph.close());

/** Sends the commands, none of which may be refused. */
async function carriedOut(document: string): Promise<void> {
  const payloads = await graph.client.request<Record<string, { errors: unknown[] }>>(document);
  for (const [field, { errors }] of Object.entries(payloads)) expect(errors, field).toEqual([]);
}

/** A run of a scenario with one phase, which is over, and of which a disturbance is known. */
async function tryScenario(): Promise<void> {
  const configuration = {
    phases: [{ name: 'only', durationSeconds: 0, assertions: [{ name: 'service_health', service: 'risk' }] }],
  };
  const { data } = await graph.run(
    `mutation ($configuration: JSON) {
      createScenario(input: { scenarioId: "tried", name: "Tried", type: COMBINED, category: RISK, configuration: $configuration }) {
        errors { message }
      }
      activateScenario(input: { scenarioId: "tried" }) { errors { message } }
      startTestRun(input: { scenarioId: "tried", runId: "tried" }) { errors { message } }
    }`,
    { configuration },
  );
  expect(data).toEqual({
    createScenario: { errors: [] },
    activateScenario: { errors: [] },
    startTestRun: { errors: [] },
  });
  const over = `select 1 from test_runs where run_id = 'tried' and completed_at is not null`;
  await vi.waitFor(async () => expect(await graph.sql('test-coordination', over)).toHaveLength(1), { timeout: 30_000 });
  await graph.sql(
    'test-coordination',
    `insert into chaos_events (run_id, event_type, action, target_service) values ('tried', 'clock_skew', 'none', 'risk')`,
  );
}

const subscriptions = () =>
  [...graph.subgraphs.values()].flatMap(({ schema }) => Object.values(schema.getSubscriptionType()?.getFields() ?? {}));

const isEverything = (type: GraphQLOutputType) => getNamedType(type).name === 'DomainEventBatch';

/** The leaves of the type, and of the objects it refers to, two levels deep. */
function leaves(type: GraphQLObjectType, depth = 2): string {
  const fields = Object.values(type.getFields()).flatMap(({ name, type: fieldType, args }) => {
    const named = getNamedType(fieldType);
    if (isLeafType(named)) return [name];
    if (depth === 0 || args.length > 0 || !('getFields' in named)) return [];
    const inner = leaves(named as GraphQLObjectType, depth - 1);
    return inner === '' ? [] : [`${name} { ${inner} }`];
  });
  return fields.join(' ');
}

describe('every subscription', () => {
  it('is known to this test', () => {
    expect(
      subscriptions()
        .filter(({ type }) => !isEverything(type))
        .map(({ name }) => name)
        .sort(),
    ).toEqual(Object.keys(ARGUMENTS).sort());
  });

  it('to everything of a domain tells what the demo has written, by its requests, and goes on from a cursor', async () => {
    const everything = subscriptions().filter(({ type }) => isEverything(type));
    expect(everything.map(({ name }) => name).sort()).toEqual(
      DOMAINS.filter((domain) => domain !== 'audit') // which keeps what the others tell
        .map((domain) => `${domain.replace(/-./, (dash) => dash.slice(1).toUpperCase())}Events`)
        .sort(),
    );
    for (const { name, type } of everything) {
      const fields = leaves(getNamedType(type) as GraphQLObjectType);
      const watcher = watch(graph.client, name, `subscription { ${name} { ${fields} } }`);
      const { events, cursor } = await watcher.until(({ kind }) => kind === 'UPSERT');
      await watcher.leave();
      const numbers = events.map(({ eventId }: { eventId: string }) => Number(eventId.split(':')[2]));
      const later = watch(graph.client, name, `subscription { ${name}(after: "${cursor}") { ${fields} } }`);
      await later.until(({ kind }) => kind !== 'RESYNC');
      await later.leave();
      const after = later.all.flatMap((batch) => batch.events).map(({ eventId }) => Number(eventId.split(':')[2]));
      expect(after.filter((number) => numbers.includes(number))).toEqual([]);
    }
  });

  it.each(Object.keys(ARGUMENTS))('%s tells every field of what it is about', async (name) => {
    const field = subscriptions().find((one) => one.name === name);
    const type = getNamedType(field?.type) as GraphQLObjectType;
    expect(field?.args.map((arg) => arg.name)).toContain('after');
    const args = ARGUMENTS[name]?.replace('$scenarioId', scenarioId);
    const watcher = watch(graph.client, name, `subscription { ${name}${args} { ${leaves(type)} } }`);
    await watcher.begun();
    const [first] = watcher.all;
    expect(first).toMatchObject({ kind: 'SNAPSHOT', cursor: expect.any(String), at: expect.any(String) });
    const items = Object.keys(type.getFields()).filter((item) => !['kind', 'cursor', 'at'].includes(item));
    for (const item of items) expect(first?.[item]).toBeInstanceOf(Object);
    await watcher.leave();
  });

  it('says how the feed of each domain does', async () => {
    const fields = 'domain epoch tick lastTickAt lagMs logBytes leader ledSince isLeader subscriberCount';
    const { data } = await graph.run(
      `{ tradingFeed { ${fields} } exchangeFeed { ${fields} } marketDataFeed { ${fields} } custodianFeed { ${fields} } riskFeed { ${fields} } registryFeed { ${fields} }
         testCoordinationFeed { ${fields} } auditFeed { ${fields} } }`,
    );
    for (const [name, domain] of Object.entries({
      tradingFeed: 'trading',
      exchangeFeed: 'exchange',
      marketDataFeed: 'market-data',
      custodianFeed: 'custodian',
      riskFeed: 'risk',
      registryFeed: 'registry',
      testCoordinationFeed: 'test-coordination',
      auditFeed: 'audit',
    })) {
      expect(data[name]).toMatchObject({
        domain,
        isLeader: true,
        leader: expect.stringContaining(String(process.pid)),
      });
      expect(Number(data[name].logBytes)).toBeGreaterThan(8192);
    }
  });
});

/** Looks at what is committed at one instant: the market and those who follow it go on writing. */
async function atOneInstant(pool: pg.Pool, look: (client: pg.PoolClient) => Promise<void>): Promise<void> {
  const client = await pool.connect();
  try {
    await client.query('begin isolation level repeatable read');
    await look(client);
  } finally {
    await client.query('rollback');
    client.release();
  }
}

describe('the image of a row in the log', () => {
  it.each(DOMAINS)('is what a read gives, in every captured table of %s', async (domain) => {
    const { feed, createContext } = graph.subgraphs.get(domain) as Subgraph;
    await atOneInstant(createContext({}).db.pool, async (client) => {
      const query = async <Row>(text: string, values: unknown[] = []): Promise<Row[]> =>
        toObjects<Row>(await client.query({ text, values, rowMode: 'array', types: rowTypes }));
      const latest = new Map<string, Map<string, RowChange>>();
      const tables = await query<{ relation: string; key: string }>('select relation, key from captured_tables');
      for (const { relation } of tables) latest.set(relation, new Map());
      const [now] = await query<{ snapshot: string }>('select pg_current_snapshot()::text as snapshot');
      const [since, snapshot] = ['3:3:', now?.snapshot ?? ''].map(parseSnapshot) as [Snapshot, Snapshot];
      const reader = new TickReader(client, feed.tables(), { tick: Number.MAX_SAFE_INTEGER, since, snapshot, at: '' });
      for (let hasMore = true; hasMore; ) {
        const part = await reader.next();
        for (const change of part.changes) latest.get(change.relation)?.set(change.key, change);
        hasMore = part.hasMore;
      }
      for (const { relation, key } of tables) {
        const logged = [...(latest.get(relation)?.values() ?? [])].filter(({ op }) => op !== 'D');
        const images = logged.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ row }) => row);
        const rows = await query<object>(
          `select * from ${client.escapeIdentifier(relation)} where ${client.escapeIdentifier(key)}::text = any($1)
            order by ${client.escapeIdentifier(key)}::text collate "C"`,
          [logged.map((one) => one.key)],
        );
        expect(rows.length).toBeGreaterThan(0);
        expect(images).toEqual(rows);
      }
    });
  });
});
