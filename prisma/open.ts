import { resolve } from 'node:path';
import type { Config } from '../platform/config.ts';
import { type Domain, environmentPrefix, schemaOf } from '../platform/domains.ts';
import type { Logger } from '../platform/log.ts';
import { startEmbeddedPostgres } from '../platform/postgres/embedded.ts';
import type { Process } from '../platform/process.ts';
import type { Schema } from '../platform/transfer/snapshot.ts';
import { migrate } from './migrator.ts';
import { domainUrl } from './roles.ts';

/** PostgreSQL as the settings say, migrated: the one of DATABASE_URL, else an embedded one that ends with the process. */
export async function openPostgres(config: Config, log: Logger, process: Process): Promise<{ url: string }> {
  const { url } = await startServer(config, log, process);
  await migrate({ adminUrl: url, log, environment: config.environment });
  return { url };
}

/**
 * URL of a domain's own role, in that PostgreSQL. Where the settings name it, nothing else is opened: such a process must
 * not know the administrator.
 */
export async function openDomain(domain: Domain, config: Config, log: Logger, process: Process): Promise<string> {
  const own = config.environment[`${environmentPrefix(domain)}_DATABASE_URL`];
  return own ?? domainUrl((await openPostgres(config, log, process)).url, domain, config.environment);
}

/** The domain's migrated schema in that PostgreSQL, reached with its own role. */
export async function schemaIn(domain: Domain, config: Config, log: Logger, process: Process): Promise<Schema> {
  const url = await openDomain(domain, config, log, process);
  return { url, schema: schemaOf(domain, config.instances[domain]) };
}

/** That PostgreSQL as it is, not migrated. */
export async function startServer(config: Config, log: Logger, process: Process): Promise<{ url: string }> {
  if (config.databaseUrl) return { url: config.databaseUrl };
  const dataDir = resolve(config.dataDir, 'postgres');
  const server = await startEmbeddedPostgres({ dataDir, port: config.postgresPort, log });
  process.onStop(() => server.stop());
  return { url: server.url };
}
