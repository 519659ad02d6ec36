import { resolve } from 'node:path';
import type { Config } from '../platform/config.ts';
import type { Logger } from '../platform/log.ts';
import { startEmbeddedPostgres } from '../platform/postgres/embedded.ts';
import type { Process } from '../platform/process.ts';
import { migrate } from './migrator.ts';

/** PostgreSQL as the settings say, migrated: the one of DATABASE_URL, else an embedded one that ends with the process. */
export async function openPostgres(config: Config, log: Logger, process: Process): Promise<{ url: string }> {
  const server = config.databaseUrl
    ? { url: config.databaseUrl }
    : await startEmbeddedPostgres({ dataDir: resolve(config.dataDir, 'postgres'), port: config.postgresPort, log });
  if ('stop' in server) process.onStop(() => server.stop());
  await migrate({ adminUrl: server.url, log, environment: config.environment });
  return { url: server.url };
}
