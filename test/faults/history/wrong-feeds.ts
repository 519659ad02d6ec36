/**
 * Two feeds that look right and are wrong, over the same change log as the real one: what the checker must catch, or it
 * catches nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import type { Received, Subscriber } from './history.ts';
import { type Item, STRATEGY, writeOf } from './tables.ts';

export interface WrongFeed {
  name: string;
  /** What follows the last place; a place is a transaction and a sequence number. */
  query: string;
}

const ORDERS = `relation = 'orders' and row->>'strategyId' = '${STRATEGY}'`;

/** Remembers the highest sequence number: a transaction that commits late has lower ones, and is never seen. */
export const NAIVE_CURSOR: WrongFeed = {
  name: 'sequence cursor',
  query: `
    select xid::text as xid, seq, op, row from change_log
     where ${ORDERS} and seq > $2 and $1::text is not null order by seq`,
};

/** Waits for older transactions and goes by their numbers: a long one that writes last is told first. */
export const TRANSACTION_ORDER: WrongFeed = {
  name: 'transaction order',
  query: `
    select xid::text as xid, seq, op, row from change_log
     where ${ORDERS} and (xid, seq) > ($1::text::xid8, $2) and xid < pg_snapshot_xmin(pg_current_snapshot())
     order by xid, seq`,
};

const POLL_MS = 10;

/** Follows the orders' log until the signal, from an empty table on, and then once more. */
export async function followWrongly(feed: WrongFeed, url: string, signal: AbortSignal): Promise<Subscriber> {
  const startedAt = performance.now();
  const events: Received[] = [{ kind: 'PROGRESS', cursor: '', at: startedAt, write: null }];
  const client = new pg.Client({ connectionString: url, options: '-c search_path=trading' });
  await client.connect();
  let place = { xid: '0', seq: '0' };
  for (let isLast = false; ; isLast = signal.aborted) {
    const { rows } = await client.query<LogRow>(feed.query, [place.xid, place.seq]);
    for (const { op, row } of rows) {
      const write = writeOf(op === 'D' ? 'DELETE' : 'UPSERT', row);
      events.push({ kind: write.op, cursor: '', at: performance.now(), write });
    }
    place = rows.at(-1) ?? place;
    if (isLast) break;
    await sleep(POLL_MS);
  }
  await client.end();
  return {
    name: feed.name,
    topic: 'orders',
    mode: 'lossless',
    concerns: () => true,
    sessions: [{ after: null, startedAt, events }],
    isSettled: true,
  };
}

interface LogRow {
  xid: string;
  seq: string;
  op: 'I' | 'U' | 'D';
  row: Item;
}
