/** Values of one kind that the cache may keep: each is made of the rows of one captured table with one value in a column. */
export interface Family<Value> {
  /** Unique in the domain. */
  name: string;
  table: string;
  /** The column that holds the key, by its name in rows: the table's own key, or one that its capture names. */
  column: string;
  /** Whether a value is the row itself, so that the feed's images replace it. @default false */
  isRow?: boolean;
  /** How long a value is believed though the feed has touched nothing of it: a second fence. */
  ttlMs: number;
  readonly value?: Value;
}

export const DEFAULT_TTL_MS = 300_000; // 5 minutes

/** How old an answer may be, and what is to be told of it. One a request. */
export interface Reading {
  /** Read PostgreSQL: something is decided by it, or a command has just been done. */
  isFresh: boolean;
  /** Transactions that the answer must show. */
  after: readonly number[];
  /** A store was not to be had, so that the answer is slow or old. */
  degrade(state: Degradation): void;
}

/** Whoever asks has not said that what he reads must be new. */
export function mayBeOld({ isFresh, after }: Reading): boolean {
  return !isFresh && after.length === 0;
}

export interface Degradation {
  store: 'POSTGRESQL' | 'REDIS';
  /** The answer shows what had been committed until then, RFC 3339; null where it is not old. */
  asOf: string | null;
}
