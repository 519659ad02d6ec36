/**
 * The graph as an operator runs it, every part a process and every connection through a proxy: two gateways in front of
 * two replicas of trading's subgraph, on a PostgreSQL and, if wanted, a Redis of their own.
 */
import { domainUrl } from '../../../prisma/roles.ts';
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts';
import { startOwnPostgres } from '../../support/own-postgres.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import type { GraphAnswer } from './graph-writer.ts';
import { createPart, type Part } from './part.ts';
import type { Stage } from './run.ts';

export interface Cluster {
  stage: Stage;
  replicas: Part[];
  gateways: Part[];
  redis: RedisServer | null;
  /** What stands between which parts; of each replica its own. */
  proxies: {
    toPostgres: FaultProxy[];
    toRedis: FaultProxy[];
    toReplicas: FaultProxy;
    toGateways: FaultProxy;
    ofWriters: FaultProxy;
  };
  /** Ends PostgreSQL as a crash does; whoever keeps it starts it again. */
  killPostgres(): Promise<void>;
  close(): Promise<void>;
}

const REPLICAS = 2;
const GATEWAYS = 2;

/** A command that nobody answers is sent again. */
const COMMAND_TIMEOUT_MS = 5_000;

export async function startCluster(withRedis: boolean): Promise<Cluster> {
  const postgres = await startOwnPostgres();
  const url = domainUrl(postgres.databaseUrl, 'trading', {});
  const redis = withRedis ? await startRedis() : null;

  const replicas: Part[] = [];
  const gateways: Part[] = [];
  const toPostgresOf = () => startFaultProxy({ target: () => postgres.port });
  const toReplicas = await startFaultProxy({ target: inTurn(replicas) });
  const toGateways = await startFaultProxy({ target: inTurn(gateways) });
  const ofWriters = await toPostgresOf();
  const proxies: Cluster['proxies'] = { toPostgres: [], toRedis: [], toReplicas, toGateways, ofWriters };
  for (let number = 1; number <= REPLICAS; number++) {
    const toPostgres = await toPostgresOf();
    proxies.toPostgres.push(toPostgres);
    const settings: Record<string, string> = {
      TRADING_DATABASE_URL: through(toPostgres, url),
      GATEWAY_URL: `http://127.0.0.1:${toGateways.port}/graphql`,
    };
    if (redis) {
      const toRedis = await startFaultProxy({ target: () => redis.port });
      proxies.toRedis.push(toRedis);
      settings.REDIS_URL = through(toRedis, redis.url);
    }
    replicas.push(await createPart(`replica ${number}`, ['subgraphs/main.ts', 'trading'], settings));
  }
  for (let number = 1; number <= GATEWAYS; number++) {
    const settings = { TRADING_URL: `http://127.0.0.1:${toReplicas.port}/graphql` };
    gateways.push(await createPart(`gateway ${number}`, ['gateway/main.ts', '--remote'], settings));
  }
  await Promise.all([...replicas, ...gateways].map((part) => part.start()));

  return {
    stage: {
      url,
      writerUrl: through(ofWriters, url),
      run: (query, variables) => send(toGateways.port, query, variables),
      socketUrl: () => `ws://127.0.0.1:${toGateways.port}/graphql`,
    },
    replicas,
    gateways,
    redis,
    proxies,
    async killPostgres() {
      process.kill(await postgres.pid(), 'SIGKILL');
    },
    async close() {
      await Promise.all([...gateways, ...replicas].map((part) => part.end('SIGKILL')));
      await Promise.all(
        Object.values(proxies)
          .flat()
          .map((proxy) => proxy.close()),
      );
      await redis?.stop();
      await postgres.close();
    },
  };
}

/** The ports of those that are up, one after another, as a balancer has it. */
export function inTurn(parts: readonly Part[]): () => number {
  let turn = 0;
  return () => {
    const up = parts.filter((part) => part.isUp());
    const choice = up.length > 0 ? up : parts;
    return (choice[turn++ % choice.length] as Part).port;
  };
}

/** The same server by way of the proxy. */
export function through(proxy: FaultProxy, address: string): string {
  const url = new URL(address);
  url.port = String(proxy.port);
  return url.href;
}

async function send(port: number, query: string, variables: Record<string, unknown>): Promise<GraphAnswer> {
  const response = await fetch(`http://127.0.0.1:${port}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', connection: 'close' },
    body: JSON.stringify({ query, variables }),
    signal: AbortSignal.timeout(COMMAND_TIMEOUT_MS),
  });
  return (await response.json()) as GraphAnswer;
}
