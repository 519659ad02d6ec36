/** What of a domain's schema is backed up: every table with data of its own, and the sequences. */
import type { TextRow } from '../../platform/transfer/snapshot.ts';
import type { Partition } from './file.ts';

export type Ask = (text: string, values?: readonly unknown[]) => Promise<TextRow[]>;

/**
 * The change feed begins anew after a restore, and says itself what it captures; the history of migrations is that of the
 * schema that is restored into.
 */
const NOT_DATA = ['change_log', 'feed_ticks', 'feed_state', 'feed_segment', 'captured_tables', '_prisma_migrations'];

export interface Table {
  name: string;
  /** Those that are stored, not computed. */
  columns: { name: string; type: string }[];
  partitions: Partition[];
}

/** The tables by name; partitions belong to theirs. */
export async function readTables(ask: Ask): Promise<Table[]> {
  const found = await ask(
    `select relname from pg_class
      where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p') and not relispartition
        and relname <> all($1::text[]) order by relname`,
    [NOT_DATA],
  );
  const tables: Table[] = [];
  for (const [name = ''] of found as string[][]) {
    const columns = await ask(
      `select attname, format_type(atttypid, atttypmod) from pg_attribute
        where attrelid = format('%I', $1::text)::regclass and attnum > 0 and not attisdropped and attgenerated = ''
        order by attnum`,
      [name],
    );
    const partitions = await ask(
      `select relname, pg_get_expr(relpartbound, pg_class.oid) from pg_inherits join pg_class on pg_class.oid = inhrelid
        where inhparent = format('%I', $1::text)::regclass order by relname`,
      [name],
    );
    tables.push({
      name,
      columns: columns.map(([column, type]) => ({ name: String(column), type: String(type) })),
      partitions: partitions.map(([partition, bound]) => ({ name: String(partition), bound: String(bound) })),
    });
  }
  return tables;
}

/** Names of the sequences that belong to those tables' columns. */
export async function readSequences(ask: Ask): Promise<string[]> {
  const found = await ask(
    `select sequence.relname from pg_class as sequence
       join pg_depend on objid = sequence.oid and deptype in ('a', 'i') and refclassid = 'pg_class'::regclass
       join pg_class as owner on owner.oid = refobjid
      where sequence.relkind = 'S' and sequence.relnamespace = current_schema()::regnamespace
        and owner.relname <> all($1::text[]) order by 1`,
    [NOT_DATA],
  );
  return found.map(([name]) => String(name));
}

/** Names of the migrations that were applied, oldest first. */
export async function readApplied(ask: Ask): Promise<string[]> {
  const found = await ask(
    'select migration_name from _prisma_migrations where finished_at is not null and rolled_back_at is null order by 1',
  );
  return found.map(([name]) => String(name));
}
