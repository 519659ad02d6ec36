/** What became of the transactions whose commit was not answered. */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Transaction } from './history.ts';

const PAUSE_MS = 100;

/** The same transactions with every outcome known, as PostgreSQL tells it. */
export async function findOutcomes(url: string, transactions: readonly Transaction[]): Promise<Transaction[]> {
  const client = new pg.Client({ connectionString: url });
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

async function outcomeOf(client: pg.Client, { xid }: Transaction): Promise<'committed' | 'rolled back'> {
  for (;;) {
    const { rows } = await client.query<{ status: string }>('select pg_xact_status($1::xid8) as status', [xid]);
    const status = rows[0]?.status;
    if (status === 'committed') return 'committed';
    if (status === 'aborted') return 'rolled back';
    await sleep(PAUSE_MS); // its server process has not noticed yet that nobody is there
  }
}
