/** The port of a domain's own key-value cache (domain.md §1.14). It is no part of the graph. */

/** How long an entry lives, in seconds: left out, as long as the domain's default; 0, for ever. */
export type TtlSeconds = number;

/** What `ttl` says of an entry that never expires. */
export const NO_EXPIRY = -1;

/** What `ttl` says of an entry that is not there. */
export const ABSENT = -2;

/** How long entries live when nobody says otherwise. */
export const DEFAULT_TTL_SECONDS = 300; // domain.md §1.8

/**
 * Keys are the domain's own: whatever a key or a pattern says, no key of another domain is read, changed or counted.
 * Every method rejects when the store does not answer (see `isRedisAway`), and with a RangeError on a time to live
 * that is negative.
 */
export interface CacheRepository {
  /** The text, or null when there is none. */
  get(key: string): Promise<string | null>;
  set(key: string, value: string, ttlSeconds?: TtlSeconds): Promise<void>;
  /** Whether it was there. */
  delete(key: string): Promise<boolean>;
  exists(key: string): Promise<boolean>;
  /** The value, or null when there is none. Throws a SyntaxError on text that is no JSON. */
  getJson<Value>(key: string): Promise<Value | null>;
  /** Stores the value as JSON; decimals are written as text by whoever has them. */
  setJson(key: string, value: unknown, ttlSeconds?: TtlSeconds): Promise<void>;
  /** In the order of the keys, null for what is not there. */
  getMany(keys: readonly string[]): Promise<(string | null)[]>;
  /** One after the other: a reader may see some of them before the others. */
  setMany(entries: Readonly<Record<string, string>>, ttlSeconds?: TtlSeconds): Promise<void>;
  /** How many were there. */
  deleteMany(keys: readonly string[]): Promise<number>;
  /** Deletes what the glob names (see glob.ts), and says how many. */
  deletePattern(pattern: string): Promise<number>;
  /** Keys that the glob names, each once, in no order. */
  keys(pattern: string): Promise<string[]>;
  /** Seconds left, rounded up; NO_EXPIRY or ABSENT. */
  ttl(key: string): Promise<number>;
  /** Gives it another time to live, 0 for ever. False when it is not there. */
  expire(key: string, ttlSeconds: TtlSeconds): Promise<boolean>;
  /**
   * Adds to an integer, atomically, and gives the sum. What is not there counts as 0 and lives as long as the default;
   * what is there keeps its time to live. Throws when the text is no integer, or the sum cannot be counted exactly.
   */
  increment(key: string, amount?: number): Promise<number>;
  decrement(key: string, amount?: number): Promise<number>;
  /** Deletes every key of the domain's, and says how many. */
  flush(): Promise<number>;
}

/** Milliseconds of a time to live. Throws a RangeError on one that is none. */
export function ttlMs(ttlSeconds: TtlSeconds): number {
  if (Number.isFinite(ttlSeconds) && ttlSeconds >= 0) return Math.ceil(ttlSeconds * 1_000);
  throw new RangeError(`A time to live must be 0 or more seconds, but got ${ttlSeconds}`);
}

/** The integer itself. Throws a RangeError on what a number does not hold exactly. */
export function exactInteger(value: number): number {
  if (Number.isSafeInteger(value)) return value;
  throw new RangeError(`A counter must stay within ±2^53, but got ${value}`);
}
