/**
 * Brings each domain's schema up to date: its role, its schema, and the migrations of prisma/<domain>/migrations,
 * applied as that role by Prisma's engine (the WebAssembly build: the native one is a download).
 */
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { MigrationList } from '@prisma/schema-engine-wasm';
import pg from 'pg';
import { DOMAINS, type Domain, schemaOf } from '../platform/domains.ts';
import type { Logger } from '../platform/log.ts';
import { withEngine } from './engine.ts';
import { domainUrl, roleOf } from './roles.ts';

export interface MigrateOptions {
  /** URL of a role that may create roles and schemas in the database. */
  adminUrl: string;
  log: Logger;
  /** @default every domain of the graph */
  domains?: readonly Domain[];
  /** Where `<DOMAIN>_DATABASE_URL` is looked up. */
  environment?: NodeJS.ProcessEnv;
}

/** Lets two processes that start at once migrate one after the other; any number that nobody else takes. */
const ADVISORY_LOCK = 7_348_215_406;

/** Safe to run again and by several processes at once. Throws naming the domain and what PostgreSQL said. */
export async function migrate({
  adminUrl,
  log,
  domains = DOMAINS,
  environment = process.env,
}: MigrateOptions): Promise<void> {
  const admin = new pg.Client({ connectionString: adminUrl });
  await admin.connect();
  try {
    await admin.query('select pg_advisory_lock($1)', [ADVISORY_LOCK]);
    await closeToPublic(admin);
    for (const domain of domains) {
      const url = domainUrl(adminUrl, domain, environment);
      await prepareRole(admin, domain, url);
      const applied = await applyMigrations(domain, url);
      if (applied.length > 0) log.info({ domain, applied }, 'migrated');
    }
  } finally {
    await admin.end();
  }
}

/** Takes from everybody what PostgreSQL gives to everybody. */
async function closeToPublic(admin: pg.Client): Promise<void> {
  const { rows } = await admin.query<{ name: string }>('select current_database() as name');
  const database = pg.escapeIdentifier(rows[0]?.name ?? '');
  await admin.query(`revoke all on database ${database} from public`);
  await admin.query('revoke all on schema public from public');
}

/** The role with the password of its URL, the right to connect, and its schema. */
async function prepareRole(admin: pg.Client, domain: Domain, url: string): Promise<void> {
  const schema = pg.escapeIdentifier(schemaOf(domain));
  const role = pg.escapeIdentifier(roleOf(domain));
  const password = pg.escapeLiteral(decodeURIComponent(new URL(url).password));
  const { rowCount } = await admin.query('select from pg_roles where rolname = $1', [roleOf(domain)]);
  if (rowCount === 0) await admin.query(`create role ${role} login nosuperuser nocreatedb nocreaterole noreplication`);
  await admin.query(`alter role ${role} password ${password}`);
  const { rows } = await admin.query<{ name: string; member: boolean }>(
    `select current_database() as name,
            pg_has_role(current_user, $1, case when current_setting('server_version_num')::int < 160000 then 'member' else 'set' end) as member`,
    [roleOf(domain)],
  );
  const database = pg.escapeIdentifier(rows[0]?.name ?? '');
  if (!rows[0]?.member) await admin.query(`grant ${role} to current_user`);
  await admin.query(`grant connect on database ${database} to ${role}`);
  await admin.query(`create schema if not exists ${schema} authorization ${role}`);
  await admin.query(`alter role ${role} in database ${database} set search_path = ${schema}`);
}

async function applyMigrations(domain: Domain, url: string): Promise<string[]> {
  const migrationsList = await readMigrations(domain);
  const connection = { url, schema: schemaOf(domain) };
  await clearInterrupted(connection);
  try {
    const applied = await withEngine(connection, (engine) =>
      engine.applyMigrations({ migrationsList, filters: { externalTables: [], externalEnums: [] } }),
    );
    return applied.appliedMigrationNames;
  } catch (error) {
    await clearInterrupted(connection);
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`The ${domain} schema could not be migrated, and is as it was: ${reason}`, { cause: error });
  }
}

/**
 * A migration is one transaction, so one that was begun and not finished has left nothing: its record is taken back,
 * or Prisma would refuse every later run.
 */
async function clearInterrupted({ url, schema }: { url: string; schema: string }): Promise<void> {
  const client = new pg.Client({ connectionString: url, options: `-c search_path=${schema}` });
  await client.connect();
  try {
    const { rows } = await client.query<{ known: boolean }>(
      `select to_regclass('_prisma_migrations') is not null as known`,
    );
    if (rows[0]?.known) {
      await client.query('delete from _prisma_migrations where finished_at is null and rolled_back_at is null');
    }
  } finally {
    await client.end();
  }
}

/** The domain's migrations as the engine takes them, oldest first. */
export async function readMigrations(domain: Domain): Promise<MigrationList> {
  const baseDir = fileURLToPath(new URL(`./${domain}/migrations`, import.meta.url));
  const entries = await readdir(baseDir, { withFileTypes: true });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const migrationDirectories = await Promise.all(
    names.sort().map(async (path) => ({
      path,
      migrationFile: {
        path: 'migration.sql',
        content: { tag: 'ok' as const, value: await readFile(`${baseDir}/${path}/migration.sql`, 'utf8') },
      },
    })),
  );
  const lockfile = { path: 'migration_lock.toml', content: await readFile(`${baseDir}/migration_lock.toml`, 'utf8') };
  return { baseDir, lockfile, shadowDbInitScript: '', migrationDirectories };
}
