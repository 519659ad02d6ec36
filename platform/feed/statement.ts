/** How the feed asks PostgreSQL: with statements that it has prepared, since the leader asks often. */
import type pg from 'pg';
import { rowTypes } from '../database/rows.ts';

/** Runs a statement: a pool, or one connection. */
export type Queryable = Pick<pg.Pool, 'query'>;

/** The rows of a statement; the name stands for its text. */
export async function ask<Row extends pg.QueryResultRow>(
  db: Queryable,
  name: string,
  text: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const { rows } = await db.query<Row>({ name: `feed:${name}`, text, values, types: rowTypes });
  return rows;
}
