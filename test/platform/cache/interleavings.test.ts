/**
 * Nobody reads a value that is older than what the feed has brought to his process, or than a command that was answered
 * there, in whatever order reads, writes, ticks and their ways to Redis interleave, and whatever Redis forgets.
 */
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { Fence } from '../../../platform/cache/fence.ts';
import { RedisTier } from '../../../platform/cache/redis-tier.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { perform, plays, playsWithStatements } from './play.ts';
import { connectTiers, type Tiers } from './stage.ts';

const SEED = 20260101;
/** As many as find every fault below; `npm run test:cache` plays ten times as many. */
const RUNS = 400;
const PLAYED = process.env.CACHE_SECONDS ? 10 * RUNS : RUNS / 2;

/** Later than any tick: whatever is stored with it counts as untouched for ever. */
const NEVER_TOUCHED = 1e15;

let redis: RedisServer;
let tiers: Tiers;

beforeAll(async () => {
  redis = await startRedis();
  tiers = await connectTiers(redis);
});

afterEach(() => {
  vi.restoreAllMocks();
});

afterAll(async () => {
  tiers?.close();
  await redis?.stop();
});

it('serves nothing stale', { timeout: 10 * 60_000 }, async () => {
  const hits = { process: 0, redis: 0 };
  const property = fc.asyncProperty(plays, fc.scheduler(), async (play, scheduler) => {
    const stage = await perform(play, scheduler, tiers);
    hits.process += stage.hits('processHits');
    hits.redis += stage.hits('redisHits');
    expect(stage.stale).toEqual([]);
  });
  await fc.assert(property, { seed: SEED, numRuns: PLAYED });
  expect(hits.process).toBeGreaterThan(PLAYED); // else nothing has been seen
  expect(hits.redis).toBeGreaterThan(4 * PLAYED);
});

it('serves nothing stale of rows that are known when their statement is answered', {
  timeout: 10 * 60_000,
}, async () => {
  const property = fc.asyncProperty(playsWithStatements, fc.scheduler(), async (play, scheduler) => {
    expect((await perform(play, scheduler, tiers)).stale).toEqual([]);
  });
  await fc.assert(property, { seed: SEED, numRuns: PLAYED / 4 });
});

/** What a run finds stale; nothing is made simpler, to find it is enough. */
async function findStale(of = plays): Promise<string[]> {
  let stale: string[] = [];
  const property = fc.asyncProperty(of, fc.scheduler(), async (play, scheduler) => {
    ({ stale } = await perform(play, scheduler, tiers));
    return stale.length === 0;
  });
  await fc.check(property, { seed: SEED, numRuns: RUNS, endOnFailure: true });
  return stale;
}

describe('the same finds stale values', () => {
  it('where the process believes what it holds, whatever was touched', async () => {
    vi.spyOn(Fence.prototype, 'isCurrent').mockReturnValue(true);
    expect(await findStale()).not.toEqual([]);
  });

  it('where what commands have written is not held', async () => {
    vi.spyOn(Fence.prototype, 'hold').mockReturnValue();
    expect(await findStale()).not.toEqual([]);
  });

  it('where a row that a statement has left is believed, whatever was written there since', async () => {
    vi.spyOn(Fence.prototype, 'isCurrentOwn').mockReturnValue(true);
    expect(await findStale(playsWithStatements)).not.toEqual([]);
  });

  it('where the process takes from Redis what it knows to have been touched', async () => {
    vi.spyOn(Fence.prototype, 'isCurrentAt').mockReturnValue(true);
    expect(await findStale()).not.toEqual([]);
  });

  it('where Redis stores whatever was read, whenever that was', async () => {
    const { store } = RedisTier.prototype;
    vi.spyOn(RedisTier.prototype, 'store').mockImplementation(function (
      this: RedisTier,
      generation,
      _,
      table,
      entries,
    ) {
      return store.call(this, generation, NEVER_TOUCHED, table, entries);
    });
    expect(await findStale()).not.toEqual([]);
  });

  it('where the leader does not tell Redis what it has touched', async () => {
    const { apply } = RedisTier.prototype;
    vi.spyOn(RedisTier.prototype, 'apply').mockImplementation(function (this: RedisTier, part) {
      apply.call(this, part, [], []);
    });
    expect(await findStale()).not.toEqual([]);
  });
});
