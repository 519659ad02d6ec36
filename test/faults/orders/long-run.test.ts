/**
 * `npm run test:faults`: two processes of trading carry out the orders of a crowd and are killed again and again, answers of
 * the graph are lost and it seems to be away, for FAULTS_SECONDS. FAULTS_SEED repeats the choices.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createRandom } from '../history/random.ts';
import { expectTrueBooks } from './books.ts';
import { letCrowdTrade, openFloor } from './crowd.ts';
import { type Stage, startStage } from './stage.ts';

const SECONDS = Number(process.env.FAULTS_SECONDS ?? 0);
const SEED = process.env.FAULTS_SEED ?? String(Date.now() % 100_000);

/** Time beside the run itself: to start, to settle and to judge. */
const MORE_MS = 180_000; // three minutes

const OPERATIONS = ['RouteOrder', 'CancelRoutedOrder', 'RoutedOrders', 'ExecutionsOfRoutedOrders'];

describe.runIf(SECONDS > 0)(`${SECONDS} seconds of orders, seed ${SEED}`, () => {
  it(
    'loses none, doubles none, and keeps true books',
    async () => {
      const stage = await startStage(2);
      try {
        const random = createRandom(SEED);
        const floor = await openFloor(stage);
        const endsAt = Date.now() + SECONDS * 1_000;
        const trading = letCrowdTrade(stage, floor, {
          clients: 20,
          goesOn: () => Date.now() < endsAt,
          random,
          livesMs: [1_000, 6_000],
        });
        const over = new AbortController();
        const disturbed = disturb(stage, over.signal);
        const tally = await trading;
        over.abort();
        await disturbed;
        process.stderr.write(`${JSON.stringify(tally)}\n`);
        expect(tally.killed).toBeGreaterThan(2);
        await expectTrueBooks(stage);
      } finally {
        await stage.close();
      }
    },
    SECONDS * 1_000 + MORE_MS,
  );
});

/** Now and then answers are lost, or the graph is away for a part of what is asked of it. */
async function disturb({ toll }: Stage, signal: AbortSignal): Promise<void> {
  const random = createRandom(`${SEED}/toll`);
  while (!signal.aborted) {
    await sleep(random.between(500, 4_000));
    if (random.chance(0.5)) toll.lose(random.pick([0.1, 0.5, 1]), random);
    else toll.close(random.some(OPERATIONS, random.between(1, OPERATIONS.length)));
    await sleep(random.between(200, 3_000));
    toll.open();
  }
}
