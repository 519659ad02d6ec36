/**
 * Part of `npm run test:faults`: Redis and PostgreSQL are killed and started again, FAULTS_KILLS times each, and stopped in
 * between, under load. It prints its figures.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { createRandom, type Random } from '../history/random.ts';
import { type Load, startLoad } from './load.ts';
import { type Stage, startStage } from './stage.ts';
import { isWhole, untilRead, untilWritten } from './waiting.ts';

const IS_WANTED = process.env.FAULTS_SECONDS !== undefined;
const KILLS = Number(process.env.FAULTS_KILLS ?? 20);
const SEED = process.env.FAULTS_SEED ?? String(Date.now() % 100_000);

/** No request takes longer, whatever is away: the gateway's own limit, and something for a slow machine. */
const ANSWER_LIMIT_MS = 12_000;

/** A kill, its outage and the recovery take no longer; they take some five seconds. */
const KILL_MS = 60_000;

/** The server is started again at once after a first time of so long. */
const SETTLED_MS = 6_000;

const LONGEST_OUTAGE_MS = 3_000;

/** Kills after which memory has found its level. */
const WARM_UP = Math.ceil(KILLS / 4);

/** Heap that may be added from then on. */
const GROWTH_MEGABYTES = 40;

describe.runIf(IS_WANTED)(`${KILLS} kills of Redis and PostgreSQL, seed ${SEED}`, () => {
  it(
    'leave no answer wrong, no write lost or doubled, no request hanging, and memory as it was',
    async () => {
      const stage = await startStage();
      const load = startLoad(stage);
      try {
        const heap = await kill(stage, load, createRandom(SEED));
        await load.stop();
        const [{ total }] = await stage.leader.sql('exchange', 'select sum(total_balance)::int as total from balances');
        const figures = figuresOf(load);
        process.stderr.write(`${JSON.stringify({ seed: SEED, kills: KILLS, ...figures, heapMegabytes: heap })}\n`);
        expect(load.complaints).toEqual([]);
        expect(total).toBe(load.begun());
        expect(load.followed()).toBe(load.begun());
        expect(figures.longestMs).toBeLessThan(ANSWER_LIMIT_MS);
        expect((heap.at(-1) as number) - (heap[WARM_UP] as number)).toBeLessThan(GROWTH_MEGABYTES);
      } finally {
        await stage.close();
      }
    },
    KILLS * KILL_MS,
  );
});

/** Kills both again and again, sometimes one while the other is away. Gives the heap after each recovery. */
async function kill(stage: Stage, load: Load, random: Random): Promise<number[]> {
  const heap: number[] = [];
  await untilWritten(load, 1);
  await sleep(SETTLED_MS);
  for (let kills = 0; kills < KILLS; kills++) {
    await stage.redis.kill();
    if (random.chance(0.5)) await sleep(random.below(LONGEST_OUTAGE_MS));
    await stage.killPostgres();
    await sleep(random.below(LONGEST_OUTAGE_MS));
    await stage.redis.start();
    await untilWritten(load, 3);
    if (random.chance(0.5)) await pause(stage, random);
    await untilRead(load, 'balance', isWhole);
    await untilRead(load, 'list', isWhole);
    await untilWritten(load, 3);
    heap.push(heapMegabytes());
  }
  return heap;
}

async function pause(stage: Stage, random: Random): Promise<void> {
  await stage.pausePostgres();
  await sleep(random.below(2 * LONGEST_OUTAGE_MS));
  await stage.resumePostgres();
}

/** Without what nobody holds. */
function heapMegabytes(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return Math.round(process.memoryUsage().heapUsed / 1024 ** 2);
}

function figuresOf({ readings, commandsMs, refusals, complaints, acknowledged }: Load) {
  const times = [...commandsMs, ...readings.map(({ tookMs }) => tookMs)];
  const marked = (store: string) => readings.filter(({ degraded }) => degraded.some((mark) => mark.store === store));
  return {
    answers: times.length,
    wrong: complaints.length,
    deposits: acknowledged(),
    refusedAndRepeated: refusals.length,
    oldAndSaidSo: marked('POSTGRESQL').length,
    withoutRedis: marked('REDIS').length,
    withoutAnything: readings.filter(({ codes }) => codes.length > 0).length,
    longestMs: Math.round(Math.max(...times)),
  };
}
