/**
 * PostgreSQL crashes. Ticks are committed without waiting for the disk: the last ones are lost, the changes in them are
 * not, and the numbers of lost transactions are given to others.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { orderTopic } from '../../../subgraphs/trading/topics.ts';
import { type OwnPostgres, startOwnPostgres } from '../../support/own-postgres.ts';
import { type FeedDatabase, openFeedDatabase, type TestFeed } from './feeds.ts';
import { addOrders, addStrategies, eventually, leaderOf } from './rows.ts';

let server: OwnPostgres;
let database: FeedDatabase;
let leader: TestFeed;
let follower: TestFeed;

beforeAll(async () => {
  server = await startOwnPostgres();
  await administer('alter system set wal_writer_delay = 10000'); // milliseconds: what nobody waits for is lost
  await administer('select pg_reload_conf()');
  database = await openFeedDatabase('trading', server.databaseUrl);
  await addStrategies(database);
  leader = await leaderOf(database.open());
  follower = database.open();
  await follower.feed.ready();
});

afterAll(async () => {
  await database?.close();
  await server?.close();
});

async function administer(statement: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: server.databaseUrl });
  client.on('error', () => undefined);
  await client.connect();
  const { rows } = await client.query(statement);
  await client.end();
  return rows;
}

/** A process of PostgreSQL dies; the server ends all others, forgets what was not on the disk and recovers. */
async function crash(): Promise<void> {
  const [row] = await administer(`select pid from pg_stat_activity where backend_type = 'walwriter'`);
  process.kill(row?.pid as number, 'SIGKILL');
  await sleep(20);
}

/** Writes as soon as PostgreSQL is back, before the feed is. */
async function writeAtOnce(prefix: string): Promise<void> {
  await eventually('PostgreSQL is back', () =>
    addOrders(database, 1, prefix).then(
      () => true,
      () => false,
    ),
  );
}

const storedTick = async () => Number((await database.sql('select tick from feed_state'))[0].tick);
const orders = (told: { row: { orderId: string } | null }[]) => told.map(({ row }) => row?.orderId);

it('tells every change once to clients of all processes, though ticks are lost', async () => {
  const clients = [leader.follow(orderTopic), follower.follow(orderTopic)];
  await Promise.all(clients.map((client) => client.begun()));
  for (let round = 1; round <= 3; round++) {
    await addOrders(database, 1, `before${round}-`);
    await Promise.all(clients.map((client) => client.until(({ row }) => row?.orderId === `before${round}-1`)));
    await sleep(150); // the leader has looked again, and has seen its own tick's transaction
    await crash();
    await writeAtOnce(`after${round}-`);
    await Promise.all(clients.map((client) => client.until(({ row }) => row?.orderId === `after${round}-1`)));
  }
  for (const client of clients) {
    expect(orders(client.changes())).toEqual([1, 2, 3].flatMap((round) => [`before${round}-1`, `after${round}-1`]));
    await client.leave();
  }
});

it('goes on after the cursor of a lost tick where it is known, and begins anew where it is not', async () => {
  const first = leader.follow(orderTopic);
  await first.begun();
  await addOrders(database, 1, 'lost');
  const { cursor } = await first.until(({ row }) => row?.orderId === 'lost1');
  const { tick } = leader.feed.hub.place;
  await first.leave();
  await crash();
  await writeAtOnce('next');
  expect(await storedTick()).not.toBe(tick);
  const here = leader.follow(orderTopic, { after: cursor });
  await here.until(({ row }) => row?.orderId === 'next1');
  expect(orders(here.changes())).toEqual(['next1']);
  await here.leave();

  const later = database.open();
  const there = later.follow(orderTopic, { after: cursor });
  await there.until(({ row }) => row?.orderId === 'next1');
  expect(there.changes()[0]?.kind).toBe('RESYNC');
  await there.leave();
  await later.close();
});

it('never loses the tick with which a leader begins: the next one would be numbered before it', async () => {
  const before = leader.feed.isLeader() ? leader : follower;
  await before.close();
  const next = await leaderOf(before === leader ? follower : leader);
  const { tick } = next.feed.hub.place;
  await crash();
  await eventually('PostgreSQL is back', () =>
    storedTick().then(
      () => true,
      () => false,
    ),
  );
  expect(await storedTick()).toBeGreaterThanOrEqual(tick);
});
