/**
 * `npm run test:cache`: the same for CACHE_SECONDS, which tells how many of all reads were stale. CACHE_SEED repeats a
 * schedule.
 */
import { describe, expect, it } from 'vitest';
import { run } from './run.ts';

const SECONDS = Number(process.env.CACHE_SECONDS ?? 0);
const SEED = process.env.CACHE_SEED ?? String(Date.now() % 100_000);

/** Time beside the run itself: to start and to end. */
const MORE_MS = 60_000; // a minute

describe.runIf(SECONDS > 0)(`${SECONDS} seconds of a broken Redis and changing leaders, seed ${SEED}`, () => {
  it(
    'shows nothing stale',
    async () => {
      const { reads, stale, statistics, faults } = await run({ seed: SEED, seconds: SECONDS, longestFaultMs: 2_000 });
      process.stderr.write(`stale reads ${stale.length} of ${reads}\n`);
      process.stderr.write(`${JSON.stringify({ seed: SEED, faults: faults.length, statistics })}\n`);
      expect({ stale, faults }).toEqual({ stale: [], faults });
    },
    SECONDS * 1_000 + MORE_MS,
  );
});
