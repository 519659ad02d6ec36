/**
 * `npm run bench:audit`: how many events a second are sealed and how long after they were committed, what a timeline and a
 * causal chain cost, how fast a chain is verified. The whole graph and its clients are this one process, on a PostgreSQL of
 * its own.
 *
 *   --only <case>[,<case>]   following, ingest, timeline, chain, verify
 *   --quick                  a fifth of the events, to see that it runs
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { createGateway } from '../gateway/gateway.ts';
import { type Domain, schemaOf } from '../platform/domains.ts';
import { createGraphClient } from '../platform/graph-client.ts';
import { createLogger } from '../platform/log.ts';
import { startEmbeddedPostgres } from '../platform/postgres/embedded.ts';
import { startSubgraph } from '../platform/subgraph.ts';
import { migrate } from '../prisma/migrator.ts';
import { domainUrl } from '../prisma/roles.ts';
import { subgraphs as definitions } from '../subgraphs/all.ts';
import type { AuditService } from '../subgraphs/audit/service.ts';
import { settings } from '../subgraphs/audit/settings.ts';
import { chooseCases, stoppedAfterwards } from './cases.ts';
import { percentiles } from './live/percentiles.ts';
import { heading, report } from './live/report.ts';

const ACCOUNT = '00000000-0000-4000-9000-000000000001';
const EVENTS_A_SECOND_AIM = 1_000;
const SEALING_AIM_MS = 1_000;
const TIMELINE_EVENTS = 50_000;
const TIMELINE_AIM_MS = 5_000;
const CHAIN_AIM_MS = 1_000;

/** Rows in one transaction of the writer. */
const BATCH = 50;

const log = createLogger({ level: 'error', service: 'bench' });
const CASES = { following, ingest, timeline, chain, verify };
const { names, isQuick } = chooseCases(CASES);
const scaled = (count: number) => (isQuick ? Math.ceil(count / 5) : count);

/** Orders written so far. */
let numbered = 0;

type Graph = Awaited<ReturnType<typeof open>>;

Object.assign(settings, { anchorMinutes: 0, archiveDays: 0 });

await stoppedAfterwards(await open(), async (graph) => {
  heading('audit');
  for (const name of names as (keyof typeof CASES)[]) await CASES[name](graph);
});

/** Another domain writes at a steady rate; from each commit until its events are sealed. */
async function following(graph: Graph): Promise<void> {
  const { trading, audit, service } = graph;
  for (const rate of [EVENTS_A_SECOND_AIM, 2_000]) {
    const count = scaled(rate * 10);
    const beganAt = performance.now();
    for (let i = 0; i < count; i += BATCH) {
      await addOrders(trading, BATCH);
      await sleep(Math.max(0, beganAt + ((i + BATCH) / rate) * 1_000 - performance.now()));
    }
    const wrote = (count / (performance.now() - beganAt)) * 1_000;
    await caughtUp(service);
    const { rows } = await audit.query(
      `select extract(epoch from received_at - timestamp)::float8 * 1000 as delay from audit_events
        where event_type = 'order_created' order by sequence desc limit ${count}`,
    );
    const { p50Ms, p99Ms } = percentiles(rows.map(({ delay }) => delay as number));
    report({
      title: `commit → sealed at ${rate} events a second (${Math.round(wrote)} written), ms: p50 / p99`,
      ours: `${p50Ms.toFixed(0)} / ${p99Ms.toFixed(0)}`,
      aim: { text: `p99 below ${SEALING_AIM_MS}`, isMet: p99Ms < SEALING_AIM_MS && wrote > rate * 0.9 },
    });
  }
  const burst = scaled(20_000);
  const from = performance.now();
  for (let i = 0; i < burst; i += 1_000) await addOrders(trading, 1_000);
  await sealed(audit, service);
  const rate = (burst / (performance.now() - from)) * 1_000;
  report({
    title: `${burst} events at once, written, sealed and told, events a second`,
    ours: rate.toFixed(0),
    aim: { text: `at least ${EVENTS_A_SECOND_AIM}`, isMet: rate >= EVENTS_A_SECOND_AIM },
  });
  await service.engine.settled();
}

