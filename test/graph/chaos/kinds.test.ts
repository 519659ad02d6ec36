/** What every domain does while it is slow, refuses, is down, and starts anew. */
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { STRUCK_DOMAINS, type StruckDomain } from '../../../platform/chaos/kinds.ts';
import { camelCaseOf, DOMAINS } from '../../../platform/domains.ts';
import type { Subgraph } from '../../../platform/subgraph.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { watch } from '../../support/watch.ts';
import { done, open, send } from '../exchange/floor.ts';
import { clear, inject } from './drill.ts';

let graph: TestGraph;
let accountId: string;
beforeAll(async () => {
  graph = await startGraph({ domains: DOMAINS, isChaosOn: true });
  await done(graph, 'createInstrument', { symbol: 'BTC-USD' });
  accountId = await open(graph);
});
afterAll(() => graph.close());
afterEach(async () => {
  for (const domain of STRUCK_DOMAINS) await clear(graph, domain, { runId: 'drill' });
});

/** A question to each domain, and a command that leaves a row in one of its tables. */
const WAYS: Record<
  StruckDomain,
  { field: string; query: string; command: string; input: (n: number) => object; table: string }
> = {
  'market-data': {
    field: 'instruments',
    query: '{ instruments { nodes { symbol } } }',
    command: 'createInstrument',
    input: (n) => ({ symbol: `AB${n}-USD` }),
    table: 'symbols',
  },
  exchange: {
    field: 'exchangeAccounts',
    query: '{ exchangeAccounts { nodes { accountId } } }',
    command: 'createExchangeAccount',
    input: (n) => ({ clientId: `driller-${n}` }),
    table: 'accounts',
  },
  trading: {
    field: 'strategies',
    query: '{ strategies { nodes { strategyId } } }',
    command: 'createStrategy',
    input: (n) => ({
      strategyId: `s${n}`,
      name: `s${n}`,
      type: 'CUSTOM',
      accountId,
      symbols: ['BTC-USD'],
    }),
    table: 'strategies',
  },
  custodian: {
    field: 'custodyAccounts',
    query: '{ custodyAccounts { nodes { accountId } } }',
    command: 'openCustodyAccount',
    input: (n) => ({ accountId: `master-${n}`, clientId: `client-${n}`, kind: 'MASTER' }),
    table: 'accounts',
  },
  risk: {
    field: 'riskLimits',
    query: '{ riskLimits { nodes { limitId } } }',
    command: 'raiseAlert',
    input: (n) => ({ severity: 'LOW', metricName: `drill ${n}`, message: 'a drill' }),
    table: 'risk_alerts',
  },
};

let count = 0;
const run = { runId: 'drill', leaseSeconds: 300 };
const until = (assertions: () => Promise<void>) => vi.waitFor(assertions, { timeout: 30_000, interval: 20 });

const codeOf = async (query: string) => (await graph.run(query)).errors?.[0]?.extensions.code;

async function healthOf(domain: StruckDomain) {
  const field = `${camelCaseOf(domain)}Health`;
  return (await graph.run(`{ ${field} { status reasons } }`)).data[field];
}

