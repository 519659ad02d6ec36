/**
 * Declarations of what can be loaded by key, and the loaders of one request that do it: many keys, one statement.
 * A subgraph declares an entity or a child list in a few lines; nobody writes a batch function by hand.
 */
import DataLoader from 'dataloader';
import type { Database } from './database/database.ts';
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

export interface Loaders {
  load<Row>(entity: Entity<Row>, key: string): Promise<Row | null>;
  list<Row>(list: ChildList<Row>, parent: string): Promise<Row[]>;
  /** The loader of that name in this request, made by `create` at first use. */
  named<Key, Value>(
    name: string,
    create: () => (keys: readonly Key[]) => Promise<Value[]>,
  ): DataLoader<Key, Value, string>;
}

/** Fresh loaders for one request; they remember what it read, so a long-lived one would go stale. */
export function createLoaders(db: Database): Loaders {
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

  return {
    named,
    load: <Row>(wanted: Entity<Row>, key: string) =>
      named<string, Row | null>(`entity:${wanted.name}`, () => (keys) => readEntities(db, wanted, keys)).load(key),
    list: <Row>(wanted: ChildList<Row>, parent: string) =>
      named<string, Row[]>(`list:${wanted.name}`, () => (parents) => readLists(db, wanted, parents)).load(parent),
  };
}

async function readEntities<Row>(db: Database, wanted: Entity<Row>, keys: readonly string[]): Promise<(Row | null)[]> {
  const usable = usableKeys(wanted.keyType, keys);
  if (usable.length === 0) return keys.map(() => null);
  const key = identifier(wanted.key);
  const rows = await db.query<Row & { loaderKey: string }>(
    sql`select ${key}::text as loader_key, * from ${identifier(wanted.table)} where ${key} = any(${keyArray(wanted.keyType, usable)})`,
  );
  const byKey = new Map(rows.map((row) => [row.loaderKey, row]));
  return keys.map((wantedKey) => byKey.get(canonicalKey(wanted.keyType, wantedKey)) ?? null);
}

async function readLists<Row>(db: Database, wanted: ChildList<Row>, parents: readonly string[]): Promise<Row[][]> {
  const usable = usableKeys(wanted.keyType, parents);
  if (usable.length === 0) return parents.map(() => []);
  const rows = await db.query<Row & { loaderKey: string }>(
    sql`select keys.parent::text as loader_key, children.*
          from unnest(${keyArray(wanted.keyType, usable)}) as keys(parent)
         cross join lateral (
           select * from ${identifier(wanted.table)} where ${identifier(wanted.parent)} = keys.parent
            order by ${identifier(wanted.orderBy)} limit ${wanted.limit}) as children
         order by children.${identifier(wanted.orderBy)}`,
  );
  const byParent = Map.groupBy(rows, (row) => row.loaderKey);
  return parents.map((parent) => byParent.get(canonicalKey(wanted.keyType, parent)) ?? []);
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
