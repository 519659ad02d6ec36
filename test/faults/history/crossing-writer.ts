/**
 * Two transactions that cross: the one that began first commits last and writes last to the row that both write. What
 * trips a feed that goes by numbers, for certain and not by luck.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type pg from 'pg';
import { SqlTransaction } from './sql-transaction.ts';
import { connect, type SqlWriterOptions } from './sql-writer.ts';

export type CrossingWriterOptions = Omit<SqlWriterOptions, 'hotKeys' | 'bulk'>;

/** Long enough for anyone who polls to look between the two commits. */
const OPEN_MS = 150;

export async function runCrossingWriter(options: CrossingWriterOptions): Promise<void> {
  while (!options.signal.aborted) {
    await cross(options).catch(() => undefined); // a broken connection: both were rolled back by it
    await sleep(options.random.below(10 * options.pauseMs));
  }
}

async function cross({ url, table, name, record }: CrossingWriterOptions): Promise<void> {
  const { client: first } = await connect(url);
  const { client: second } = await connect(url);
  const open = new Set<SqlTransaction>();
  const begin = async (client: pg.Client) => {
    const transaction = await SqlTransaction.begin(client, table, name);
    open.add(transaction);
    return transaction;
  };
  const commit = async (transaction: SqlTransaction) => {
    open.delete(transaction);
    for (const told of await transaction.commit()) record(told);
  };
  try {
    const long = await begin(first);
    await long.put([`${name}-first`]);
    const short = await begin(second);
    await short.put([`${name}-both`]);
    await commit(short);
    await sleep(OPEN_MS);
    await long.put([`${name}-both`]);
    await commit(long);
  } finally {
    for (const transaction of open) for (const told of await transaction.rollback()) record(told);
    await Promise.allSettled([first.end(), second.end()]);
  }
}
