/** Archived rows: where they are and how they are read together with those that are worked with (migration "archive"). */
import { identifier, sql } from '../../../platform/database/sql.ts';
import { type Entity, keyArray, textOf } from '../../../platform/loaders.ts';
import { type ConnectionSource, connectionSource } from '../../../platform/paging.ts';
import { isStorable } from '../../../platform/texts.ts';
import type { Context } from '../context.ts';

/** What every row of an archived table may say of itself. */
export interface Archivable {
  /** Null or left out in a row that is not archived. */
  archivedAt?: string | null;
}

/** The row of that key, archived or not; archived ones asked for in one tick share a statement. */
export async function loadKept<Row extends Archivable>(
  context: Context,
  wanted: Entity<Row>,
  key: string,
): Promise<Row | null> {
  return (await context.load(wanted, key)) ?? loadArchived(context, wanted, key);
}

function loadArchived<Row>(context: Context, wanted: Entity<Row>, key: string): Promise<Row | null> {
  return context.batch(`archived:${wanted.table}`, key, async (keys) => {
    const rows = await context.db.query<Row>(
      sql`select * from ${identifier(`${wanted.table}_archive`)}
           where ${identifier(wanted.key)} = any(${keyArray(wanted.keyType, keys.filter(isStorable))})`,
    );
    const byKey = new Map(rows.map((row) => [textOf(row, wanted.key), row]));
    return keys.map((wantedKey) => byKey.get(wantedKey) ?? null);
  });
}

/**
 * The list with its archived rows. Rows come into an archive only out of their table, in one transaction, so that what
 * the feed tells of the table is told of both.
 */
export function withArchived<Row extends Archivable>(source: ConnectionSource<Row>): ConnectionSource<Row> {
  return connectionSource<Row>({ ...source, table: `all_${source.table}`, capturedAs: source.table });
}
