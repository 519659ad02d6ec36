/** One real PostgreSQL for the whole test run, in a folder of its own that is removed afterwards. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { createLogger } from '../../platform/log.ts';
import { startEmbeddedPostgres } from '../../platform/postgres/embedded.ts';
import { prepareTemplate } from './databases.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Administrator's URL of the run's server. */
    adminUrl: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'trading-data-graph-test-'));
  const log = createLogger({ level: process.env.LOG_LEVEL ?? 'warn', service: 'test' });
  const server = await startEmbeddedPostgres({ dataDir, port: 0, log, durable: false });
  const teardown = async () => {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  };
  try {
    await prepareTemplate(server.url, log);
  } catch (error) {
    await teardown();
    throw error;
  }
  project.provide('adminUrl', server.url);
  return teardown;
}
