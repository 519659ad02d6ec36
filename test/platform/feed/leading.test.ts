/** Who leads, and what becomes of a leader that is paused, stuck or gone. */
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { orderTopic } from '../../../subgraphs/trading/topics.ts';
import { startProcess } from '../../support/processes.ts';
import { type FeedDatabase, openFeedDatabase } from './feeds.ts';
import { addOrders, addStrategies, eventually } from './rows.ts';

let database: FeedDatabase;

beforeAll(async () => {
  database = await openFeedDatabase();
  await addStrategies(database);
});

afterAll(() => database.close());

it('passes from a leader that is paused, which follows when it wakes, and ends by itself when it is closed', async () => {
  const program = fileURLToPath(new URL('feed-process.ts', import.meta.url));
  const paused = startProcess([program, database.url], {});
  const last = (word: string) => paused.said().trim().endsWith(word);
  await eventually('the other process leads', () => last('leads'), 30_000);
  const here = database.open();
  const client = here.follow(orderTopic);
  await client.begun();
  await addOrders(database, 1, 'a');
  await client.until(({ row }) => row?.orderId === 'a1');
  expect(here.feed.isLeader()).toBe(false);

  paused.child.kill('SIGSTOP');
  await addOrders(database, 1, 'b');
  await client.until(({ row }) => row?.orderId === 'b1');
  expect(here.feed.isLeader()).toBe(true);

  paused.child.kill('SIGCONT');
  await eventually('it follows', () => last('follows'));
  await addOrders(database, 1, 'c');
  await eventually('it has told all', () => paused.said().includes('c1'));
  const told = paused
    .said()
    .split('\n')
    .filter((line) => /^[A-Z]+ \w/.test(line));
  expect(told).toEqual(['UPSERT a1', 'UPSERT b1', 'UPSERT c1']);
  expect(await paused.stop()).toBe(0);
  await client.leave();
  await here.close();
});

it('passes from a leader that does not take what PostgreSQL sends it', async () => {
  const stuck = new pg.Client({ connectionString: database.url, options: '-c search_path=trading' });
  stuck.on('error', () => undefined);
  const [next] = await Promise.all([database.connect(), stuck.connect()]);
  const take = async (client: pg.Client) => (await client.query(`select take_lead('200 ms') as taken`)).rows[0].taken;
  await eventually('it leads', () => take(stuck));
  const { stream } = (stuck as unknown as { connection: { stream: NodeJS.ReadableStream } }).connection;
  stream.pause();
  stuck.query(`select repeat('x', 1000000) from generate_series(1, 100)`).catch(() => undefined);
  expect(await take(next)).toBe(false);
  await eventually('it is put out', () => take(next));
  stream.resume();
  await stuck.end();
});
