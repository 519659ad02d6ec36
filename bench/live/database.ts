/** The benchmark's database: thousands of accounts with a position each, four instruments, and the plain server's tables. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { type Domain, schemaOf } from '../../platform/domains.ts';
import { createLogger } from '../../platform/log.ts';
import { startEmbeddedPostgres } from '../../platform/postgres/embedded.ts';
import { migrate } from '../../prisma/migrator.ts';
import { domainUrl } from '../../prisma/roles.ts';

export interface BenchDatabase {
  /** The administrator's. */
  url: string;
  /** A connection as the domain's own role, in its schema. */
  connect(domain: Domain): Promise<pg.Client>;
  /** Once, however often it is asked to. */
  stop(): Promise<void>;
}

/** Accounts that have a position. */
export const ACCOUNTS = 5_000;

export const SYMBOLS = ['BTC-USD', 'ETH-USD', 'SOL-USD', 'ADA-USD'] as const;

export function accountId(index: number): string {
  return `00000000-0000-4000-9000-${String(index).padStart(12, '0')}`;
}

export function positionId(index: number): string {
  return `bench-${index}`;
}

export async function openDatabase(): Promise<BenchDatabase> {
  const dataDir = await mkdtemp(join(tmpdir(), 'trading-data-graph-bench-'));
  const log = createLogger({ level: 'error', service: 'bench' });
  const server = await startEmbeddedPostgres({ dataDir, port: 0, log });
  let stopped: Promise<void> | undefined;
  const database: BenchDatabase = {
    url: server.url,
    async connect(domain) {
      const options = `-c search_path=${schemaOf(domain)}`;
      const client = new pg.Client({ connectionString: domainUrl(server.url, domain), options });
      client.on('error', () => undefined); // the statement under way, or the next one, says so
      await client.connect();
      return client;
    },
    stop() {
      stopped ??= server.stop().then(() => rm(dataDir, { recursive: true, force: true }));
      return stopped;
    },
  };
  try {
    await migrate({ adminUrl: server.url, log });
    await run(database, 'market-data', MARKET);
    await run(database, 'trading', POSITIONS);
    await run(database, 'market-data', plainCopy('tickers', 'symbol'));
    await run(database, 'trading', plainCopy('positions', 'account_id'));
  } catch (error) {
    await database.stop();
    throw error;
  }
  return database;
}

/** Several statements at once. */
export async function run(database: BenchDatabase, domain: Domain, script: string): Promise<void> {
  const client = await database.connect(domain);
  try {
    await client.query(script);
  } finally {
    await client.end();
  }
}

const MARKET = `
  insert into assets (code) select split_part(symbol, '-', 1) from unnest(array['${SYMBOLS.join("','")}']) as symbol
    union select 'USD';
  insert into symbols (symbol, base_currency, quote_currency)
    select symbol, split_part(symbol, '-', 1), 'USD' from unnest(array['${SYMBOLS.join("','")}']) as symbol;
  insert into tickers (symbol, source, timestamp, last_price) select symbol, 'bench', now(), 100 from symbols;`;

const POSITIONS = `
  create view bench_numbered as
    select n, 'bench-' || n as id, ('00000000-0000-4000-9000-' || lpad(n::text, 12, '0'))::uuid as account,
           (array['${SYMBOLS.join("','")}'])[n % ${SYMBOLS.length} + 1] as symbol
      from generate_series(0, ${ACCOUNTS - 1}) as n;
  insert into strategies (strategy_id, name, strategy_type, account_id, instruments)
    select id, 'Strategy ' || n, 'custom', account, array[symbol] from bench_numbered;
  insert into positions (position_id, strategy_id, account_id, instrument_id, quantity, average_entry_price,
                         current_price, marked_at, opened_at)
    select id, id, account, symbol, 1, 100, 100, now(), now() from bench_numbered;
  analyze;`;

/** What the plain server hears: the topic, a space, the row. */
export const PLAIN_CHANNEL = 'bench_plain';

/** A table of the same shape and rows, whose trigger says each change by NOTIFY. */
export function notified(table: string, copy: string, topicColumn: string): string {
  return `${copyOf(table, copy)}
    create function notify_${copy}() returns trigger language plpgsql as $$
    begin
      perform pg_notify('${PLAIN_CHANNEL}', new.${topicColumn} || ' ' || row_to_json(new)::text);
      return null;
    end $$;
    create trigger notify after insert or update on ${copy} for each row execute function notify_${copy}();`;
}

/** A table of the same shape and rows, whose versions move as those of the other do. */
export function copyOf(table: string, copy: string): string {
  return `create table ${copy} (like ${table} including all);
    create trigger touch before update on ${copy} for each row execute function touch_row();
    do $$ declare
      columns text := (select string_agg(quote_ident(attname), ', ') from pg_attribute
                        where attrelid = '${table}'::regclass and attnum > 0 and attgenerated = '' and not attisdropped);
    begin
      execute format('insert into ${copy} (%1$s) select %1$s from ${table}', columns);
    end $$;`;
}

function plainCopy(table: string, topicColumn: string): string {
  return notified(table, `bench_plain_${table}`, topicColumn);
}
