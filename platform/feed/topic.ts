/** Declarations of what can be followed: a table, and how a client that is slower than the changes is treated. */
import { identifier, type Sql, sql } from '../database/sql.ts';
import { badInput } from '../errors.ts';
import { type KeyType, keyArray } from '../loaders.ts';
import { isStorable } from '../texts.ts';
import { isUuid } from '../uuid.ts';
import type { Image, RowChange } from './change.ts';

export interface Topic<Row> {
  /** Captured table. */
  table: string;
  /** Its key column. */
  key: string;
  /** Columns by which a client may choose, by their camelCase name in rows; the one most often given first. */
  fields: Readonly<Record<string, KeyType>>;
  /**
   * What a client gets that takes changes more slowly than they come. `conflated`: of each row its latest change, in
   * rounds. `lossless`: every change, those that do not fit into its queue read from the log when it gets there.
   */
  mode: 'conflated' | 'lossless';
  /** The rows a snapshot holds, beside the client's choice. @default every row */
  snapshot?: Sql;
  /** Newest first: the snapshot is the first `snapshotRows` of this order, told oldest first. @default all, by key */
  snapshotOrder?: Sql;
  snapshotRows?: number;
  readonly row?: Row;
}

export function topic<Row>(declaration: Omit<Topic<Row>, 'row'>): Topic<Row> {
  return declaration;
}

/** Values by field; a field left out, or null, chooses every row. */
export type Choice = Readonly<Record<string, string | readonly string[] | null | undefined>>;

/** A choice with its values as rows have them. */
export interface Chosen {
  /** The values of each field that chooses. */
  fields: readonly (readonly [field: string, values: ReadonlySet<string>])[];
  /** The same as conditions of SQL. */
  conditions: Sql[];
}

/** Values of one field that a client may give. */
const VALUES_LIMIT = 500;

/**
 * @throws GraphQLError (bad input) when a value cannot be any row's: a subscription that can never fire would be taken
 * for a quiet one
 */
export function choose(topic: Topic<unknown>, choice: Choice): Chosen {
  const fields: [string, ReadonlySet<string>][] = [];
  const conditions: Sql[] = [];
  for (const [field, type] of Object.entries(topic.fields)) {
    const given = choice[field];
    if (given === null || given === undefined) continue;
    const values = (typeof given === 'string' ? [given] : given).map((value) => readValue(field, type, value));
    if (values.length === 0 || values.length > VALUES_LIMIT) {
      throw badInput(`${field} takes 1 to ${VALUES_LIMIT} values, but got ${values.length}.`);
    }
    fields.push([field, new Set(values)]);
    conditions.push(sql`${identifier(snakeCase(field))} = any(${keyArray(type, values)})`);
  }
  return { fields, conditions };
}

/**
 * What a change means to a client that chose some rows: a row that leaves the choice is gone for it, told with its last
 * image there. Null when it concerns only others.
 */
export function whatHappenedTo({ fields }: Chosen, { op, row, was }: RowChange) {
  const fits = (image: Image) => fields.every(([field, values]) => values.has(String(image[field])));
  if (fits(row)) return { kind: op === 'D' ? ('DELETE' as const) : ('UPSERT' as const), row };
  if (was === null) return null;
  const before = { ...row, ...was };
  return fits(before) ? { kind: 'DELETE' as const, row: before } : null;
}

function readValue(field: string, type: KeyType, value: string): string {
  if (type === 'uuid' && !isUuid(value)) throw badInput(`${field} must be a UUID, but got "${value}".`);
  if (!isStorable(value)) throw badInput(`${field} must be valid text without NUL characters.`);
  return type === 'uuid' ? value.toLowerCase() : value;
}

function snakeCase(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
