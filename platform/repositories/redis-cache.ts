/** A domain's cache in Redis, under the domain's prefix. Safe for many processes at once. */
import type { ChainableCommander, Redis } from 'ioredis';
import {
  ABSENT,
  type CacheRepository,
  DEFAULT_TTL_SECONDS,
  exactInteger,
  NO_EXPIRY,
  ttlMs,
} from './cache-repository.ts';
import { escapeGlob } from './glob.ts';

export interface RedisCacheOptions {
  redis: Redis;
  /** What every key begins with, and no key of anything else: "trading:cache:". */
  prefix: string;
  /** @default DEFAULT_TTL_SECONDS */
  defaultTtlSeconds?: number;
}

/** Keys in one command at most: a larger one would hold up everybody else. */
const BATCH = 500;

const EXPIRE = `
  if redis.call('exists', KEYS[1]) == 0 then return 0 end
  if ARGV[1] == '0' then redis.call('persist', KEYS[1]) else redis.call('pexpire', KEYS[1], ARGV[1]) end
  return 1`;

// A sum that a number does not hold exactly is taken back.
const INCREMENT = `
  local before = redis.call('get', KEYS[1])
  local after = redis.call('incrby', KEYS[1], ARGV[1])
  if after > 9007199254740991 or after < -9007199254740991 then
    redis.call('decrby', KEYS[1], ARGV[1])
    if not before then redis.call('del', KEYS[1]) end
    return redis.error_reply('ERR the sum cannot be counted exactly')
  end
  if not before and ARGV[2] ~= '0' then redis.call('pexpire', KEYS[1], ARGV[2]) end
  return after`;

export function redisCache(options: RedisCacheOptions): CacheRepository {
  const { redis, prefix, defaultTtlSeconds = DEFAULT_TTL_SECONDS } = options;
  const keyOf = (key: string) => prefix + key;

  /** Keys of Redis, whole, that the glob names. SCAN may give a key twice, and gives what is there all the while. */
  async function scan(pattern: string): Promise<Set<string>> {
    const found = new Set<string>();
    let cursor = '0';
    do {
      const [next, keys] = await redis.scan(cursor, 'MATCH', escapeGlob(prefix) + pattern, 'COUNT', BATCH);
      for (const key of keys) if (key.startsWith(prefix)) found.add(key);
      cursor = next;
    } while (cursor !== '0');
    return found;
  }

  async function remove(keys: readonly string[]): Promise<number> {
    let count = 0;
    for (const batch of batches(keys)) count += await redis.unlink(...batch);
    return count;
  }

  const repository: CacheRepository = {
    get: (key) => redis.get(keyOf(key)),
    async set(key, value, ttlSeconds = defaultTtlSeconds) {
      const ms = ttlMs(ttlSeconds);
      await (ms === 0 ? redis.set(keyOf(key), value) : redis.set(keyOf(key), value, 'PX', ms));
    },
    delete: async (key) => (await remove([keyOf(key)])) === 1,
    exists: async (key) => (await redis.exists(keyOf(key))) === 1,
    async getJson<Value>(key: string) {
      const text = await redis.get(keyOf(key));
      return text === null ? null : (JSON.parse(text) as Value);
    },
    setJson: (key, value, ttlSeconds) => repository.set(key, JSON.stringify(value), ttlSeconds),
    async getMany(keys) {
      const values: (string | null)[] = [];
      for (const batch of batches(keys.map(keyOf))) values.push(...(await redis.mget(...batch)));
      return values;
    },
    async setMany(entries, ttlSeconds = defaultTtlSeconds) {
      const ms = ttlMs(ttlSeconds);
      for (const batch of batches(Object.entries(entries))) {
        const pipeline = redis.pipeline();
        for (const [key, value] of batch) {
          if (ms === 0) pipeline.set(keyOf(key), value);
          else pipeline.set(keyOf(key), value, 'PX', ms);
        }
        await allDone(pipeline);
      }
    },
    deleteMany: (keys) => remove(keys.map(keyOf)),
    deletePattern: async (pattern) => remove([...(await scan(pattern))]),
    keys: async (pattern) => [...(await scan(pattern))].map((key) => key.slice(prefix.length)),
    async ttl(key) {
      const ms = await redis.pttl(keyOf(key));
      return ms === NO_EXPIRY || ms === ABSENT ? ms : Math.ceil(ms / 1_000);
    },
    expire: async (key, ttlSeconds) => (await redis.eval(EXPIRE, 1, keyOf(key), ttlMs(ttlSeconds))) === 1,
    async increment(key, amount = 1) {
      const sum = await redis.eval(INCREMENT, 1, keyOf(key), exactInteger(amount), ttlMs(defaultTtlSeconds));
      return sum as number;
    },
    decrement: (key, amount = 1) => repository.increment(key, -amount),
    flush: () => repository.deletePattern('*'),
  };
  return repository;
}

/** The first error of a pipeline's commands, thrown. */
async function allDone(pipeline: ChainableCommander): Promise<void> {
  const results = (await pipeline.exec()) ?? [];
  for (const [error] of results) if (error) throw error;
}

function* batches<Item>(items: readonly Item[]): Generator<Item[]> {
  for (let start = 0; start < items.length; start += BATCH) yield items.slice(start, start + BATCH);
}
