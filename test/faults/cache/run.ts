/**
 * One run: services that write with plain SQL, two replicas of trading that share one Redis and read, and faults: Redis
 * emptied, killed and paused, connections to it cut, and leaders without theirs to the database.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { inject } from 'vitest';
import type { CacheStatistics } from '../../../platform/cache/cache.ts';
import { createGraphClient } from '../../../platform/graph-client.ts';
import { createLogger } from '../../../platform/log.ts';
import { type Subgraph, startSubgraph } from '../../../platform/subgraph.ts';
import { domainUrl } from '../../../prisma/roles.ts';
import { subgraphs as definitions } from '../../../subgraphs/all.ts';
import { copyTemplate } from '../../support/databases.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { type Fault, inflict, networkFaults } from '../history/faults.ts';
import { createRandom } from '../history/random.ts';
import { runReader } from './reader.ts';
import { createWriter } from './writer.ts';

export interface RunOptions {
  seed: string;
  seconds: number;
  /** Longest time for which a connection is broken or Redis is away. */
  longestFaultMs: number;
}

export interface Account {
  reads: number;
  stale: string[];
  statistics: CacheStatistics[];
  faults: string[];
}

const WRITERS = 3;
const READERS_A_REPLICA = 3;
const PAUSE_MS = 10;

/** Of one replica so little that it keeps nothing: it reads Redis. */
const CACHE_BYTES = [undefined, 1];

const TERMINATE_LEADER = `
  select pg_terminate_backend(pid) from pg_locks join pg_stat_activity using (pid)
   where locktype = 'advisory' and application_name like '%feed%' and usename = current_user
     and datname = current_database()`;

export async function run({ seed, seconds, longestFaultMs }: RunOptions): Promise<Account> {
  const random = createRandom(seed);
  const { url: adminUrl, drop } = await copyTemplate(inject('adminUrl'));
  const url = domainUrl(adminUrl, 'trading');
  const redis = await startRedis();
  const proxies = await Promise.all(CACHE_BYTES.map(() => startFaultProxy({ target: () => redis.port })));
  const replicas = CACHE_BYTES.map((cacheBytes, i) =>
    startReplica(url, through(redis.urlOf('trading'), proxies[i]?.port), cacheBytes),
  );
  const ending = new AbortController();
  const faults: string[] = [];
  try {
    await Promise.all(replicas.map(({ feed }) => feed.ready()));
    const writers = await Promise.all(
      Array.from({ length: WRITERS }, (_, number) =>
        createWriter({ url, number, random: random.fork(`writer ${number}`), pauseMs: PAUSE_MS }),
      ),
    );
    const readers = replicas.flatMap((replica, i) =>
      Array.from({ length: READERS_A_REPLICA }, (_, n) =>
        runReader(replica, writers, random.fork(`reader ${i} ${n}`), ending.signal),
      ),
    );
    const works = [
      ...writers.map((writer) => writer.run(ending.signal)),
      inflict(
        {
          faults: {
            ...redisFaults(redis, longestFaultMs),
            ...networkFaults('Redis', proxies, longestFaultMs),
            'the leader without its connection': () => ask(url, TERMINATE_LEADER),
          },
          random: random.fork('faults'),
          pauseMs: 800,
          note: (name) => faults.push(name),
        },
        ending.signal,
      ),
    ];
    const timer = setTimeout(() => ending.abort(), seconds * 1_000);
    try {
      const [judged] = await Promise.all([Promise.all(readers), Promise.all(works)]);
      return {
        reads: judged.reduce((sum, { reads }) => sum + reads, 0),
        stale: judged.flatMap(({ stale }) => stale),
        statistics: replicas.map(({ cache }) => cache.statistics()),
        faults,
      };
    } finally {
      clearTimeout(timer);
      ending.abort();
      await Promise.allSettled([...readers, ...works]);
    }
  } finally {
    await Promise.all(replicas.map((replica) => replica.close()));
    await Promise.all(proxies.map((proxy) => proxy.close()));
    await redis.stop();
    await drop();
  }
}

/** The URL by way of a proxy. */
function through(url: string, port = 0): string {
  const changed = new URL(url);
  changed.port = String(port);
  return changed.href;
}

function startReplica(databaseUrl: string, redisUrl: string, cacheBytes: number | undefined): Subgraph {
  const definition = definitions.find(({ name }) => name === 'trading');
  if (!definition) throw new Error('There is no trading');
  const log = createLogger({ level: 'silent', service: 'test' });
  const graph = createGraphClient(() => Promise.reject(new Error('No other domain runs')));
  return startSubgraph(definition, { databaseUrl, graph, log, redisUrl, cacheBytes });
}

function redisFaults(redis: RedisServer, longestMs: number): Record<string, Fault> {
  return {
    'Redis emptied': async () => void (await redis.command('FLUSHALL')),
    'Redis killed': async (random) => {
      await redis.kill();
      await sleep(random.between(10, longestMs));
      await redis.start();
    },
    'Redis paused': async (random) => {
      redis.signal('SIGSTOP');
      await sleep(random.between(10, longestMs));
      redis.signal('SIGCONT');
    },
  };
}

async function ask(url: string, text: string): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query(text);
  await client.end();
}
