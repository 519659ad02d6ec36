/** What became of the transactions whose commit was not answered. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Transaction } from './history.ts';

const PAUSE_MS = 100;

/** The same transactions with every outcome known, as PostgreSQL tells it. */
export async function findOutcomes(url: string, transactions: readonly Transaction[]): Promise<Transaction[]> {
  const client = new pg.Client({ connectionString: url, options: '-c search_path=trading' });
  await client.connect();
  try {
    const known: Transaction[] = [];
    for (const transaction of transactions) {
      const isUnknown = transaction.outcome === 'unknown';
      known.push(isUnknown ? { ...transaction, outcome: await outcomeOf(client, transaction) } : transaction);
    }
    return known;
  } finally {
    await client.end();
  }
}

/** The table in which each transaction leaves its mark, which stands if it is committed. */
export const MARKS = 'create table history_marks (mark text primary key)';

/** A number that PostgreSQL has not given yet has no status. */
const STATUS = `
  select case when $1::xid8 < pg_snapshot_xmax(pg_current_snapshot()) then pg_xact_status($1::xid8) end as status`;

/**
 * Once nobody is at it, the mark tells. The number alone does not: what PostgreSQL had not written down when it crashed
 * never happened, and its number is given to another transaction.
 */
async function outcomeOf(client: pg.Client, { xid, mark }: Transaction): Promise<'committed' | 'rolled back'> {
  for (;;) {
    const { rows } = await client.query<{ status: string | null }>(STATUS, [xid]);
    if (rows[0]?.status !== 'in progress') break;
    await sleep(PAUSE_MS); // its server process has not noticed yet that nobody is there
  }
  const { rowCount } = await client.query('select from history_marks where mark = $1', [mark]);
  return rowCount === 1 ? 'committed' : 'rolled back';
}
