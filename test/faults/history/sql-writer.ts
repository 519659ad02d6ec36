/** Other services, as the graph meets them: they write with plain SQL, in every manner that PostgreSQL allows. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Transaction } from './history.ts';
import type { Random } from './random.ts';
import { SqlTransaction } from './sql-transaction.ts';
import type { Table } from './tables.ts';

export interface SqlWriterOptions {
  name: string;
  /** URL of the domain's own role. */
  url: string;
  table: Table;
  random: Random;
  /** Keys that all writers of the table write; rows that never change get new keys instead. */
  hotKeys: readonly string[];
  /** One of `every` transactions is a bulk statement, with `rows` rows that are the writer's own. */
  bulk: { rows: number; every: number } | null;
  /** Mean time between two transactions. */
  pauseMs: number;
  record: (transaction: Transaction) => void;
  signal: AbortSignal;
}

/** A transaction that waits for a row longer than this is rolled back, as a service with a timeout would. */
const LOCK_TIMEOUT_MS = 700;

const RECONNECT_MS = 200;

/** Writes until the signal. Whatever breaks its connection, it comes back. */
export async function runSqlWriter(options: SqlWriterOptions): Promise<void> {
  const { random, signal, pauseMs } = options;
  let connection: Connection | null = null;
  for (let count = 1; !signal.aborted; count++) {
    const isBulk = options.bulk !== null && count % options.bulk.every === 0;
    try {
      connection ??= await connect(options.url);
      const account = await writeOnce(connection.client, options, isBulk ? 'bulk' : random.weighted(WEIGHTS));
      for (const transaction of account) options.record(transaction);
      if (account.some(({ outcome }) => outcome === 'unknown')) connection.isBroken = true;
    } catch {
      await sleep(RECONNECT_MS);
    }
    if (connection?.isBroken) {
      connection.client.end().catch(() => undefined);
      connection = null;
    }
    await sleep(random.below(2 * pauseMs));
  }
  await connection?.client.end().catch(() => undefined);
}

interface Connection {
  client: pg.Client;
  isBroken: boolean;
}

/** As trading's role, with the timeouts of a service. */
export async function connect(url: string): Promise<Connection> {
  const client = new pg.Client({
    connectionString: url,
    options: `-c search_path=trading -c lock_timeout=${LOCK_TIMEOUT_MS}`,
    connectionTimeoutMillis: 3_000,
  });
  const connection = { client, isBroken: false };
  const onBreak = () => {
    connection.isBroken = true;
  };
  client.on('error', onBreak).on('end', onBreak);
  await client.connect();
  return connection;
}

async function writeOnce(client: pg.Client, options: SqlWriterOptions, manner: Manner): Promise<Transaction[]> {
  const transaction = await SqlTransaction.begin(client, options.table, options.name);
  try {
    await MANNERS[manner](transaction, options);
  } catch {
    return transaction.rollback(); // a deadlock, a lock's timeout, a broken connection: it never happened
  }
  return manner === 'rolledBack' ? transaction.rollback() : transaction.commit();
}

type Manner = 'single' | 'several' | 'savepoint' | 'rolledBack' | 'long' | 'reborn' | 'removed' | 'bulk';

const WEIGHTS: Readonly<Record<Exclude<Manner, 'bulk'>, number>> = {
  single: 30,
  several: 20,
  savepoint: 10,
  rolledBack: 8,
  long: 4,
  reborn: 8,
  removed: 8,
};

const LONG_STEP_MS = 100;

const MANNERS: Readonly<Record<Manner, (transaction: SqlTransaction, options: SqlWriterOptions) => Promise<void>>> = {
  single: (transaction, options) => transaction.put(keysFor(options, 1)),

  several: (transaction, options) => putOneByOne(transaction, options, options.random.between(2, 6)),

  async savepoint(transaction, options) {
    await putOneByOne(transaction, options, 2);
    await transaction.savepoint();
    await putOneByOne(transaction, options, 2);
    await transaction.remove(keysFor(options, 1));
    await transaction.rollbackToSavepoint();
    await putOneByOne(transaction, options, 2);
  },

  rolledBack: (transaction, options) => putOneByOne(transaction, options, 3),

  /** Begins early, writes now and then while others write and commit, and commits late. */
  async long(transaction, options) {
    for (let step = options.random.between(2, 8); step > 0; step--) {
      await transaction.put(keysFor(options, 1));
      await sleep(LONG_STEP_MS);
    }
  },

  async reborn(transaction, options) {
    const keys = keysFor(options, 1);
    await transaction.remove(keys);
    await transaction.insert(keys);
    if (options.random.chance(0.5)) await transaction.put(keys);
  },

  removed: (transaction, options) => transaction.remove(keysFor(options, options.random.between(1, 2))),

  async bulk(transaction, options) {
    const { table, name, bulk, random } = options;
    const count = bulk?.rows ?? 0;
    const keys = table.update ? numbered(`${name}-bulk`, count) : keysFor(options, count);
    if (random.chance(0.2)) await transaction.remove(keys);
    else await transaction.put(keys);
  },
};

function numbered(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${name}-${index}`);
}

async function putOneByOne(transaction: SqlTransaction, options: SqlWriterOptions, count: number): Promise<void> {
  const keys = keysFor(options, count);
  if (options.random.chance(0.9)) keys.sort(); // else it may well meet another one in a deadlock
  for (const key of keys) await transaction.put([key]);
}

let fresh = 0;

function keysFor({ table, random, hotKeys, name }: SqlWriterOptions, count: number): string[] {
  if (table.update) return random.some(hotKeys, count);
  return Array.from({ length: count }, () => `${name}-${++fresh}`);
}
