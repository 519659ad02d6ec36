/**
 * The graph with trading as a process of its own, which can be killed; the exchange and the others are in this one. What
 * trading asks of the graph passes a toll.
 */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { inject } from 'vitest';
import { domainUrl } from '../../../prisma/roles.ts';
import { copyTemplate } from '../../support/databases.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { inTurn } from '../history/cluster.ts';
import { createPart, type Part } from '../history/part.ts';
import { startToll, type Toll } from './toll.ts';

export interface Stage {
  graph: TestGraph;
  /** Processes of trading; the graph asks one that is up. */
  replicas: readonly Part[];
  trading: Part;
  toll: Toll;
  /** Starts trading's process again, and resolves once the graph has found it. */
  restart(): Promise<void>;
  /** The administrator's statements: he sees all domains. */
  sql(text: string, params?: unknown[]): Promise<Record<string, unknown>[]>;
  /** A mutation with a key of its own, sent again until somebody answers. Gives its payload. */
  command(name: string, input: object, selection?: string): Promise<Payload>;
  close(): Promise<void>;
}

export interface Payload {
  errors: { code: string; message: string }[];
  // biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its query asked for
  [field: string]: any;
}

/** Settings of trading's process: orders for now are too old after a second. */
const SETTINGS = { TRADING_SEND_WITHIN_SECONDS: '1' };

/** A process that is killed is back long before. */
const PATIENCE_MS = 60_000;

export async function startStage(count = 1): Promise<Stage> {
  const { url, drop } = await copyTemplate(inject('adminUrl'));
  const settings: Record<string, string> = { ...SETTINGS, TRADING_DATABASE_URL: domainUrl(url, 'trading', {}) };
  const replicas: Part[] = [];
  for (let number = 1; number <= count; number++) {
    replicas.push(await createPart(`trading ${number}`, ['subgraphs/main.ts', 'trading'], settings));
  }
  const [trading] = replicas as [Part];
  const toReplicas = await startFaultProxy({ target: inTurn(replicas) });
  const elsewhere = { trading: `http://127.0.0.1:${toReplicas.port}/graphql` };
  const graph = await startGraph({ databaseUrl: url, elsewhere });
  const server = createServer(graph.gateway.handler);
  graph.gateway.attachWebSocket(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const toll = await startToll((server.address() as AddressInfo).port);
  settings.GATEWAY_URL = toll.url;
  const administrator = new pg.Client({ connectionString: url });
  await administrator.connect();
  await Promise.all(replicas.map((part) => part.start()));
  let commands = 0;

  return {
    graph,
    replicas,
    trading,
    toll,
    async restart() {
      await trading.start();
      const isFound = async () =>
        (await graph.run('{ activeStrategies(first: 0) { totalCount } }')).errors === undefined;
      while (!(await isFound())) await sleep(50); // the gateway looks once a second whether it is there again
    },
    sql: async (text, params) => (await administrator.query(text, params)).rows,
    async command(name, input, selection = '') {
      const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
      const document = `mutation ($input: ${type}!) { answer: ${name}(input: $input) { ${selection} errors { code message } } }`;
      const variables = { input: { ...input, idempotencyKey: `command ${++commands}` } };
      const giveUpAt = Date.now() + PATIENCE_MS;
      for (;;) {
        const { data, errors = [] } = await graph.run(document, variables);
        const isAway = [...errors.map(({ extensions }) => extensions.code), data?.answer?.errors[0]?.code].some(
          (code) => code === 'DOMAIN_UNAVAILABLE',
        );
        if (data?.answer && !isAway) return data.answer;
        if (!isAway || Date.now() > giveUpAt) throw new Error(`${name}: ${JSON.stringify({ data, errors })}`);
        await sleep(50);
      }
    },
    async close() {
      await Promise.all(replicas.map((part) => part.end('SIGKILL')));
      await toReplicas.close();
      await toll.end();
      await graph.close();
      server.closeAllConnections();
      server.close();
      await administrator.end();
      await drop();
    },
  };
}
