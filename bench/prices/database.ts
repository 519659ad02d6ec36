/** A database of the same instruments for each of those that are compared, and Redis. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { schemaOf } from '../../platform/domains.ts';
import { createLogger } from '../../platform/log.ts';
import { startEmbeddedPostgres } from '../../platform/postgres/embedded.ts';
import { migrate } from '../../prisma/migrator.ts';
import { domainUrl } from '../../prisma/roles.ts';
import { withDatabase } from '../../test/support/databases.ts';
import { startRedis } from '../../test/support/redis.ts';

/** A transaction a call; a transaction for the calls that wait together; Redis first, by hand. */
export const CONTENDERS = ['alone', 'shared', 'rival'] as const;
export type Contender = (typeof CONTENDERS)[number];

/** Callers share them: several sources speak of one instrument. */
export const INSTRUMENTS = 50;

export const symbolOf = (n: number) => `A${n % INSTRUMENTS}-USD`;

export interface BenchDatabase {
  /** The administrator's, of one of them. */
  urlOf(contender: Contender): string;
  redisUrl: string;
  /** Once, however often it is asked to. */
  stop(): Promise<void>;
}

const MARKET = `
  insert into assets (code) select 'A' || n from generate_series(0, ${INSTRUMENTS - 1}) as n union all select 'USD';
  insert into symbols (symbol, base_currency, quote_currency)
    select 'A' || n || '-USD', 'A' || n, 'USD' from generate_series(0, ${INSTRUMENTS - 1}) as n;
  analyze;`;

export async function openDatabase(): Promise<BenchDatabase> {
  const dataDir = await mkdtemp(join(tmpdir(), 'trading-data-graph-bench-'));
  const log = createLogger({ level: 'error', service: 'bench' });
  const redis = await startRedis();
  const server = await startEmbeddedPostgres({ dataDir, port: 0, log });
  let stopped: Promise<unknown> | undefined;
  const database: BenchDatabase = {
    urlOf: (contender) => withDatabase(server.url, `bench_${contender}`),
    redisUrl: redis.url,
    async stop() {
      stopped ??= Promise.all([server.stop().then(() => rm(dataDir, { recursive: true, force: true })), redis.stop()]);
      await stopped;
    },
  };
  try {
    await fill(server.url);
    const administrator = new pg.Client({ connectionString: withDatabase(server.url, 'template1') });
    await administrator.connect();
    const { pathname } = new URL(server.url);
    for (const contender of CONTENDERS)
      await administrator.query(`create database bench_${contender} template ${pathname.slice(1)}`);
    await administrator.end();
  } catch (error) {
    await database.stop();
    throw error;
  }
  return database;
}

async function fill(url: string): Promise<void> {
  await migrate({ adminUrl: url, log: createLogger({ level: 'error', service: 'bench' }) });
  const options = `-c search_path=${schemaOf('market-data')}`;
  const client = new pg.Client({ connectionString: domainUrl(url, 'market-data'), options });
  await client.connect();
  await client.query(MARKET);
  await client.end();
}
