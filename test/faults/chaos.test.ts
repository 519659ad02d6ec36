/** A subgraph process that suffers on purpose, is killed meanwhile, and starts anew in its place. */
import { afterAll, beforeAll, describe, expect, it, inject as provided, vi } from 'vitest';
import { domainUrl } from '../../prisma/roles.ts';
import { clear, faults, inject } from '../graph/chaos/drill.ts';
import { open } from '../graph/exchange/floor.ts';
import { copyTemplate } from '../support/databases.ts';
import { startGraph, type TestGraph } from '../support/graph.ts';
import { freePort, type RunningProcess, startProcess, untilReady } from '../support/processes.ts';
import { watch } from '../support/watch.ts';

let graph: TestGraph;
let exchange: RunningProcess;
let startExchange: () => Promise<RunningProcess>;
let drop: () => Promise<void>;

beforeAll(async () => {
  const copy = await copyTemplate(provided('adminUrl'));
  drop = copy.drop;
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/graphql`;
  startExchange = async () => {
    const running = startProcess(['subgraphs/main.ts', 'exchange'], {
      PORT: String(port),
      CHAOS: 'on',
      EXCHANGE_DATABASE_URL: domainUrl(copy.url, 'exchange', {}),
      GATEWAY_URL: 'http://127.0.0.1:1/graphql', // it asks nobody in this test
    });
    await untilReady(url.replace('/graphql', '/ready'), running);
    return running;
  };
  exchange = await startExchange();
  graph = await startGraph({
    databaseUrl: copy.url,
    domains: ['market-data', 'exchange'],
    elsewhere: { exchange: url },
  });
});
afterAll(async () => {
  await graph.close();
  await exchange.stop('SIGKILL');
  await drop();
});

const until = (assertions: () => Promise<void>) => vi.waitFor(assertions, { timeout: 30_000, interval: 50 });
const codeOf = async () =>
  (await graph.run('{ exchangeAccounts { nodes { accountId } } }')).errors?.[0]?.extensions.code;

const EVENTS = `subscription ($after: String) {
  exchangeEvents(after: $after) { kind cursor at events { relation operation } } }`;
const events = (after?: string) => watch(graph.client, 'exchangeEvents', EVENTS, { after });
const feed = async () => (await graph.run('{ exchangeFeed { isLeader ledSince } }')).data.exchangeFeed;

describe('a process of its own', () => {
  it('is down still when it was killed meanwhile, and can be healed', async () => {
    const { faultId } = await inject(graph, 'exchange', { kind: 'DOWNTIME', leaseSeconds: 300 });
    expect(await codeOf()).toBe('DOMAIN_UNAVAILABLE');
    await exchange.stop('SIGKILL');
    exchange = await startExchange();
    await until(async () => expect(await faults(graph, 'exchange')).toMatchObject([{ faultId }]));
    await until(async () => expect(await codeOf()).toBe('DOMAIN_UNAVAILABLE'));
    await clear(graph, 'exchange', { faultId });
    await until(async () => expect(await codeOf()).toBeUndefined());
  });

  it('starts anew in its place, and who subscribes goes on after its cursor', async () => {
    const first = events();
    await first.begun();
    const { ledSince, isLeader } = await feed();
    expect(isLeader).toBe(true);
    await inject(graph, 'exchange', { kind: 'RESTART', leaseSeconds: 300 });
    expect(await first.ended).toMatchObject({ userError: { code: 'DOMAIN_UNAVAILABLE' } });
    await until(async () => {
      const anew = await feed();
      expect([anew.isLeader, anew.ledSince === ledSince, await codeOf()]).toEqual([true, false, undefined]);
    });
    await open(graph);
    const second = events(first.all.at(-1)?.cursor);
    await second.until(({ events: told }) => told?.some((one: { relation: string }) => one.relation === 'accounts'));
    expect(second.changes().map(({ kind }) => kind)).not.toContain('RESYNC');
    await second.leave();
    expect(exchange.child.exitCode).toBeNull();
  });
});
