/** No read shows what is older than the feed's lag: a short run. `npm run test:cache` is the long one. */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Fence } from '../../../platform/cache/fence.ts';
import { run } from './run.ts';

const SEED = process.env.CACHE_SEED ?? '1';
const SECONDS = 6;

afterEach(() => {
  vi.restoreAllMocks();
});

describe(`a run with a broken Redis and changing leaders, seed ${SEED}`, () => {
  it('shows nothing stale', async () => {
    const { reads, stale, statistics, faults } = await run({ seed: SEED, seconds: SECONDS, longestFaultMs: 400 });
    expect({ stale, faults }).toEqual({ stale: [], faults });
    expect(reads).toBeGreaterThan(100);
    expect(statistics[0]?.processHits).toBeGreaterThan(0);
    expect(statistics[1]?.redisHits).toBeGreaterThan(0);
  });

  it('shows much that is stale where nothing fences the cache', async () => {
    vi.spyOn(Fence.prototype, 'isCurrent').mockReturnValue(true);
    vi.spyOn(Fence.prototype, 'isCurrentAt').mockReturnValue(true);
    const { stale } = await run({ seed: SEED, seconds: SECONDS / 2, longestFaultMs: 400 });
    expect(stale).not.toEqual([]);
  });
});
