/**
 * Declarations of what can be loaded by key, and the loaders of one request that do it: many keys, one statement.
 * A subgraph declares an entity or a child list in a few lines; nobody writes a batch function by hand.
 */
import DataLoader from 'dataloader';
import type { Cache } from './cache/cache.ts';
import { DEFAULT_TTL_MS, type Family, type Reading } from './cache/family.ts';
import type { Database } from './database/database.ts';
import { camelCase } from './database/rows.ts';
import { identifier, type Sql, sql } from './database/sql.ts';
import { isStorable } from './texts.ts';
import { isUuid } from './uuid.ts';

/** SQL type of a key column. */
export type KeyType = 'uuid' | 'text';

/** Keys in one statement at most; a larger batch is sent in parts. */
const BATCH_LIMIT = 1_000;

export interface Entity<Row> {
  /** GraphQL type, for logs and caches. */
  name: string;
  table: string;
  /** Column that identifies a row. */
  key: string;
  keyType: KeyType;
  /** How long the cache believes a row though the feed has not touched it. @default DEFAULT_TTL_MS */
  ttlMs?: number;
  /** Carries the row's type only. */
  readonly row?: Row;
}

export interface ChildList<Row> {
  name: string;
  table: string;
  /** Column that holds the parent's key. */
  parent: string;
  keyType: KeyType;
  /** Column the children are ordered by, ascending. */
  orderBy: string;
  /** Children kept a parent; the list must be bounded by nature, a larger one is a connection. */
  limit: number;
  readonly row?: Row;
}

/** A row found by its key. */
export function entity<Row>(declaration: Omit<Entity<Row>, 'row'>): Entity<Row> {
  return declaration;
}

/** The few rows that belong to a parent, whole (balances of an account); for long lists see paging.ts. */
export function childList<Row>(declaration: Omit<ChildList<Row>, 'row'>): ChildList<Row> {
  return declaration;
}

/** A value that is made of the rows of a captured table with one value in one column (a parent's total). */
export interface Derived<Value> {
  name: string;
  table: string;
  /** The table's key, or one of the columns that its capture names. */
  column: string;
  keyType: KeyType;
  /** Value of a key that can name nothing. */
  absent: Value;
  ttlMs?: number;
}

/** Something computed from a parent's rows, which the cache keeps until one of them changes. */
export function derived<Value>(declaration: Derived<Value>): Derived<Value> {
  return declaration;
}

export interface Loaders {
  load<Row>(entity: Entity<Row>, key: string): Promise<Row | null>;
  list<Row>(list: ChildList<Row>, parent: string): Promise<Row[]>;
  /** `read` answers in its keys' order. */
  derive<Value>(wanted: Derived<Value>, key: string, read: BatchRead<Value>): Promise<Value>;
  /**
   * The loader of a family's values in this request: those of usable keys come from the cache or are read, `absent`
   * stands for those of keys that can name nothing.
   */
  byKey<Value>(
    family: Family<Value>,
    keyType: KeyType,
    absent: Value,
    read: BatchRead<Value>,
  ): DataLoader<string, Value, string>;
  /** The loader of that name in this request, made by `create` at first use. */
  named<Key, Value>(
    name: string,
    create: () => (keys: readonly Key[]) => Promise<Value[]>,
  ): DataLoader<Key, Value, string>;
}

/** Fresh loaders for one request; they remember what it read, so a long-lived one would go stale. */
export function createLoaders(db: Database, cache: Cache, reading: Reading): Loaders {
  const loaders = new Map<string, DataLoader<unknown, unknown, string>>();

  function named<Key, Value>(name: string, create: () => (keys: readonly Key[]) => Promise<Value[]>) {
    let loader = loaders.get(name);
    if (!loader) {
      const batch = create() as (keys: readonly unknown[]) => Promise<unknown[]>;
      loader = new DataLoader<unknown, unknown, string>(batch, {
        maxBatchSize: BATCH_LIMIT,
        cacheKeyFn: (key) => (typeof key === 'string' ? key : JSON.stringify(key)),
      });
      loaders.set(name, loader);
    }
    return loader as unknown as DataLoader<Key, Value, string>;
  }

  function byKey<Value>(family: Family<Value>, keyType: KeyType, absent: Value, read: BatchRead<Value>) {
    return named<string, Value>(family.name, () => async (keys) => {
      const usable = usableKeys(keyType, keys);
      const values = usable.length === 0 ? [] : await cache.read(family, usable, read, reading);
      const found = new Map(usable.map((key, i) => [key, values[i] as Value]));
      return keys.map((key) => found.get(canonicalKey(keyType, key)) ?? absent);
    });
  }

  return {
    named,
    byKey,
    load: <Row>(wanted: Entity<Row>, key: string) =>
      byKey<Row | null>(entityFamily(wanted), wanted.keyType, null, (keys) => readEntities(db, wanted, keys)).load(key),
    list: <Row>(wanted: ChildList<Row>, parent: string) =>
      byKey<Row[]>(listFamily(wanted), wanted.keyType, [], (parents) => readLists(db, wanted, parents)).load(parent),
    derive: <Value>(wanted: Derived<Value>, key: string, read: BatchRead<Value>) =>
      byKey<Value>(derivedFamily(wanted), wanted.keyType, wanted.absent, read).load(key),
  };
}