/** Events that a service tells, a thousand in a request. */
async function ingest({ request }: Graph): Promise<void> {
  const rounds = scaled(20);
  const from = performance.now();
  for (let round = 0; round < rounds; round++) {
    const events = Array.from({ length: 1_000 }, (_, i) => ({
      serviceName: 'bench',
      eventType: 'something_happened',
      entityType: 'Thing',
      entityId: String(i),
      payload: { amount: '1.5', round },
    }));
    await request(
      `mutation ($events: [AuditEventInput!]!) { ingestAuditEvents(input: { events: $events }) { sealedCount errors { message } } }`,
      { events },
    );
  }
  const rate = (rounds * 1_000 * 1_000) / (performance.now() - from);
  report({
    title: 'told by a service, 1,000 a request, events a second',
    ours: rate.toFixed(0),
    aim: { text: `at least ${EVENTS_A_SECOND_AIM}`, isMet: rate >= EVENTS_A_SECOND_AIM },
  });
}

/** The events of a day, with how deep each lies. */
async function timeline({ request, audit, service }: Graph): Promise<void> {
  const count = scaled(TIMELINE_EVENTS);
  const day = new Date(Date.now() - 5 * 86_400_000).toISOString().slice(0, 10);
  const beginning = Date.parse(`${day}T00:00:00Z`);
  const types = ['order_created', 'order_received', 'order_execution', 'trade_recorded', 'settlement_initiated'];
  for (let from = 0; from < count; from += 1_000) {
    const events = Array.from({ length: 1_000 }, (_, i) => {
      const number = from + i;
      return {
        eventId: `day-${number}`,
        serviceName: 'bench',
        eventType: types[number % types.length],
        traceId: `${Math.floor(number / types.length)}`.padStart(32, 'a'),
        timestamp: new Date(beginning + number * Math.floor(86_000_000 / count)).toISOString(),
      };
    });
    await request(
      `mutation ($events: [AuditEventInput!]!) { ingestAuditEvents(input: { events: $events }) { errors { message } } }`,
      { events },
    );
  }
  await service.engine.settled();
  await audit.query('analyze');
  const window = { from: `${day}T00:00:00Z`, to: new Date(beginning + 86_400_000).toISOString() };
  const took: number[] = [];
  for (let i = 0; i < 5; i++) {
    const from = performance.now();
    const { timeline: told } = await request<{ timeline: { eventCount: number; depth: number; events: unknown[] } }>(
      `query ($from: DateTime!, $to: DateTime!) { timeline(from: $from, to: $to, limit: 50000) { eventCount depth rootCount
         events { depth event { eventId eventType serviceName timestamp traceId } } } }`,
      window,
    );
    took.push(performance.now() - from);
    if (told.events.length !== count || told.depth !== 3) throw new Error('The timeline is not what was told');
  }
  const { p50Ms } = percentiles(took);
  report({
    title: `a timeline of 24 hours and ${count} events, each with its depth, ms: p50`,
    ours: p50Ms.toFixed(0),
    aim: { text: `below ${TIMELINE_AIM_MS}`, isMet: p50Ms < TIMELINE_AIM_MS },
  });
}

async function chain({ request }: Graph): Promise<void> {
  await request(
    `mutation { ingestAuditEvents(input: { events: [{ eventId: "root", serviceName: "bench", eventType: "root" }] }) { errors { message } } }`,
  );
  for (let depth = 1; depth <= 20; depth++) {
    const events = Array.from({ length: 45 }, (_, i) => ({
      eventId: `link-${depth}-${i}`,
      serviceName: 'bench',
      eventType: 'link',
      causationId: depth === 1 ? 'root' : `link-${depth - 1}-${i}`,
    }));
    await request(
      `mutation ($events: [AuditEventInput!]!) { ingestAuditEvents(input: { events: $events }) { errors { message } } }`,
      { events },
    );
  }
  const took: number[] = [];
  for (let i = 0; i < scaled(40); ) {
    const from = performance.now();
    const { causalChain } = await request<{ causalChain: { members: unknown[] } }>(
      `{ causalChain(eventId: "root", maxDepth: 20) { depth members { depth confidence event { eventId eventType } } } }`,
    );
    if (causalChain.members.length < 901) {
      await sleep(50); // not all has been correlated
      continue;
    }
    took.push(performance.now() - from);
    i++;
  }
  const { p50Ms, p99Ms } = percentiles(took);
  report({
    title: 'a causal chain of 901 events, 20 deep, ms: p50 / p99',
    ours: `${p50Ms.toFixed(0)} / ${p99Ms.toFixed(0)}`,
    aim: { text: `p99 below ${CHAIN_AIM_MS}`, isMet: p99Ms < CHAIN_AIM_MS },
  });
}

