/** One real PostgreSQL for the whole test run, in a folder of its own that is removed afterwards. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { TestProject } from 'vitest/node';
import { createLogger } from '../../platform/log.ts';
import { startEmbeddedPostgres } from '../../platform/postgres/embedded.ts';
import { prepareTemplate } from './databases.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Administrator's URL of the run's server. */
    adminUrl: string;
    /** Folder of a server that is not running and has the template: for tests that need one of their own. */
    preparedCluster: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'trading-data-graph-test-'));
  const [dataDir, preparedCluster] = [join(folder, 'run'), join(folder, 'prepared')];
  const log = createLogger({ level: process.env.LOG_LEVEL ?? 'warn', service: 'test' });
  const start = () => startEmbeddedPostgres({ dataDir, port: 0, log, durable: false });
  let server = await start();
  const teardown = async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true, maxRetries: 10 });
  };
  try {
    await prepareTemplate(server.url, log);
    await server.stop();
    await promisify(execFile)('cp', ['-a', dataDir, preparedCluster]); // owners and rights too
    server = await start();
  } catch (error) {
    await teardown();
    throw error;
  }
  project.provide('adminUrl', server.url);
  project.provide('preparedCluster', preparedCluster);
  return teardown;
}
