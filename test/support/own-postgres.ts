/** A PostgreSQL of a test's own, which it may kill, pause and stop. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inject } from 'vitest';
import { createLogger } from '../../platform/log.ts';
import { startEmbeddedPostgres } from '../../platform/postgres/embedded.ts';
import { TEMPLATE, withDatabase } from './databases.ts';

export interface OwnPostgres {
  /** Administrator's URL of a migrated, empty database. */
  databaseUrl: string;
  port: number;
  /** The process that starts all others of the server. */
  pid(): Promise<number>;
  stop(): Promise<void>;
  /** Stops it and removes its folder. */
  close(): Promise<void>;
}

/** Starts a durable server on a copy of the cluster that the run has prepared: to make and migrate one takes seconds. */
export async function startOwnPostgres(): Promise<OwnPostgres> {
  const folder = await mkdtemp(join(tmpdir(), 'trading-data-graph-own-'));
  await promisify(execFile)('cp', ['-a', `${inject('preparedCluster')}/.`, folder]); // owners and rights too
  const log = createLogger({ level: process.env.LOG_LEVEL ?? 'fatal', service: 'test' });
  const { url, port, stop } = await startEmbeddedPostgres({ dataDir: folder, port: 0, log });
  return {
    databaseUrl: withDatabase(url, TEMPLATE),
    port,
    pid: async () => Number((await readFile(join(folder, 'data', 'postmaster.pid'), 'utf8')).split('\n')[0]),
    stop,
    async close() {
      await stop();
      await rm(folder, { recursive: true, force: true, maxRetries: 10 });
    },
  };
}
