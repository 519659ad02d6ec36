/**
 * Two copies of the whole graph over one PostgreSQL and one Redis of their own, which can be taken away from them. The
 * first reaches its subgraphs over HTTP and leads the feeds; the second has them in process and follows by way of Redis.
 */
import { readFile } from 'node:fs/promises';
import { type FaultProxy, startFaultProxy } from '../../support/fault-proxy.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { type OwnPostgres, startOwnPostgres } from '../../support/own-postgres.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { through } from '../history/cluster.ts';

export const ACCOUNT = '00000000-0000-4000-8000-000000000001';
export const IDLE_ACCOUNT = '00000000-0000-4000-8000-000000000002';

/** Connections of a subgraph at most: fewer than there are readers, so that a queue shows. */
export const POOL_SIZE = 4;

export interface Stage {
  leader: TestGraph;
  follower: TestGraph;
  redis: RedisServer;
  /** Stands between both and Redis. */
  toRedis: FaultProxy;
  /** Ends PostgreSQL as a crash does; whoever keeps it starts it again. */
  killPostgres(): Promise<void>;
  /** Stops all of its processes, which keep their connections and answer nothing. */
  pausePostgres(): Promise<void>;
  resumePostgres(): Promise<void>;
  /** A third graph, as of a process that is started now. */
  another(): Promise<TestGraph>;
  close(): Promise<void>;
}

export async function startStage(): Promise<Stage> {
  const postgres = await startOwnPostgres();
  const redis = await startRedis();
  const toRedis = await startFaultProxy({ target: () => redis.port });
  const { databaseUrl } = postgres;
  const shared = { databaseUrl, redisUrl: through(toRedis, redis.url), poolSize: POOL_SIZE };
  const leader = await startGraph({ ...shared, spreadOut: true });
  await Promise.all([...leader.subgraphs.values()].map(({ feed }) => feed.ready()));
  await prepare(leader);
  const follower = await startGraph(shared);
  const signal = async (name: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL') => {
    for (const pid of await processesOf(postgres, name)) process.kill(pid, name);
  };
  return {
    leader,
    follower,
    redis,
    toRedis,
    killPostgres: () => signal('SIGKILL'),
    pausePostgres: () => signal('SIGSTOP'),
    resumePostgres: () => signal('SIGCONT'),
    another: () => startGraph(shared),
    async close() {
      await Promise.all([leader.close(), follower.close()]);
      await toRedis.close();
      await redis.stop();
      await postgres.close();
    },
  };
}

/** The server's processes, the one that starts others first; of a server that is killed that one only, as a crash has it. */
async function processesOf(postgres: OwnPostgres, signal: string): Promise<number[]> {
  const server = await postgres.pid();
  if (signal === 'SIGKILL') return [server];
  const children = await readFile(`/proc/${server}/task/${server}/children`, 'utf8');
  return [server, ...children.trim().split(' ').map(Number)];
}

/** An account with one balance, one without, and an instrument. */
async function prepare(graph: TestGraph): Promise<void> {
  const give = async (name: string, input: object) => {
    const type = `${name[0]?.toUpperCase()}${name.slice(1)}Input`;
    const { data, errors } = await graph.run(
      `mutation ($input: ${type}!) { ${name}(input: $input) { errors { code message } } }`,
      { input },
    );
    const refused = errors ?? data[name].errors;
    if (refused.length > 0) throw new Error(`${name}: ${JSON.stringify(refused)}`);
  };
  await give('createInstrument', { symbol: 'BTC-USD' });
  await give('defineAsset', { code: 'USD' });
  await give('createExchangeAccount', { accountId: ACCOUNT, clientId: 'northwind' });
  await give('createExchangeAccount', { accountId: IDLE_ACCOUNT, clientId: 'southgate' });
  await give('deposit', { accountId: ACCOUNT, asset: 'USD', amount: '1', idempotencyKey: 'deposit 0' });
}
