/** The graph with one domain as several processes of their own, which can be killed; the other domains are in this one. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { expect, inject } from 'vitest';
import { DOMAINS, type Domain, environmentPrefix } from '../../../platform/domains.ts';
import { domainUrl } from '../../../prisma/roles.ts';
import { copyTemplate } from '../../support/databases.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { inTurn } from '../history/cluster.ts';
import { createPart, type Part } from '../history/part.ts';

// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its query asked for
type Data = any;

export interface Stage {
  graph: TestGraph;
  /** Processes of the domain; the graph asks one that is up. */
  workers: readonly Part[];
  /** The administrator's statements: he sees all domains. */
  sql(text: string, params?: unknown[]): Promise<Data[]>;
  /** The data of an operation on one of the processes alone. */
  askWorker(worker: Part, query: string, variables?: object): Promise<Data>;
  /**
   * Makes statements wait for the test: `on` is the event of a trigger, such as "insert on risk.risk_alerts", and
   * `condition` an expression over the new row. Resolves to what counts those that wait, and lets them go on.
   */
  barrier(on: string, condition: string): Promise<Barrier>;
  close(): Promise<void>;
}

export interface Barrier {
  untilWaiting(count: number): Promise<void>;
  lift(): Promise<void>;
}

/** A place in the database at which whoever comes waits for the test. */
const LOCK = 4_712;

export async function startWorkers(domain: Domain, count: number, more: Record<string, string> = {}): Promise<Stage> {
  const { url, drop } = await copyTemplate(inject('adminUrl'));
  const settings: Record<string, string> = {
    ...more,
    [`${environmentPrefix(domain)}_DATABASE_URL`]: domainUrl(url, domain, {}),
  };
  const workers: Part[] = [];
  for (let number = 1; number <= count; number++) {
    workers.push(await createPart(`${domain} ${number}`, ['subgraphs/main.ts', domain], settings));
  }
  const toWorkers = await startFaultProxy({ target: inTurn(workers) });
  const elsewhere = { [domain]: `http://127.0.0.1:${toWorkers.port}/graphql` };
  const graph = await startGraph({ databaseUrl: url, domains: DOMAINS, elsewhere });
  const server = createServer(graph.gateway.handler);
  graph.gateway.attachWebSocket(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  settings.GATEWAY_URL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
  const administrator = new pg.Client({ connectionString: url });
  await administrator.connect();
  const sql = async (text: string, params: unknown[] = []) => (await administrator.query(text, params)).rows;
  await Promise.all(workers.map((worker) => worker.start()));

  return {
    graph,
    workers,
    sql,
    async askWorker({ port }, query, variables = {}) {
      const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', connection: 'close' },
        body: JSON.stringify({ query, variables }),
      });
      const { data, errors } = (await response.json()) as Data;
      if (errors) throw new Error(JSON.stringify(errors));
      return data;
    },
    async barrier(on, condition) {
      const schema = domain.replace('-', '_');
      await sql(`select pg_advisory_lock(${LOCK})`);
      await sql(`
        create function ${schema}.barrier() returns trigger language plpgsql as $$
        begin
          if ${condition} then
            perform pg_advisory_xact_lock(${LOCK});
          end if;
          return new;
        end $$;
        create trigger barrier before ${on} for each row execute function ${schema}.barrier()`);
      const waiting = `select from pg_locks where locktype = 'advisory' and objid = ${LOCK} and not granted
        and database = (select oid from pg_database where datname = current_database())`;
      return {
        untilWaiting: (expected) =>
          expect.poll(async () => (await sql(waiting)).length, { timeout: 60_000 }).toBe(expected),
        async lift() {
          await sql(`select pg_advisory_unlock(${LOCK})`);
          await sql(`drop function ${schema}.barrier cascade`);
        },
      };
    },
    async close() {
      await Promise.all(workers.map((worker) => worker.end('SIGKILL')));
      await toWorkers.close();
      await graph.close();
      server.closeAllConnections();
      server.close();
      await administrator.end();
      await drop();
    },
  };
}
