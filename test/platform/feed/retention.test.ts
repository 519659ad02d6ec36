/** How much of the log is kept, and what becomes of readers who come too late. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readCapturedTables } from '../../../platform/feed/captured-tables.ts';
import { Replay } from '../../../platform/feed/replay.ts';
import { keepWithin } from '../../../platform/feed/retention.ts';
import { orderTopic } from '../../../subgraphs/trading/topics.ts';
import { startFaultProxy } from '../../support/fault-proxy.ts';
import { type FeedDatabase, log, openFeedDatabase, type TestFeed } from './feeds.ts';
import type { Listening } from './listening.ts';
import { addOrders, addStrategies, leaderOf, ticked } from './rows.ts';

let database: FeedDatabase;
let leader: TestFeed;

beforeEach(async () => {
  database = await openFeedDatabase();
  await addStrategies(database);
  leader = await leaderOf(database.open());
});

afterEach(() => database.close());

const EVERYTHING = 1024 ** 4;

/** Opens the next segment; says whether it was time. */
async function turn({ keep = '0 hours', bytes = EVERYTHING } = {}): Promise<boolean> {
  const [row] = await database.sql('select turn_segment($1::interval, $2) as turned', [keep, bytes]);
  return row.turned;
}

const cursor = async () => `${leader.feed.hub.epoch}.${await ticked(database)}`;
const brief = (client: Listening<{ orderId: string }>) =>
  client.changes().map(({ kind, row }) => `${kind} ${row?.orderId ?? ''}`.trim());

describe('the log', () => {
  it('opens its next segment when the current one is old or large', async () => {
    await database.sql('update feed_segment set opened_at = now()'); // it is as old as the template
    expect(await turn({ keep: '1 hour' })).toBe(false);
    await database.sql(`update feed_segment set opened_at = now() - interval '11 minutes'`);
    expect(await turn({ keep: '1 hour' })).toBe(true);
    expect(await turn({ keep: '1 hour' })).toBe(false);
    expect(await turn({ keep: '1 hour', bytes: 8 * 8_192 })).toBe(true);
  });

  it('keeps what is young, unless it all grows too large', async () => {
    for (let segment = 0; segment < 8; segment++) {
      await addOrders(database, 1, `s${segment}-`);
      await ticked(database);
      await database.sql(`update feed_segment set opened_at = now() - interval '1 hour'`);
      expect(await turn({ keep: '1 hour' })).toBe(segment < 7);
    }
    expect(await turn({ keep: '1 hour', bytes: 8_192 })).toBe(true);
    const [first] = await database.sql('select min(row->>$1) as key from change_log', ['orderId']);
    expect(first.key).toBe('s1-1');
  });

  it('never throws away a change that is in no tick yet', async () => {
    await leader.close();
    await addOrders(database, 1);
    for (let i = 0; i < 20; i++) await turn();
    expect(await database.sql(`select from change_log where key = 'o1'`)).toHaveLength(1);
    const later = await leaderOf(database.open());
    await ticked(database);
    expect(later.feed.hub.since(later.feed.hub.place)).not.toBeNull();
  });

  it('is not turned while somebody reads what is to go, and neither he nor a writer waits for it', async () => {
    const reader = await database.connect();
    await reader.query('begin; select count(*) from change_log');
    const client = await database.connect();
    const turning = keepWithin(client, { hours: 0, bytes: EVERYTHING }, log);
    const writer = await database.connect();
    await writer.query('set lock_timeout = 100'); // a fifth of what whoever turns waits
    await addOrders({ sql: async (text, params) => (await writer.query(text, params)).rows }, 1);
    await turning;
    expect((await database.sql('select segment from feed_segment'))[0].segment).toBe(0);
    await reader.query('commit');
    await keepWithin(client, { hours: 0, bytes: EVERYTHING }, log);
    expect((await database.sql('select segment from feed_segment'))[0].segment).toBe(1);
  });
});

describe('a reader who comes back', () => {
  it('goes on exactly where all that followed is kept, and begins anew where it is not', async () => {
    const cursors = [await cursor()];
    for (let i = 1; i <= 12; i++) {
      await addOrders(database, 1, `${i}-`);
      cursors.push(await cursor());
      await turn();
    }
    const later = database.open(); // whose hub remembers nothing
    const fates = await Promise.all(
      cursors.map(async (after, seen) => {
        const client = later.follow(orderTopic, { after });
        await client.begun();
        if (client.all[0]?.kind !== 'RESYNC') await client.told(12 - seen);
        await client.leave();
        return { seen, brief: brief(client) };
      }),
    );
    const kept = fates.filter((fate) => fate.brief[0] !== 'RESYNC');
    expect(kept.map(({ seen }) => seen)).toEqual([5, 6, 7, 8, 9, 10, 11, 12]);
    for (const fate of kept) {
      const rest = Array.from({ length: 12 - fate.seen }, (_, i) => `UPSERT ${fate.seen + i + 1}-1`);
      expect(fate.brief).toEqual(rest);
    }
    expect(leader.feed.hub.listenerCount).toBe(0);
  });

  it('goes on after the last tick of a database where nothing has happened for long', async () => {
    await addOrders(database, 1);
    const after = await cursor();
    for (let i = 0; i < 20; i++) expect(await turn()).toBe(true);
    await addOrders(database, 1, 'next');
    await ticked(database);
    const later = database.open();
    await later.feed.ready();
    const client = later.follow(orderTopic, { after });
    await client.told(1);
    expect(brief(client)).toEqual(['UPSERT next1']);
    await client.leave();
  });

  it('notices that the log goes away under him', async () => {
    const from = await ticked(database);
    await addOrders(database, 1_300);
    await ticked(database);
    const connection = await database.connect();
    const replay = new Replay(connection, await readCapturedTables(connection), { relation: 'orders' }, { tick: from });
    expect(await replay.next()).toHaveLength(1_000);
    for (let i = 0; i < 8; i++) await turn();
    expect(await replay.next()).toBe('gone');
  });

  it('begins anew when his process itself was away for too long', async () => {
    const url = new URL(database.url);
    const { port } = url;
    const proxy = await startFaultProxy({ target: () => Number(port) });
    url.port = String(proxy.port);
    const away = database.open({ url: url.href });
    const client = away.follow(orderTopic);
    await client.begun();
    proxy.set({ kind: 'cut' });
    proxy.sever();
    for (let i = 1; i <= 10; i++) {
      await addOrders(database, 1, `${i}-`);
      await ticked(database);
      await turn();
    }
    proxy.set({ kind: 'pass' });
    await client.told(11);
    expect(brief(client)[0]).toBe('RESYNC');
    expect(brief(client).filter((line) => line.startsWith('SNAPSHOT'))).toHaveLength(10);
    await client.leave();
    await away.close();
    await proxy.close();
  });
});
