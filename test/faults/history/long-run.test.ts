/**
 * `npm run test:faults`: the graph spread over processes that are killed and paused, on connections that break, under
 * writers and subscribers, for FAULTS_SECONDS with Redis and again without. FAULTS_SEED repeats a schedule.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { check } from './checker.ts';
import { type Cluster, startCluster } from './cluster.ts';
import { faultsOfNetworks, faultsOfProcesses, POSTGRES_KILLED } from './cluster-faults.ts';
import { inflict } from './faults.ts';
import { createRandom } from './random.ts';
import { type Account, run } from './run.ts';

const SECONDS = Number(process.env.FAULTS_SECONDS ?? 0);
const SEED = process.env.FAULTS_SEED ?? String(Date.now() % 100_000);

/** Time beside the run itself: to start, to settle and to judge. */
const MORE_MS = 240_000; // four minutes
const SETTLE_MS = 120_000; // two minutes

/** Resident memory that no process may pass; they settle at two thirds of it under this load. */
const MEMORY_BOUND_MEGABYTES = 800;

describe.runIf(SECONDS > 0).each([
  { withRedis: true, name: 'with Redis' },
  { withRedis: false, name: 'without Redis' },
])(`${SECONDS} seconds of faults, seed ${SEED}, $name`, ({ withRedis, name }) => {
  it(
    'loses, repeats, reorders and invents nothing, in bounded memory',
    async () => {
      const cluster = await startCluster(withRedis);
      const memory = watchMemory(cluster);
      const timeline: string[] = [];
      try {
        const account = await runOn(cluster, `${SEED}/${name}`, timeline);
        const { violations, changes, resyncs } = check(account.transactions, account.subscribers);
        const figures = {
          seed: SEED,
          changes,
          resyncs: resyncs.length,
          sessions: sessionsOf(account),
          peakMegabytes: memory.stop(),
        };
        process.stderr.write(`${name}: ${JSON.stringify({ ...figures, faults: timeline.length })}\n`);
        expect({ violations, timeline }).toEqual({ violations: [], timeline });
        // A crash of PostgreSQL may take ticks along, and with them the places of those who had come so far.
        if (!timeline.some((line) => line.endsWith(POSTGRES_KILLED)))
          expect({ resyncs, timeline }).toEqual({ resyncs: [], timeline });
        expect(account.complaints).toEqual([]);
        for (const peak of Object.values(figures.peakMegabytes)) expect(peak).toBeLessThan(MEMORY_BOUND_MEGABYTES);
      } finally {
        memory.stop();
        await cluster.close();
      }
    },
    SECONDS * 1_000 + MORE_MS,
  );
});

async function runOn(cluster: Cluster, seed: string, timeline: string[]): Promise<Account> {
  const random = createRandom(seed);
  const startedAt = performance.now();
  const note = (name: string) => {
    timeline.push(`${((performance.now() - startedAt) / 1_000).toFixed(1)} s: ${name}`);
  };
  const schedule = (part: string, faults: ReturnType<typeof faultsOfNetworks>, signal: AbortSignal) =>
    inflict({ faults, random: random.fork(part), pauseMs: 3_000, note }, signal);
  return run({
    stage: cluster.stage,
    random,
    seconds: SECONDS,
    pauseMs: 30,
    bulk: { rows: 5_000, every: 150 },
    settleMs: SETTLE_MS,
    faults: async (signal) => {
      await sleep(2_000); // first a little of how it should be
      await Promise.all([
        schedule('processes', faultsOfProcesses(cluster), signal),
        schedule('networks', faultsOfNetworks(cluster), signal),
      ]);
    },
  });
}

function sessionsOf({ subscribers }: Account): number {
  return subscribers.reduce((sum, { sessions }) => sum + sessions.length, 0);
}

/** The highest resident memory of each process, sampled twice a second. */
function watchMemory({ replicas, gateways }: Cluster) {
  const peaks: Record<string, number> = {};
  const timer = setInterval(() => {
    for (const part of [...replicas, ...gateways]) {
      const megabytes = Math.ceil((part.memoryBytes() ?? 0) / 1024 / 1024);
      peaks[part.name] = Math.max(peaks[part.name] ?? 0, megabytes);
    }
  }, 500);
  return {
    stop() {
      clearInterval(timer);
      return peaks;
    },
  };
}
