/** What can happen to the processes of a graph that is spread out. Each is over, and healed, when it resolves. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Cluster } from './cluster.ts';
import { type Fault, networkFaults } from './faults.ts';
import type { Part } from './part.ts';
import type { Random } from './random.ts';

const LONGEST_OUTAGE_MS = 3_000;
const LONGEST_PAUSE_MS = 6_000; // past the patience of a follower with its leader
const LONGEST_NETWORK_FAULT_MS = 4_000;

export const POSTGRES_KILLED = 'PostgreSQL killed';

export function faultsOfProcesses(cluster: Cluster): Record<string, Fault> {
  const { replicas, gateways, redis } = cluster;
  const ended = (choose: Choose, signal: 'SIGKILL' | 'SIGTERM'): Fault => {
    return async (random) => {
      const part = await choose(random);
      await part.end(signal);
      await outage(random);
      await part.start();
    };
  };
  const paused = (choose: Choose): Fault => {
    return async (random) => {
      const part = await choose(random);
      part.pause();
      await sleep(random.between(500, LONGEST_PAUSE_MS));
      part.resume();
    };
  };
  const aReplica: Choose = async (random) => random.pick(replicas);
  const aGateway: Choose = async (random) => random.pick(gateways);
  const theLeader: Choose = () => leaderOf(cluster);
  const ofRedis: Record<string, Fault> = redis
    ? {
        'Redis killed': async (random) => {
          await redis.kill();
          await outage(random);
          await redis.start();
        },
        'Redis paused': async (random) => {
          redis.signal('SIGSTOP');
          await outage(random);
          redis.signal('SIGCONT');
        },
        'Redis emptied': async () => void (await redis.command('FLUSHALL')),
      }
    : {};
  return {
    ...ofRedis,
    'the leader killed': ended(theLeader, 'SIGKILL'),
    'the leader paused': paused(theLeader),
    'a replica killed': ended(aReplica, 'SIGKILL'),
    'a replica stopped': ended(aReplica, 'SIGTERM'),
    'a replica paused': paused(aReplica),
    'a gateway killed': ended(aGateway, 'SIGKILL'),
    'a gateway stopped': ended(aGateway, 'SIGTERM'),
    'a gateway paused': paused(aGateway),
    [POSTGRES_KILLED]: async () => {
      await cluster.killPostgres();
      await untilAnswers(cluster.stage.url);
    },
  };
}

export function faultsOfNetworks({ proxies }: Cluster): Record<string, Fault> {
  const { toPostgres, toRedis, toReplicas, toGateways, ofWriters } = proxies;
  return {
    ...networkFaults('PostgreSQL', toPostgres, LONGEST_NETWORK_FAULT_MS),
    ...(toRedis.length > 0 ? networkFaults('Redis', toRedis, LONGEST_NETWORK_FAULT_MS) : {}),
    ...networkFaults('the replicas', [toReplicas], LONGEST_NETWORK_FAULT_MS),
    ...networkFaults('the gateways', [toGateways], LONGEST_NETWORK_FAULT_MS),
    'the writers severed': async () => ofWriters.sever(),
  };
}

type Choose = (random: Random) => Promise<Part>;

function outage(random: Random): Promise<void> {
  return sleep(random.between(100, LONGEST_OUTAGE_MS));
}

/** The replica that takes the ticks; any one while none does. */
async function leaderOf({ stage, replicas }: Cluster): Promise<Part> {
  const client = new pg.Client({ connectionString: stage.url, options: '-c search_path=trading' });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ leader: string | null }>('select leader from feed_state');
    const pid = Number(rows[0]?.leader?.split(':').at(-1));
    return replicas.find((replica) => replica.pid() === pid) ?? (replicas[0] as Part);
  } catch {
    return replicas[0] as Part; // PostgreSQL has a fault of its own just now
  } finally {
    await client.end().catch(() => undefined);
  }
}

const POLL_MS = 100;

async function untilAnswers(url: string): Promise<void> {
  for (;;) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return;
    } catch {
      await sleep(POLL_MS);
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
