/** What it costs writers that their changes are told: tables of one shape, bare, captured, and with NOTIFY. */
import type pg from 'pg';
import type { Bench } from './bench.ts';
import { ACCOUNTS, copyOf, notified, positionId, run } from './database.ts';
import { median } from './percentiles.ts';
import { heading, report } from './report.ts';

const TABLES = { bare: 'bench_bare', captured: 'bench_captured', notified: 'bench_notified' } as const;

type Kind = keyof typeof TABLES;
const KINDS = Object.keys(TABLES) as Kind[];

const PREPARE = `
  ${copyOf('positions', TABLES.bare)}
  ${copyOf('positions', TABLES.captured)}
  select capture('${TABLES.captured}', 'position_id', '{account_id, strategy_id}');
  ${notified('positions', TABLES.notified, 'account_id')}`;

/** Rounds of each kind in turns, so that what else the machine does meets all; medians are told. */
const ROUNDS = 5;

const CONNECTIONS = 8;

/** Of a write without capture, what one with it must still reach. */
const AIM = 0.75;

export async function writes(bench: Bench): Promise<void> {
  await run(bench.database, 'trading', PREPARE);
  const seconds = bench.seconds / ROUNDS;
  const nobody = <Result>(use: () => Promise<Result>) => use();
  const readers = <Result>(use: () => Promise<Result>) =>
    bench.withServers(async ({ graph, plain }) => {
      await Promise.all([graph.ask('url'), plain.ask('url')]);
      return use();
    });

  heading('Writes a second: captured (ours) and with NOTIFY (plain); ratio is captured to bare');
  for (const [title, surround] of [
    ['nobody reads the feed', nobody],
    ['the graph and a listener read', readers],
  ] as const) {
    await surround(async () => {
      await compare(bench, `8 connections, one row each, ${title}`, (kind) => singleRows(bench, kind, 'on', seconds));
      await compare(bench, '  without waiting for the disk', (kind) => singleRows(bench, kind, 'off', seconds));
      await compare(bench, `  one statement of ${ACCOUNTS} rows, rows/s`, (kind) => allRows(bench, kind));
    });
  }
}

async function compare(bench: Bench, title: string, measure: (kind: Kind) => Promise<number>): Promise<void> {
  const rounds: Record<Kind, number[]> = { bare: [], captured: [], notified: [] };
  for (let round = -1; round < ROUNDS; round++) {
    for (const kind of KINDS) {
      await run(bench.database, 'trading', `vacuum analyze ${TABLES[kind]}`);
      const perSecond = await measure(kind);
      if (round >= 0) rounds[kind].push(perSecond); // the first only warms up
    }
  }
  const [bare, captured, withNotify] = KINDS.map((kind) => median(rounds[kind])) as [number, number, number];
  const ratio = captured / bare;
  report({
    title,
    ours: captured.toFixed(0),
    plain: withNotify.toFixed(0),
    ratio,
    aim: { text: `ratio >= ${AIM}`, isMet: ratio >= AIM },
    note: `bare ${bare.toFixed(0)}, NOTIFY to bare ${(withNotify / bare).toFixed(2)}`,
  });
}

/** Rows written a second by connections that write one row a transaction. */
async function singleRows(
  { database }: Bench,
  kind: Kind,
  synchronous: 'on' | 'off',
  seconds: number,
): Promise<number> {
  const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => database.connect('trading')));
  for (const client of clients) await client.query(`set synchronous_commit = ${synchronous}`);
  const start = performance.now();
  const until = start + seconds * 1_000;
  const counts = await Promise.all(clients.map((client, index) => writeUntil(client, TABLES[kind], index, until)));
  const elapsed = (performance.now() - start) / 1_000;
  await Promise.all(clients.map((client) => client.end()));
  return counts.reduce((sum, count) => sum + count, 0) / elapsed;
}

/** Each connection has rows of its own: waiting for another's lock is not what is measured. */
async function writeUntil(client: pg.Client, table: string, index: number, until: number): Promise<number> {
  const text = `update ${table} set current_price = $1 where position_id = $2`;
  let count = 0;
  for (; performance.now() < until; count++) {
    const row = (index + count * CONNECTIONS) % ACCOUNTS;
    await client.query({ name: 'write', text, values: [100 + (count % 10), positionId(row)] });
  }
  return count;
}

async function allRows({ database }: Bench, kind: Kind): Promise<number> {
  const client = await database.connect('trading');
  const start = performance.now();
  const { rowCount } = await client.query(`update ${TABLES[kind]} set current_price = current_price + 1`);
  const elapsed = (performance.now() - start) / 1_000;
  await client.end();
  return (rowCount ?? 0) / elapsed;
}
