import type pg from 'pg';
import type { Logger } from '../log.ts';
import { sizeOf } from './message.ts';
import { rowTypes, toObjects } from './rows.ts';
import type { Sql } from './sql.ts';
import { watchedPool } from './watched-pool.ts';

/** One domain's PostgreSQL, reached with the domain's own role. */
export interface Database {
  /** The rows of a statement, JSON-safe with camelCase keys (see rows.ts). For reads; commands use `command()`. */
  query<Row>(statement: Sql): Promise<Row[]>;
  /** The first row, or null. */
  one<Row>(statement: Sql): Promise<Row | null>;
  /** The pool below, for Prisma's adapter and bulk statements. */
  readonly pool: pg.Pool;
  /** Statements sent since the start, whoever sent them. */
  readonly statements: () => number;
  /** Messages in which they went: each is a way to the database and back. */
  readonly messages: () => number;
  close(): Promise<void>;
}

export interface DatabaseOptions {
  url: string;
  /** Schema in which unqualified names are found. */
  schema: string;
  /** Connections at most. @default 10 */
  poolSize?: number;
  log: Logger;
}

/** How long a caller waits for a free connection before a typed refusal, so that exhaustion is never a hang. */
const CONNECT_TIMEOUT_MS = 10_000; // 10 seconds
const IDLE_TIMEOUT_MS = 60_000; // a minute
/** No statement of the graph may run longer; bulk ingestion stays well below it. */
const STATEMENT_TIMEOUT_MS = 30_000; // 30 seconds

export function openDatabase({ url, schema, poolSize = 10, log }: DatabaseOptions): Database {
  const config = {
    connectionString: url,
    max: poolSize,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    idleTimeoutMillis: IDLE_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    // Prisma would say the isolation of each transaction in a statement of its own.
    options: `-c TimeZone=UTC -c default_transaction_isolation=read\\ committed -c search_path=${schema}`,
    keepAlive: true,
    application_name: 'trading-data-graph',
  };
  const { pool, close } = watchedPool(config, log);
  let isClosing = false;
  pool.on('error', (error) => {
    if (!isClosing) log.warn({ reason: error.message }, 'an idle database connection was lost');
  });

  let [statements, messages] = [0, 0];
  pool.on('connect', (client) => {
    client.on('error', () => undefined); // while it is used, the statement under way says so, or the next one
    const send = client.query.bind(client);
    client.query = ((...args: Parameters<typeof send>) => {
      statements += sizeOf(args[0]);
      messages++;
      return send(...args);
    }) as typeof client.query;
  });

  async function query<Row>(statement: Sql): Promise<Row[]> {
    const result = await pool.query({
      text: statement.text,
      values: statement.values as unknown[],
      rowMode: 'array',
      types: rowTypes,
    });
    return toObjects<Row>(result);
  }

  return {
    query,
    one: async <Row>(statement: Sql) => (await query<Row>(statement))[0] ?? null,
    pool,
    statements: () => statements,
    messages: () => messages,
    close: () => {
      isClosing = true;
      return close();
    },
  };
}
