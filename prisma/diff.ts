/**
 * `npm run migrate:diff -- <domain> <name>`: writes a new migration of what prisma/<domain>/schema.prisma has and the
 * domain's migrations, applied to a database of their own that is dropped again, do not. Read it before you commit it.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import pg from 'pg';
import { readConfig } from '../platform/config.ts';
import { DOMAINS, type Domain, environmentPrefix, schemaOf } from '../platform/domains.ts';
import { createLogger } from '../platform/log.ts';
import { runMain } from '../platform/process.ts';
import { differenceOf } from './difference.ts';
import { PRISMA_FOLDER } from './migrations.ts';
import { migrate } from './migrator.ts';
import { startServer } from './open.ts';
import { domainUrl } from './roles.ts';

await runMain(async (process) => {
  const [domain, name] = readArguments(process.argv);
  const config = readConfig();
  const log = createLogger({ level: config.logLevel, service: 'migrate:diff' });
  const { url } = await startServer(config, log, process);
  const script = await inThrowawayDatabase(url, async (database) => {
    const adminUrl = withDatabase(url, database);
    const environment = ownUrlMoved(domain, config.environment, database);
    await migrate({ adminUrl, log, domains: [domain], environment });
    return differenceOf(domain, { url: domainUrl(adminUrl, domain, environment), schema: schemaOf(domain) });
  });
  if (script === '') process.print(`The migrations of ${domain} say what its schema.prisma says.`);
  else process.print(`Written: ${await writeMigration(domain, name, script)}`);
  await process.stop();
});

function readArguments([domain = '', ...words]: string[]): [Domain, string] {
  const known = DOMAINS.find((one) => one === domain);
  const name = words
    .join('_')
    .replaceAll(/[^a-z0-9]+/gi, '_')
    .toLowerCase();
  if (known && name) return [known, name];
  throw new Error(`Usage: npm run migrate:diff -- <${DOMAINS.join('|')}> <name of the migration>`);
}

/** A domain's own URL, where one is set, leads to the throwaway database too: its role and password stay as they are. */
function ownUrlMoved(domain: Domain, environment: NodeJS.ProcessEnv, database: string): NodeJS.ProcessEnv {
  const name = `${environmentPrefix(domain)}_DATABASE_URL`;
  const own = environment[name];
  return own ? { [name]: withDatabase(own, database) } : {};
}

function withDatabase(url: string, database: string): string {
  const changed = new URL(url);
  changed.pathname = `/${database}`;
  return changed.href;
}

async function inThrowawayDatabase<Result>(url: string, work: (database: string) => Promise<Result>): Promise<Result> {
  const database = `migrate_diff_${randomBytes(6).toString('hex')}`;
  const admin = new pg.Client({ connectionString: url });
  await admin.connect();
  try {
    await admin.query(`create database ${database}`);
    try {
      return await work(database);
    } finally {
      await admin.query(`drop database ${database} with (force)`);
    }
  } finally {
    await admin.end();
  }
}

async function writeMigration(domain: Domain, name: string, script: string): Promise<string> {
  const time = new Date().toISOString().replaceAll(/\D/g, '').slice(0, 'yyyymmddhhmmss'.length);
  const folder = join(PRISMA_FOLDER, domain, 'migrations', `${time}_${name}`);
  await mkdir(folder, { recursive: true });
  const file = join(folder, 'migration.sql');
  await writeFile(file, script);
  return relative('.', file);
}
