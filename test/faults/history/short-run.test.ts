/**
 * What was committed reaches every subscriber, whatever happens between: a short run in one process, with connections
 * cut, held and slowed down on both sides of the graph. `npm run test:faults` is the long one.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { domainUrl } from '../../../prisma/roles.ts';
import { withDatabase } from '../../support/databases.ts';
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { check } from './checker.ts';
import { type Fault, inflict, networkFaults } from './faults.ts';
import { createRandom } from './random.ts';
import { type Account, run } from './run.ts';
import { followWrongly, NAIVE_CURSOR, TRANSACTION_ORDER } from './wrong-feeds.ts';

const SEED = process.env.FAULTS_SEED ?? '1';
const SECONDS = 8;
const LONGEST_FAULT_MS = 1_000;

let proxies: Record<'database' | 'gateway' | 'writers', FaultProxy>;
let server: Server;
let graph: TestGraph;
let account: Account;
const inflicted: string[] = [];

beforeAll(async () => {
  const postgresPort = Number(new URL(inject('adminUrl')).port);
  server = createServer((request, response) => graph.gateway.handler(request, response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const gatewayPort = (server.address() as AddressInfo).port;
  proxies = {
    database: await startFaultProxy({ target: () => postgresPort }),
    gateway: await startFaultProxy({ target: () => gatewayPort }),
    writers: await startFaultProxy({ target: () => postgresPort }),
  };
  graph = await startGraph({ adminUrl: through(proxies.database, inject('adminUrl')) });
  graph.gateway.attachWebSocket(server);
  const [{ name }] = (await graph.sql('trading', 'select current_database() as name')) as [{ name: string }];
  account = await runOn(domainUrl(withDatabase(inject('adminUrl'), name), 'trading'));
});
afterAll(async () => {
  await graph.close();
  server.closeAllConnections();
  server.close();
  await Promise.all(Object.values(proxies).map((proxy) => proxy.close()));
});

function runOn(url: string): Promise<Account> {
  const random = createRandom(SEED);
  const { database, gateway, writers } = proxies;
  const faults: Record<string, Fault> = {
    ...networkFaults('the database', [database], LONGEST_FAULT_MS),
    ...networkFaults('the gateway', [gateway], LONGEST_FAULT_MS),
    'the writers severed': async () => writers.sever(),
    'the leader without its connection': async () => void (await graph.sql('trading', TERMINATE_LEADER)),
  };
  const note = (name: string) => inflicted.push(name);
  return run({
    stage: {
      url,
      writerUrl: through(writers, url),
      run: (query, variables) => graph.run(query, variables),
      socketUrl: () => `ws://127.0.0.1:${gateway.port}/graphql`,
    },
    random,
    seconds: SECONDS,
    pauseMs: 5,
    bulk: { rows: 1_200, every: 25 },
    settleMs: 20_000,
    faults: (signal) => inflict({ faults, random: random.fork('faults'), pauseMs: 600, note }, signal),
    followers: (address, signal) =>
      [NAIVE_CURSOR, TRANSACTION_ORDER].map((feed) => followWrongly(feed, address, signal)),
  });
}

/** The same server by way of the proxy. */
function through(proxy: FaultProxy, address: string): string {
  const url = new URL(address);
  url.port = String(proxy.port);
  return url.href;
}

const TERMINATE_LEADER = `
  select pg_terminate_backend(pid) from pg_locks join pg_stat_activity using (pid)
   where locktype = 'advisory' and application_name like '%feed%' and usename = current_user
     and datname = current_database()`;

describe(`a run with broken connections, seed ${SEED}`, () => {
  it('loses, repeats, reorders and invents nothing', () => {
    const { transactions, subscribers } = account;
    const { violations, changes, resyncs } = check(transactions, subscribers);
    expect({ violations, resyncs, inflicted }).toEqual({ violations: [], resyncs: [], inflicted });
    expect(changes).toBeGreaterThan(transactions.length);
  });

  it('refuses no command but for a domain that is away', () => {
    expect(account.complaints).toEqual([]);
  });

  it('is one on which a feed by sequence numbers loses changes', () => {
    const [naive] = account.followers;
    expect(kindsOf(naive)).toContain('lost');
  });

  it('is one on which a feed by transaction numbers reorders changes', () => {
    const [, byTransaction] = account.followers;
    expect(kindsOf(byTransaction)).toContain('inverted');
  });
});

function kindsOf(follower: Account['followers'][number] | undefined) {
  const { violations } = check(account.transactions, follower ? [follower] : []);
  return new Set(violations.map(({ kind }) => kind));
}
