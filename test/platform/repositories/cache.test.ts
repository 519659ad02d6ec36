/** What every cache promises (domain.md §1.14), whichever store it is kept in. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { ABSENT, type CacheRepository, NO_EXPIRY } from '../../../platform/repositories/cache-repository.ts';
import { memoryCache } from '../../../platform/repositories/memory-cache.ts';
import { redisCache } from '../../../platform/repositories/redis-cache.ts';
import { isRedisAway } from '../../../platform/repositories/redis-fault.ts';
import { connection, type Store, startStore, withUser } from './backends.ts';

let store: Store;
beforeAll(async () => {
  store = await startStore();
});
afterAll(() => store.close());

const DEFAULT_TTL_SECONDS = 120;

const BACKENDS: [string, () => CacheRepository][] = [
  ['in Redis', () => redisCache({ redis: store.redis, prefix: 'test:', defaultTtlSeconds: DEFAULT_TTL_SECONDS })],
  ['in memory', () => memoryCache({ defaultTtlSeconds: DEFAULT_TTL_SECONDS })],
];

describe.each(BACKENDS)('a cache %s', (_, create) => {
  let cache: CacheRepository;
  beforeEach(async () => {
    cache = create();
    await cache.flush();
  });

  it('gives what was set, and null for what was not', async () => {
    await cache.set('a', 'one');
    await cache.set('a', 'two');
    await cache.set('empty', '');
    expect(await cache.get('a')).toBe('two');
    expect(await cache.get('empty')).toBe('');
    expect(await cache.get('b')).toBeNull();
    expect([await cache.exists('a'), await cache.exists('b')]).toEqual([true, false]);
  });

  it('deletes once, and counts exactly', async () => {
    await cache.setMany({ a: '1', b: '2', c: '3' });
    expect([await cache.delete('a'), await cache.delete('a')]).toEqual([true, false]);
    expect(await cache.deleteMany(['a', 'b', 'c', 'b'])).toBe(2);
    expect(await cache.deleteMany([])).toBe(0);
    expect(await cache.keys('*')).toEqual([]);
  });

  it('keeps JSON, and fails on text that is none', async () => {
    await cache.setJson('order', { price: '0.1', tags: [], note: null });
    expect(await cache.getJson('order')).toEqual({ price: '0.1', tags: [], note: null });
    expect(await cache.getJson('nothing')).toBeNull();
    await cache.set('broken', '{');
    await expect(cache.getJson('broken')).rejects.toThrow(SyntaxError);
  });

  it('gives many in the order of their keys', async () => {
    await cache.setMany({ a: '1', b: '2' });
    await cache.setMany({});
    expect(await cache.getMany(['b', 'x', 'a', 'b'])).toEqual(['2', null, '1', '2']);
    expect(await cache.getMany([])).toEqual([]);
  });

  it('lets what is set live as long as the default, as said, or for ever', async () => {
    await cache.set('default', '');
    await cache.set('short', '', 7);
    await cache.set('ever', '', 0);
    await cache.setMany({ many: '' }, 9);
    expect(await cache.ttl('default')).toBe(DEFAULT_TTL_SECONDS);
    expect(await cache.ttl('short')).toBe(7);
    expect(await cache.ttl('ever')).toBe(NO_EXPIRY);
    expect(await cache.ttl('many')).toBe(9);
    expect(await cache.ttl('nothing')).toBe(ABSENT);
  });

  it('changes the time to live of what is there only', async () => {
    await cache.set('a', 'x');
    expect(await cache.expire('a', 33)).toBe(true);
    expect(await cache.ttl('a')).toBe(33);
    expect(await cache.expire('a', 0)).toBe(true);
    expect(await cache.ttl('a')).toBe(NO_EXPIRY);
    expect(await cache.expire('nothing', 5)).toBe(false);
    expect(await cache.get('a')).toBe('x');
  });

  it('refuses a time to live that is none', async () => {
    await expect(cache.set('a', 'x', -1)).rejects.toThrow('A time to live must be 0 or more seconds, but got -1');
    await expect(cache.setMany({ a: 'x' }, Number.NaN)).rejects.toThrow(RangeError);
    await expect(cache.expire('a', Number.POSITIVE_INFINITY)).rejects.toThrow(RangeError);
    expect(await cache.exists('a')).toBe(false);
  });

  it('forgets what has expired, for every operation', async () => {
    await cache.setMany({ a: '5', b: '5' }, 0.02);
    await vi.waitFor(async () => expect(await cache.getMany(['a', 'b'])).toEqual([null, null]), 30_000);
    expect(await cache.exists('a')).toBe(false);
    expect(await cache.ttl('a')).toBe(ABSENT);
    expect(await cache.delete('a')).toBe(false);
    expect(await cache.keys('*')).toEqual([]);
    expect(await cache.increment('b')).toBe(1);
  });

  it('counts, keeps the time to live, and lets a new counter live as long as the default', async () => {
    expect(await cache.increment('count')).toBe(1);
    expect(await cache.ttl('count')).toBe(DEFAULT_TTL_SECONDS);
    await cache.set('count', '10', 50);
    expect(await cache.increment('count', 5)).toBe(15);
    expect(await cache.decrement('count')).toBe(14);
    expect(await cache.decrement('count', 20)).toBe(-6);
    expect(await cache.ttl('count')).toBe(50);
    await cache.set('ever', '1', 0);
    await cache.increment('ever');
    expect(await cache.ttl('ever')).toBe(NO_EXPIRY);
  });

  it('counts only what it can count exactly', async () => {
    await cache.set('text', 'many');
    await expect(cache.increment('text')).rejects.toThrow();
    await cache.set('large', String(Number.MAX_SAFE_INTEGER));
    await expect(cache.increment('large')).rejects.toThrow();
    expect(await cache.get('large')).toBe(String(Number.MAX_SAFE_INTEGER));
    await expect(cache.increment('new', 0.5)).rejects.toThrow(RangeError);
    expect(await cache.exists('new')).toBe(false);
  });

  it('loses no increment of many at once', async () => {
    await Promise.all(Array.from({ length: 200 }, (_, at) => cache.increment('count', at % 2 === 0 ? 3 : -1)));
    expect(await cache.get('count')).toBe('200');
  });

  it.each([
    ['*', ['a:1', 'a:12', 'a[1]', 'ab', 'é']],
    ['a:*', ['a:1', 'a:12']],
    ['a?', ['ab']],
    ['a:1?', ['a:12']],
    ['a[b-z]', ['ab']],
    ['a[^:]', ['ab']],
    ['a[[]1]', ['a[1]']],
    ['a\\[1\\]', ['a[1]']],
    ['??', ['ab', 'é']],
    ['*1*', ['a:1', 'a:12', 'a[1]']],
    ['a[', []],
    ['', []],
  ])('names by the glob %s what Redis would', async (pattern, expected) => {
    await cache.setMany({ 'a:1': '', 'a:12': '', 'a[1]': '', ab: '', é: '' });
    expect((await cache.keys(pattern)).sort()).toEqual(expected);
    expect(await cache.deletePattern(pattern)).toBe(expected.length);
    expect(await cache.keys('*')).toHaveLength(5 - expected.length);
  });

  it('lists and deletes thousands, each once', async () => {
    const names = Array.from({ length: 3_000 }, (_, at) => `many:${at}`);
    await cache.setMany(Object.fromEntries(names.map((name) => [name, name])));
    expect((await cache.keys('many:*')).sort()).toEqual(names.toSorted());
    expect(await cache.getMany(names)).toEqual(names);
    expect(await cache.deletePattern('many:1*')).toBe(1_111);
    expect(await cache.flush()).toBe(1_889);
    expect(await cache.flush()).toBe(0);
  });
});

describe('a cache in Redis', () => {
  it('never touches a key of another', async () => {
    const { redis } = store;
    await redis.mset('other:a', '1', 'tes*:a', '1', 'testy:a', '1', 't[e]s*:a', '1');
    const strange = redisCache({ redis, prefix: 't[e]s*:' });
    const plain = redisCache({ redis, prefix: 'test:' });
    await plain.set('a', 'own');
    expect(await strange.keys('*')).toEqual(['a']);
    expect(await strange.flush()).toBe(1);
    expect(await plain.deletePattern('*')).toBe(1);
    expect(await redis.mget('other:a', 'tes*:a', 'testy:a')).toEqual(['1', '1', '1']);
  });

  it('needs no command that a domain may not use', async () => {
    await store.server.command(...'ACL SETUSER domain on >secret ~test:* +@read +@write +@keyspace'.split(' '));
    await store.server.command(...'ACL SETUSER domain +@connection +@transaction +@scripting -@dangerous'.split(' '));
    const redis = await connection(withUser(store.server.url, 'domain'));
    const cache = redisCache({ redis, prefix: 'test:' });
    await cache.setMany({ a: '1', b: '2' });
    await cache.expire('a', 0);
    await cache.increment('a');
    expect((await cache.keys('*')).sort()).toEqual(['a', 'b']);
    expect(await cache.flush()).toBe(2);
    redis.disconnect();
  });

  it('rejects with a fault of the way while Redis is away', async () => {
    const redis = await connection(store.server.url);
    const cache = redisCache({ redis, prefix: 'test:' });
    store.server.signal('SIGSTOP');
    const hung = await cache.get('a').catch((error: unknown) => error);
    store.server.signal('SIGCONT');
    expect(isRedisAway(hung)).toBe(true);
    redis.disconnect();
    expect(isRedisAway(await cache.get('a').catch((error: unknown) => error))).toBe(true);
    const wrongType = await redisCache({ redis: store.redis, prefix: 'test:' })
      .set('text', 'x')
      .then(() => store.redis.lpush('test:text', 'y'))
      .catch((error: unknown) => error);
    expect(isRedisAway(wrongType)).toBe(false);
  });
});

describe('a cache in memory', () => {
  it('keeps so many entries, and lets go what was used longest ago', async () => {
    const cache = memoryCache({ maxEntries: 3 });
    await cache.setMany({ a: '1', b: '2', c: '3' });
    await cache.get('a');
    await cache.set('d', '4');
    expect((await cache.keys('*')).sort()).toEqual(['a', 'c', 'd']);
  });

  it('keeps so many bytes', async () => {
    const cache = memoryCache({ maxBytes: 100 });
    await cache.set('a', 'x'.repeat(20));
    await cache.set('b', 'x'.repeat(20));
    await cache.set('c', 'x'.repeat(20));
    expect((await cache.keys('*')).sort()).toEqual(['b', 'c']);
    await cache.set('d', 'x'.repeat(60));
    expect(await cache.keys('*')).toEqual([]);
  });
});
