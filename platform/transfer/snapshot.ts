/**
 * A domain's tables as they are at one instant, read in parts. On a connection of its own: a transaction that lives as
 * long as somebody reads must not take one that commands need.
 */
import pg from 'pg';

/** A row with each of its columns as PostgreSQL writes it. */
export type TextRow = (string | null)[];

export interface SnapshotReader {
  /** The rows of a statement, at most `batchRows` at a time. */
  rows(text: string, values?: readonly unknown[], batchRows?: number): AsyncGenerator<TextRow[]>;
  /** The rows of a small result. */
  all(text: string, values?: readonly unknown[]): Promise<TextRow[]>;
  close(): Promise<void>;
}

export interface Schema {
  /** URL of the domain's own role. */
  url: string;
  /** Schema in which unqualified names are found. */
  schema: string;
}

const BATCH_ROWS = 2_000;
const STATEMENT_TIMEOUT_MS = 60_000; // a minute: the first part of a large table may have to be sorted

/** PostgreSQL's own text of every value. */
const asText = { getTypeParser: () => (text: string) => text } as unknown as pg.CustomTypesConfig;

/** A connection whose values are text, with instants in UTC. */
export function textClient({ url, schema }: Schema, options = ''): pg.Client {
  const client = new pg.Client({
    connectionString: url,
    options: `-c TimeZone=UTC -c DateStyle=ISO -c extra_float_digits=3 -c search_path=${schema} ${options}`,
    connectionTimeoutMillis: 10_000,
    keepAlive: true,
    types: asText,
    application_name: 'trading-data-graph transfer',
  });
  client.on('error', () => undefined); // the statement under way, or the next one, says so
  return client;
}

/** Opens the snapshot: what is committed later is not in it. */
export async function openSnapshot(schema: Schema): Promise<SnapshotReader> {
  const client = textClient(schema, `-c statement_timeout=${STATEMENT_TIMEOUT_MS}`);
  const all = async (text: string, values: readonly unknown[] = []) => {
    const { rows } = await client.query<TextRow>({ text, values: [...values], rowMode: 'array' });
    return rows;
  };
  try {
    await client.connect();
    await client.query('begin isolation level repeatable read read only');
    await client.query('select'); // the snapshot is taken now
  } catch (error) {
    await client.end().catch(() => undefined);
    throw error;
  }
  return {
    all,
    async *rows(text, values = [], batchRows = BATCH_ROWS) {
      await client.query({ text: `declare rows no scroll cursor for ${text}`, values: [...values] });
      for (;;) {
        const rows = await all(`fetch ${batchRows} from rows`);
        if (rows.length > 0) yield rows;
        if (rows.length < batchRows) break;
      }
      await client.query('close rows');
    },
    close: () => client.end().catch(() => undefined),
  };
}
