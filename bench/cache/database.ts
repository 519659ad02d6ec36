/** A database of the same rows for each of those that are compared, so that none pays for another's feed; and Redis. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type Domain, schemaOf } from '../../platform/domains.ts';
import { createLogger } from '../../platform/log.ts';
import { startEmbeddedPostgres } from '../../platform/postgres/embedded.ts';
import { migrate } from '../../prisma/migrator.ts';
import { domainUrl } from '../../prisma/roles.ts';
import { withDatabase } from '../../test/support/databases.ts';
import { startRedis } from '../../test/support/redis.ts';
import { ACCOUNTS, INSTRUMENTS } from './portfolio.ts';

/** No cache; what the process keeps; what Redis keeps for a process that keeps nothing; by hand. */
export const CONTENDERS = ['uncached', 'process', 'redis', 'plain'] as const;
export type Contender = (typeof CONTENDERS)[number];

export interface BenchDatabase {
  /** The administrator's, of one of them. */
  urlOf(contender: Contender): string;
  redisUrl: string;
  /** A connection as the domain's own role, in its schema. */
  connect(contender: Contender, domain: Domain): Promise<pg.Client>;
  /** Once, however often it is asked to. */
  stop(): Promise<void>;
}

const MARKET = `
  insert into assets (code) select 'A' || n from generate_series(0, ${INSTRUMENTS - 1}) as n union all select 'USD';
  insert into symbols (symbol, base_currency, quote_currency)
    select 'A' || n || '-USD', 'A' || n, 'USD' from generate_series(0, ${INSTRUMENTS - 1}) as n;
  insert into tickers (symbol, source, timestamp, last_price, bid, ask, quoted_at)
    select symbol, 'bench', '2026-01-01Z', 100, 99, 101, '2026-01-01Z' from symbols;
  analyze;`;

const NUMBERED = `
  create view bench_accounts as
    select n, ('00000000-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid as account
      from generate_series(0, ${ACCOUNTS - 1}) as n;`;

const HOLDERS = `${NUMBERED}
  insert into accounts (account_id, user_id, account_type) select account, 'client-' || n, 'SPOT' from bench_accounts;
  insert into balances (account_id, symbol, available_balance)
    select account, asset, 1000 from bench_accounts cross join unnest(array['A0', 'A1', 'USD']) as asset;
  analyze;`;

const POSITIONS = `${NUMBERED}
  insert into strategies (strategy_id, name, strategy_type, account_id, instruments)
    select 'bench-' || n, 'Strategy ' || n, 'custom', account, array['A0-USD'] from bench_accounts;
  insert into positions (position_id, strategy_id, account_id, instrument_id, quantity, average_entry_price,
                         current_price, marked_at, opened_at)
    select 'bench-' || a.n || '-' || i, 'bench-' || a.n, account, 'A' || i || '-USD', 1, 10, 12, now(),
           now() + i * interval '1 ms'
      from bench_accounts as a cross join generate_series(0, ${INSTRUMENTS - 1}) as i;
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
    connect: (contender, domain) => connectTo(database.urlOf(contender), domain),
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
  const scripts = { 'market-data': MARKET, exchange: HOLDERS, trading: POSITIONS } as const;
  for (const [domain, script] of Object.entries(scripts)) {
    const client = await connectTo(url, domain as keyof typeof scripts);
    await client.query(script);
    await client.end();
  }
}

async function connectTo(url: string, domain: Domain): Promise<pg.Client> {
  const options = `-c search_path=${schemaOf(domain)}`;
  const client = new pg.Client({ connectionString: domainUrl(url, domain), options });
  client.on('error', () => undefined); // the statement under way, or the next one, says so
  await client.connect();
  return client;
}
