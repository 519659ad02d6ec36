/** A domain's cache in the memory of one process, for a graph without Redis. What was used longest ago goes first. */
import {
  ABSENT,
  type CacheRepository,
  DEFAULT_TTL_SECONDS,
  exactInteger,
  NO_EXPIRY,
  ttlMs,
} from './cache-repository.ts';
import { globMatcher } from './glob.ts';

export interface MemoryCacheOptions {
  /** @default DEFAULT_TTL_SECONDS */
  defaultTtlSeconds?: number;
  /** @default 10,000 */
  maxEntries?: number;
  /** Of keys and values together, as UTF-16. @default 32 MiB */
  maxBytes?: number;
  /** The clock, in milliseconds. @default the system's */
  now?: () => number;
}

interface Entry {
  value: string;
  /** In milliseconds of the clock; null for ever. */
  expiresAt: number | null;
}

const INTEGER = /^-?\d{1,16}$/;

export function memoryCache(options: MemoryCacheOptions = {}): CacheRepository {
  const { defaultTtlSeconds = DEFAULT_TTL_SECONDS, maxEntries = 10_000, maxBytes = 32 * 1024 ** 2 } = options;
  const { now = Date.now } = options;
  /** In the order of their last use, the latest last. */
  const entries = new Map<string, Entry>();
  let bytes = 0;

  const expiry = (ttlSeconds: number) => (ttlSeconds === 0 ? null : now() + ttlMs(ttlSeconds));

  function find(key: string): Entry | undefined {
    const entry = entries.get(key);
    if (!entry || entry.expiresAt === null || entry.expiresAt > now()) return entry;
    remove(key);
    return undefined;
  }

  function read(key: string): string | null {
    const entry = find(key);
    if (!entry) return null;
    entries.delete(key);
    entries.set(key, entry);
    return entry.value;
  }

  function write(key: string, entry: Entry): void {
    remove(key);
    entries.set(key, entry);
    bytes += sizeOf(key, entry);
    while (entries.size > maxEntries || bytes > maxBytes) remove(entries.keys().next().value as string);
  }

  function remove(key: string): boolean {
    const entry = entries.get(key);
    if (!entry) return false;
    bytes -= sizeOf(key, entry);
    return entries.delete(key);
  }

  const drop = (key: string) => find(key) !== undefined && remove(key);
  const named = (pattern: string) => {
    const matches = globMatcher(pattern);
    return [...entries.keys()].filter((key) => matches(key) && find(key) !== undefined);
  };
  const removeAll = (keys: readonly string[]) => keys.filter(drop).length;

  const repository: CacheRepository = {
    get: async (key) => read(key),
    set: async (key, value, ttlSeconds = defaultTtlSeconds) => write(key, { value, expiresAt: expiry(ttlSeconds) }),
    delete: async (key) => drop(key),
    exists: async (key) => find(key) !== undefined,
    async getJson<Value>(key: string) {
      const text = read(key);
      return text === null ? null : (JSON.parse(text) as Value);
    },
    setJson: (key, value, ttlSeconds) => repository.set(key, JSON.stringify(value), ttlSeconds),
    getMany: async (keys) => keys.map(read),
    async setMany(values, ttlSeconds = defaultTtlSeconds) {
      for (const [key, value] of Object.entries(values)) write(key, { value, expiresAt: expiry(ttlSeconds) });
    },
    deleteMany: async (keys) => removeAll(keys),
    deletePattern: async (pattern) => removeAll(named(pattern)),
    keys: async (pattern) => named(pattern),
    async ttl(key) {
      const entry = find(key);
      if (!entry) return ABSENT;
      return entry.expiresAt === null ? NO_EXPIRY : Math.ceil((entry.expiresAt - now()) / 1_000);
    },
    async expire(key, ttlSeconds) {
      const expiresAt = expiry(ttlSeconds);
      const entry = find(key);
      if (entry) entry.expiresAt = expiresAt;
      return entry !== undefined;
    },
    async increment(key, amount = 1) {
      const { value, expiresAt } = find(key) ?? { value: '0', expiresAt: expiry(defaultTtlSeconds) };
      if (!INTEGER.test(value)) throw new TypeError(`"${key}" holds no integer`);
      const sum = exactInteger(Number(value) + exactInteger(amount));
      write(key, { value: String(sum), expiresAt });
      return sum;
    },
    decrement: (key, amount = 1) => repository.increment(key, -amount),
    flush: () => repository.deletePattern('*'),
  };
  return repository;
}

function sizeOf(key: string, { value }: Entry): number {
  return 2 * (key.length + value.length);
}