/** Answers in the order of its keys. */
type BatchRead<Value> = (keys: readonly string[]) => Promise<readonly Value[]>;

const families = new WeakMap<object, Family<never>>();

/** The family of a declaration, made once. */
function familyOf<Value>(declaration: object, make: () => Family<Value>): Family<Value> {
  const known = families.get(declaration) as Family<Value> | undefined;
  if (known) return known;
  const family = make();
  families.set(declaration, family as Family<never>);
  return family;
}

function entityFamily<Row>(wanted: Entity<Row>): Family<Row | null> {
  const { name, table, key, ttlMs = DEFAULT_TTL_MS } = wanted;
  return familyOf(wanted, () => ({ name: `entity:${name}`, table, column: camelCase(key), isRow: true, ttlMs }));
}

function listFamily<Row>(wanted: ChildList<Row>): Family<Row[]> {
  const { name, table, parent } = wanted;
  return familyOf(wanted, () => ({ name: `list:${name}`, table, column: camelCase(parent), ttlMs: DEFAULT_TTL_MS }));
}

function derivedFamily<Value>(wanted: Derived<Value>): Family<Value> {
  const { name, table, column, ttlMs = DEFAULT_TTL_MS } = wanted;
  return familyOf(wanted, () => ({ name: `derived:${name}`, table, column: camelCase(column), ttlMs }));
}

async function readEntities<Row>(db: Database, wanted: Entity<Row>, keys: readonly string[]): Promise<(Row | null)[]> {
  const rows = await db.query<Row>(
    sql`select * from ${identifier(wanted.table)} where ${identifier(wanted.key)} = any(${keyArray(wanted.keyType, keys)})`,
  );
  const byKey = new Map(rows.map((row) => [textOf(row, wanted.key), row]));
  return keys.map((key) => byKey.get(key) ?? null);
}

async function readLists<Row>(db: Database, wanted: ChildList<Row>, parents: readonly string[]): Promise<Row[][]> {
  const rows = await db.query<Row>(
    sql`select children.*
          from unnest(${keyArray(wanted.keyType, parents)}) as keys(parent)
         cross join lateral (
           select * from ${identifier(wanted.table)} where ${identifier(wanted.parent)} = keys.parent
            order by ${identifier(wanted.orderBy)} limit ${wanted.limit}) as children
         order by children.${identifier(wanted.orderBy)}`,
  );
  const byParent = Map.groupBy(rows, (row) => textOf(row, wanted.parent));
  return parents.map((parent) => byParent.get(parent) ?? []);
}

/** What a row holds in a column, as text. */
export function textOf(row: unknown, column: string): string {
  return String((row as Record<string, unknown>)[camelCase(column)]);
}

/** The keys as one array parameter of the column's type, so that its index serves. */
export function keyArray(keyType: KeyType, keys: readonly string[]): Sql {
  return keyType === 'uuid' ? sql`${keys}::uuid[]` : sql`${keys}::text[]`;
}

/** The keys without repeats and without those that cannot name a row of the type (no statement need see them). */
export function usableKeys(keyType: KeyType, keys: readonly string[]): string[] {
  const usable = keys.filter(keyType === 'uuid' ? isUuid : isStorable);
  return [...new Set(usable.map((key) => canonicalKey(keyType, key)))];
}

/** A key as PostgreSQL writes it back. */
export function canonicalKey(keyType: KeyType, key: string): string {
  return keyType === 'uuid' ? key.toLowerCase() : key;
}

/** The row that a foreign key promises. Throws when it is not there, which is a bug and no answer. */
export async function existing<Row>(row: Promise<Row | null>, type: string, id: string): Promise<Row> {
  const found = await row;
  if (found === null) throw new Error(`${type} "${id}" is referred to but is not there`);
  return found;
}