async function verify({ request }: Graph): Promise<void> {
  const { auditChains } = await request<{ auditChains: { chainId: string; sequence: string }[] }>(
    '{ auditChains { chainId sequence } }',
  );
  const [longest] = auditChains.sort((a, b) => Number(b.sequence) - Number(a.sequence));
  if (!longest) return;
  const from = performance.now();
  const { verifyChain } = await request<{ verifyChain: { isValid: boolean; checkedCount: number } }>(
    `{ verifyChain(chainId: "${longest.chainId}") { isValid checkedCount firstBreak { kind sequence } } }`,
  );
  const rate = (verifyChain.checkedCount / (performance.now() - from)) * 1_000;
  report({
    title: `verifying ${verifyChain.checkedCount} events of ${longest.chainId}, events a second`,
    ours: rate.toFixed(0),
    aim: { text: 'valid', isMet: verifyChain.isValid },
  });
}

function addOrders(trading: pg.Client, count: number): Promise<unknown> {
  numbered += count;
  return trading.query(
    `insert into orders (order_id, strategy_id, account_id, instrument_id, side, order_type, quantity, trace_id)
     select 'bench-' || n, 'bench', $1, 'BTC-USD', 'buy', 'market', 1, lpad(to_hex(n), 32, 'b')
       from generate_series($2::integer, $3::integer) as n`,
    [ACCOUNT, numbered - count + 1, numbered],
  );
}

async function caughtUp(service: AuditService): Promise<void> {
  while (service.followed().length === 0) await sleep(20);
  if (!(await service.caughtUp(new Date().toISOString(), 120_000))) throw new Error('The audit does not follow');
}

/** All orders that were written are events; what belongs together may still be looked for. */
async function sealed(audit: pg.Client, service: AuditService): Promise<void> {
  for (;;) {
    const { rows } = await audit.query(
      `select count(*)::int as count from audit_events where event_type = 'order_created' and service_name = 'trading'`,
    );
    if (rows[0].count >= numbered) return;
    if (service.followed().length === 0) throw new Error('The audit does not follow');
    await sleep(10);
  }
}

async function open() {
  const dataDir = await mkdtemp(join(tmpdir(), 'trading-data-graph-bench-'));
  const server = await startEmbeddedPostgres({ dataDir, port: 0, log });
  await migrate({ adminUrl: server.url, log });
  const connect = async (domain: Domain) => {
    const options = `-c search_path=${schemaOf(domain)} -c TimeZone=UTC`;
    const connection = new pg.Client({ connectionString: domainUrl(server.url, domain), options });
    await connection.connect();
    return connection;
  };
  const [trading, audit] = await Promise.all([connect('trading'), connect('audit')]);
  const client = createGraphClient(
    (document, variables) => gateway.execute(document, variables),
    (document, variables) => gateway.subscribe(document, variables),
  );
  const running = definitions.map((definition) =>
    startSubgraph(definition, { databaseUrl: domainUrl(server.url, definition.name), graph: client, log }),
  );
  const gateway = await createGateway({ subgraphs: running, log });
  await Promise.all(running.map(({ feed }) => feed.ready()));
  await trading.query(
    `insert into strategies (strategy_id, name, strategy_type, account_id, instruments)
     values ('bench', 'Bench', 'custom', $1, array['BTC-USD'])`,
    [ACCOUNT],
  );
  const own = running.find(({ name }) => name === 'audit');
  if (!own) throw new Error('There is no audit');
  const { service } = own.createContext({}) as unknown as { service: AuditService };
  await caughtUp(service);
  let stopped: Promise<void> | undefined;
  const end = async () => {
    await Promise.all([trading.end(), audit.end()]);
    await gateway.close();
    await Promise.all(running.map((subgraph) => subgraph.close()));
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  return {
    trading,
    audit,
    service,
    request: <Data>(document: string, variables: Record<string, unknown> = {}) =>
      client.request<Data>(document, variables),
    stop: () => {
      stopped ??= end();
      return stopped;
    },
  };
}
