/**
 * Brings each domain's schema up to date: its role, its schema, and the migrations of prisma/<domain>/migrations,
 * applied as that role by Prisma's engine (the WebAssembly build: the native one is a download).
 */
import pg from 'pg';
import { DOMAINS, type Domain, environmentPrefix, schemaOf } from '../platform/domains.ts';
import { instanceOf } from '../platform/instances.ts';
import type { Logger } from '../platform/log.ts';
import { type Connection, WHOLE_SCHEMA, withEngine } from './engine.ts';
import { type Migration, readMigrations, toMigrationList } from './migrations.ts';
import { asRole, closeToPublic, otherSchemas, provision } from './provision.ts';
import { domainUrl } from './roles.ts';

export interface MigrateOptions {
  /** URL of a role that may create roles and schemas in the database. */
  adminUrl: string;
  log: Logger;
  /** @default every domain of the graph */
  domains?: readonly Domain[];
  /** Where `<DOMAIN>_DATABASE_URL` and `<DOMAIN>_INSTANCE` are looked up. @default process.env */
  environment?: NodeJS.ProcessEnv;
  /** The folder with one folder a domain. @default prisma/ */
  folder?: string;
}

/** Lets two processes that start at once migrate one after the other; any number that nobody else takes. */
const ADVISORY_LOCK = 7_348_215_406;

/** Safe to run again and by several processes at once. Throws naming the domain, the file and what PostgreSQL said. */
export async function migrate(options: MigrateOptions): Promise<void> {
  const { adminUrl, log, domains = DOMAINS, environment = process.env, folder } = options;
  const admin = new pg.Client({ connectionString: adminUrl });
  admin.on('notice', ({ severity, message }) => {
    if (severity === 'WARNING') log.warn({ message }, 'PostgreSQL warned while the database was prepared');
  });
  try {
    await admin.connect();
    await admin.query('select pg_advisory_lock($1)', [ADVISORY_LOCK]);
    await closeToPublic(admin);
    for (const domain of domains) {
      const url = domainUrl(adminUrl, domain, environment);
      const isDerived = !environment[`${environmentPrefix(domain)}_DATABASE_URL`];
      if (isDerived && new URL(adminUrl).password === '') log.warn({ domain }, GUESSABLE);
      const connection = { url, schema: schemaOf(domain, instanceOf(domain, environment)) };
      await provision(admin, connection);
      const others = await otherSchemas(connection);
      if (others.length > 0) log.warn({ domain, schema: connection.schema, others }, SHARED_ROLE);
      const applied = await applyMigrations(domain, connection, await readMigrations(domain, folder), log);
      if (applied.length === 0) continue;
      await refreshCaptures(connection);
      log.info({ domain, applied }, 'migrated');
    }
  } finally {
    await admin.end();
  }
}

const GUESSABLE =
  'DATABASE_URL has no password, so the one derived from it can be guessed: add it, or set the URL of the domain';

const SHARED_ROLE =
  'the role of this schema owns others too, so nothing keeps them apart: give each URL a role of its own';

async function applyMigrations(
  domain: Domain,
  connection: Connection,
  migrations: Migration[],
  log: Logger,
): Promise<string[]> {
  const migrationsList = toMigrationList(migrations);
  await clearInterrupted(connection);
  try {
    return await withEngine(connection, migrations, async (engine) => {
      const { appliedMigrationNames } = await engine.applyMigrations({ migrationsList, filters: WHOLE_SCHEMA });
      const { editedMigrationNames } = await engine.diagnoseMigrationHistory({
        migrationsList,
        optInToShadowDatabase: false,
        filters: WHOLE_SCHEMA,
      });
      if (editedMigrationNames.length > 0) {
        log.warn({ domain, edited: editedMigrationNames }, 'migrations were edited after they had been applied here');
      }
      return appliedMigrationNames;
    });
  } catch (error) {
    await clearInterrupted(connection);
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`The ${domain} schema could not be migrated: ${reason}`, { cause: error });
  }
}

/**
 * A migration and its record are one transaction, so one that was begun and not finished has left nothing: the note of
 * its beginning is taken back, or Prisma would refuse every later run.
 */
async function clearInterrupted(connection: Connection): Promise<void> {
  await asRole(connection, async (client) => {
    const { rows } = await client.query<{ known: boolean }>(
      `select to_regclass('_prisma_migrations') is not null as known`,
    );
    if (!rows[0]?.known) return;
    await client.query('delete from _prisma_migrations where finished_at is null and rolled_back_at is null');
  });
}

/** What the change feed logs of a row follows the columns that its table has now. */
async function refreshCaptures(connection: Connection): Promise<void> {
  await asRole(connection, async (client) => {
    const { rows } = await client.query<{ known: boolean }>(
      `select to_regproc('refresh_captures') is not null as known`,
    );
    if (rows[0]?.known) await client.query('select refresh_captures()');
  });
}
