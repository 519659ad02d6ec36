/**
 * Restores a domain from a backup: what is there is replaced, in one transaction, or nothing is. The domain's processes
 * may go on running: they wait meanwhile, and then begin a new history, so that every subscriber gets RESYNC and nothing
 * that was cached before is served.
 */
import pg from 'pg';
import { isRetryable } from '../../platform/database/database-error.ts';
import type { Domain } from '../../platform/domains.ts';
import { type Schema, type TextRow, textClient } from '../../platform/transfer/snapshot.ts';
import { type Header, isHeader, isSequence, isTableStart, readLines, type TableStart } from './file.ts';
import { type Ask, readApplied, readTables, type Table } from './tables.ts';

export interface RestoreSummary {
  /** When the backup was taken. */
  takenAt: string;
  rows: number;
}

/** Rows in one statement. */
const BATCH_ROWS = 1_000;

/** Commands under way may hold what this waits for, and wait for what it holds. */
const ATTEMPTS = 5;

/**
 * Restores from the file, which is read to its end first.
 * @throws Error saying why nothing was restored: it is damaged, of another domain, or of other migrations
 */
export async function restore(domain: Domain, schema: Schema, path: string): Promise<RestoreSummary> {
  const header = await check(domain, path);
  for (let attempt = 1; ; attempt++) {
    const client = textClient(schema, '-c statement_timeout=0 -c idle_in_transaction_session_timeout=0');
    try {
      await client.connect();
      return { takenAt: header.takenAt, rows: await replaceAll(client, header, path) };
    } catch (error) {
      if (attempt === ATTEMPTS || !isRetryable(error)) throw error;
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}

async function check(domain: Domain, path: string): Promise<Header> {
  let header: Header | undefined;
  for await (const line of readLines(path)) if (isHeader(line)) header = line;
  if (!header) throw new Error(`${path} is no backup.`);
  if (header.domain !== domain) throw new Error(`${path} is a backup of ${header.domain}, not of ${domain}.`);
  return header;
}

async function replaceAll(client: pg.Client, header: Header, path: string): Promise<number> {
  const ask: Ask = async (text, values = []) =>
    (await client.query<TextRow>({ text, values: [...values], rowMode: 'array' })).rows;
  checkMigrations(header, await readApplied(ask));
  await client.query('begin');
  await endHistory(client);
  const tables = await readTables(ask);
  const names = tables.map(({ name }) => pg.escapeIdentifier(name)).join(', ');
  const rights = await liftRights(ask);
  await client.query(`lock table ${names} in access exclusive mode`);
  const guards = [...(await liftGuards(ask)), ...rights];
  await client.query(`truncate ${names}`);
  const rows = await load(client, tables, path);
  for (const statement of guards) await client.query(statement);
  await client.query('commit');
  await client.query('analyze');
  return rows;
}

function checkMigrations({ migrations }: Header, applied: readonly string[]): void {
  if (migrations.join() === applied.join()) return;
  const ahead = applied.filter((name) => !migrations.includes(name));
  const behind = migrations.filter((name) => !applied.includes(name));
  throw new Error(
    `The backup was taken with other tables than these: ${[
      ...ahead.map((name) => `${name} came later`),
      ...behind.map((name) => `${name} is not known here`),
    ].join(
      ', ',
    )}. Restore it into an empty database with the version that took it, then run npm run migrate with this one.`,
  );
}

/**
 * Makes the next leader of the change feed begin an epoch, and puts the present one out. It comes back at once, waits for
 * the row, and so begins its reign the moment this is committed.
 */
async function endHistory(client: pg.Client): Promise<void> {
  await client.query(`update feed_state set epoch = '', identity = '', tick = tick + 1000, leader = null`);
  await client.query(
    `select pg_terminate_backend(pid, 5000) from pg_locks
      where locktype = 'advisory' and granted and objsubid = 2 and classid = hashtext('change feed')::oid
        and objid = hashtext(current_schema())::oid
        and database = (select oid from pg_database where datname = current_database())`,
  );
}

/** Gives the owner what it has given up on append-only tables. Gives the statements that take it back. */
async function liftRights(ask: Ask): Promise<string[]> {
  const barred = await ask(
    `select oid::regclass::text from pg_class
      where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p')
        and not has_table_privilege(oid, 'truncate') order by 1`,
  );
  for (const [table] of barred) await ask(`grant truncate on ${table} to current_user`);
  return barred.map(([table]) => `revoke truncate on ${table} from current_user`);
}

/**
 * Puts triggers and foreign keys aside: rows come in any order, and as they were. Gives the statements that put them back;
 * a foreign key is checked then.
 */
async function liftGuards(ask: Ask): Promise<string[]> {
  const triggers = await ask(
    `select tgrelid::regclass::text, quote_ident(tgname), tgenabled from pg_trigger join pg_class on pg_class.oid = tgrelid
      where relnamespace = current_schema()::regnamespace and not tgisinternal and tgenabled <> 'D' and tgparentid = 0`,
  );
  const keys = await ask(
    `select conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) from pg_constraint
      where connamespace = current_schema()::regnamespace and contype = 'f' and conparentid = 0`,
  );
  const restoring: string[] = [];
  for (const [table, trigger, state] of triggers) {
    await ask(`alter table ${table} disable trigger ${trigger}`);
    restoring.push(`alter table ${table} enable ${ENABLED[String(state)]} trigger ${trigger}`);
  }
  for (const [table, key, definition] of keys) {
    await ask(`alter table ${table} drop constraint ${key}`);
    restoring.push(`alter table ${table} add constraint ${key} ${definition}`);
  }
  return restoring;
}

/** How a trigger fires, by the letter of pg_trigger.tgenabled. */
const ENABLED: Record<string, string> = { O: '', A: 'always', R: 'replica' };

async function load(client: pg.Client, tables: readonly Table[], path: string): Promise<number> {
  let insert: ((rows: readonly TextRow[]) => Promise<unknown>) | undefined;
  let batch: TextRow[] = [];
  let rows = 0;
  const flush = async () => {
    rows += batch.length;
    if (batch.length > 0) await insert?.(batch);
    batch = [];
  };
  for await (const line of readLines(path)) {
    if (Array.isArray(line)) {
      batch.push(line);
      if (batch.length === BATCH_ROWS) await flush();
      continue;
    }
    await flush();
    if (isTableStart(line)) insert = await inserter(client, tables, line);
    else if (isSequence(line)) {
      const name = pg.escapeLiteral(pg.escapeIdentifier(line.sequence));
      await client.query(`select setval(${name}, $1::bigint, $2)`, [line.value, line.isCalled]);
    }
  }
  await flush();
  return rows;
}

/** The way to write rows of a table, whose partitions are made where they are missing. */
async function inserter(client: pg.Client, tables: readonly Table[], { table: name, columns, partitions }: TableStart) {
  const table = tables.find((known) => known.name === name);
  if (!table) throw new Error(`The backup has a table ${name} that is not there.`);
  const known = new Set(table.partitions.map((partition) => partition.name));
  const target = pg.escapeIdentifier(name);
  for (const { name: partition, bound } of partitions.filter((one) => !known.has(one.name))) {
    await client.query(`create table ${pg.escapeIdentifier(partition)} partition of ${target} ${bound}`);
  }
  const types = new Map(table.columns.map((column) => [column.name, column.type]));
  const list = columns.map(pg.escapeIdentifier).join(', ');
  const values = columns.map((column, i) => `c${i}::${types.get(column)}`).join(', ');
  const parameters = columns.map((_, i) => `$${i + 1}::text[]`).join(', ');
  const aliases = columns.map((_, i) => `c${i}`).join(', ');
  const text = `insert into ${target} (${list}) overriding system value
    select ${values} from unnest(${parameters}) as given(${aliases})`;
  return (rows: readonly TextRow[]) =>
    client.query(
      text,
      columns.map((_, i) => rows.map((row) => row[i])),
    );
}
