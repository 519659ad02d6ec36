import { camelCase } from '../database/rows.ts';
import { ask, type Queryable } from './statement.ts';

/** A table that the feed follows; its columns by the names they have in rows. */
export interface CapturedTable {
  /** Column that identifies a row. */
  key: string;
  /** Columns by which readers choose. Of a change, what they held before is known. */
  routes: readonly string[];
  /** Columns that hold instants. */
  instants: readonly string[];
}

export type CapturedTables = ReadonlyMap<string, CapturedTable>;

export async function readCapturedTables(db: Queryable): Promise<CapturedTables> {
  const rows = await ask<{ relation: string; key: string; routes: string[]; instants: string[] }>(
    db,
    'captured_tables',
    'select relation, key, routes, instants from captured_tables',
  );
  return new Map(
    rows.map(({ relation, key, routes, instants }) => [
      relation,
      { key: camelCase(key), routes: routes.map(camelCase), instants },
    ]),
  );
}