describe.each(STRUCK_DOMAINS)('%s', (domain) => {
  const { field, query, command, input, table } = WAYS[domain];
  const rows = async () => Number((await graph.sql(domain, `select count(*) from ${table}`))[0].count);

  it('is slow where it is told to be, and only as long as that lasts', async () => {
    await inject(graph, domain, { ...run, kind: 'LATENCY', parameters: { delayMs: 60_000, operations: [field] } });
    const slow = graph.run(query).then(({ errors }) => ({ is: 'slow', errors }));
    const other = done(graph, command, input(++count)).then(() => ({ is: 'other' }));
    expect(await Promise.race([slow, other])).toEqual({ is: 'other' });
    await clear(graph, domain, { runId: 'drill' });
    expect(await slow).toEqual({ is: 'slow' });
  });

  it('refuses commands before anything is done', async () => {
    const before = await rows();
    const parameters = { share: '1', operations: [command] };
    const { faultId } = await inject(graph, domain, { ...run, kind: 'REJECTION', parameters });
    const sent = { ...input(++count), idempotencyKey: `refused-${count}` };
    const { errors } = await send(graph, command, sent);
    expect(errors).toMatchObject([{ __typename: 'DomainUnavailable', code: 'DOMAIN_UNAVAILABLE', domain }]);
    expect(await rows()).toBe(before);
    await until(async () => {
      expect(await healthOf(domain)).toMatchObject({
        status: 'DEGRADED',
        reasons: [`It suffers REJECTION on purpose (fault ${faultId}).`],
      });
    });
    await clear(graph, domain, { faultId });
    expect((await send(graph, command, sent)).errors).toEqual([]);
    expect(await rows()).toBe(before + 1);
  });

  it('is down until it is cleared, and can be looked at meanwhile', async () => {
    const { faultId } = await inject(graph, domain, { ...run, kind: 'DOWNTIME' });
    expect(await codeOf(query)).toBe('DOMAIN_UNAVAILABLE');
    const feed = `${camelCaseOf(domain)}Feed`;
    expect((await graph.run(`{ ${feed} { epoch } }`)).errors).toBeUndefined();
    await until(async () => {
      expect(await healthOf(domain)).toMatchObject({ status: 'UNHEALTHY' });
    });
    await clear(graph, domain, { faultId });
    await until(async () => expect(await codeOf(query)).toBeUndefined());
    await done(graph, command, input(++count));
  });

  it('starts anew with what it has stored, and the others go on', async () => {
    const subgraph = graph.subgraphs.get(domain) as Subgraph;
    const others = [...graph.subgraphs.values()].filter(({ name }) => name !== domain);
    const before = { own: subgraph.feed, others: others.map(({ feed }) => feed), rows: await rows() };
    const events = `${camelCaseOf(domain)}Events`;
    const document = `subscription ($after: String) { ${events}(after: $after) { kind cursor at events { relation key } } }`;
    const first = watch(graph.client, events, document);
    await first.begun();
    await inject(graph, domain, { ...run, kind: 'RESTART' });
    await until(async () => expect(subgraph.feed === before.own).toBe(false));
    await until(async () => expect(await codeOf(query)).toBeUndefined());
    expect(others.map(({ feed }) => feed)).toEqual(before.others);
    await until(async () => done(graph, command, input(++count)));
    expect(await rows()).toBe(before.rows + 1);
    expect(await first.ended).toMatchObject({ userError: { code: 'DOMAIN_UNAVAILABLE', domain } });
    const second = watch(graph.client, events, document, { after: first.all.at(-1)?.cursor });
    await second.until(({ events: told }) => told?.some((event: { relation: string }) => event.relation === table));
    expect(second.changes().map(({ kind }) => kind)).not.toContain('RESYNC');
    await second.leave();
  });
});

describe('a live subscription', () => {
  const CHANGES = 'subscription { strategyChanges { kind cursor at strategy { strategyId } } }';

  it.each(['RESTART', 'DOWNTIME'])('goes on for its client after a %s, without loss', async (kind) => {
    const watcher = watch(graph.client, 'strategyChanges', CHANGES);
    await watcher.begun();
    const { faultId } = await inject(graph, 'trading', { ...run, kind });
    await clear(graph, 'trading', { faultId });
    await until(async () => expect(await codeOf(WAYS.trading.query)).toBeUndefined());
    const made = WAYS.trading.input(++count) as { strategyId: string };
    await until(async () => done(graph, 'createStrategy', made));
    await watcher.until(({ strategy }) => strategy?.strategyId === made.strategyId);
    expect(watcher.changes().map(({ kind: told }) => told)).not.toContain('RESYNC');
    await watcher.leave();
  });
});
