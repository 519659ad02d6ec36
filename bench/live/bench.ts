/** What every case of the benchmark has at hand. */

import type { ClientsMethods, Crowd, Heard } from './clients-process.ts';
import { type Clock, clockOrigin, clockSince } from './clock.ts';
import type { BenchDatabase } from './database.ts';
import type { ServerMethods } from './graph-process.ts';
import { type Child, startChild } from './processes.ts';
import { cpuPercent } from './usage.ts';
import { createWriter, type Writer, type Writing, type Written } from './writer.ts';

export type Side = 'graph' | 'plain';
export const SIDES: readonly Side[] = ['graph', 'plain'];

export type Servers = Record<Side, Child<ServerMethods>>;

export interface Bench {
  database: BenchDatabase;
  /** How long each case is measured. */
  seconds: number;
  writer: Writer;
  /** Runs the case with the graph and the plain server, each a process of its own. */
  withServers<Result>(use: (servers: Servers) => Promise<Result>): Promise<Result>;
  /** Runs it with clients in a process of their own, all of which have subscribed. */
  withClients<Result>(crowd: Crowd, use: (clients: Child<ClientsMethods>) => Promise<Result>): Promise<Result>;
}

export function createBench(database: BenchDatabase, seconds: number): Bench {
  const origin = clockOrigin();
  const clock: Clock = clockSince(origin);
  return {
    database,
    seconds,
    writer: createWriter(database, clock),
    async withServers(use) {
      const role = { databaseUrl: database.url };
      const graph = startChild<ServerMethods>('./graph-process.ts', role);
      const plain = startChild<ServerMethods>('./plain-process.ts', role);
      try {
        return await use({ graph, plain });
      } finally {
        await Promise.all([graph.stop(), plain.stop()]);
      }
    },
    async withClients(crowd, use) {
      const clients = startChild<ClientsMethods>('./clients-process.ts', { clockOrigin: origin });
      try {
        await clients.ask('open', crowd);
        return await use(clients);
      } finally {
        await clients.stop();
      }
    },
  };
}

export interface Measured extends Heard, Pick<Written, 'count' | 'perSecond'> {
  /** Time from sending a write to its answer. */
  writeP50Ms: number;
  /** Of the server's process, in percent of one core. */
  cpuPercent: number;
  /** Of the gateway to subgraphs. */
  calls: number;
}

/** Time for what is under way to get to the clients. */
const SETTLE_MS = 700;

/** Writes, and measures what the clients hear of it and what it costs the server. */
export async function measure(
  bench: Bench,
  servers: Servers,
  clients: Child<ClientsMethods>,
  writing: Omit<Writing, 'seconds'>,
): Promise<Measured> {
  const server = servers[writing.side];
  await bench.writer.write({ ...writing, seconds: 0.5 }); // what is compiled and cached at first use is not what is measured
  await sleep(SETTLE_MS);
  await clients.ask('heard');
  const callsBefore = total(await server.ask('calls'));
  const before = await server.ask('usage');
  const written = await bench.writer.write({ ...writing, seconds: bench.seconds });
  const after = await server.ask('usage');
  await sleep(SETTLE_MS);
  const heard = await clients.ask('heard');
  return {
    ...heard,
    count: written.count,
    perSecond: written.perSecond,
    writeP50Ms: written.p50Ms,
    cpuPercent: cpuPercent(before, after),
    calls: total(await server.ask('calls')) - callsBefore,
  };
}

function total(calls: Record<string, number>): number {
  return Object.values(calls).reduce((sum, count) => sum + count, 0);
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
