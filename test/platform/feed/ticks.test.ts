/** How changes are cut into ticks: nothing that commits late is missed, and every process tells the same. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCapturedTables } from '../../../platform/feed/captured-tables.ts';
import { type Glance, look, type StoredTick } from '../../../platform/feed/change-log.ts';
import { readState } from '../../../platform/feed/feed-state.ts';
import { joinLookout } from '../../../platform/feed/lookout.ts';
import type { Snapshot } from '../../../platform/feed/snapshot.ts';
import { parseSnapshot } from '../../../platform/feed/snapshot.ts';
import { TickReader } from '../../../platform/feed/tick-reader.ts';
import { orderTopic } from '../../../subgraphs/trading/topics.ts';
import { type FeedDatabase, openFeedDatabase, type TestFeed } from './feeds.ts';
import { addOrders, addStrategies, eventually, leaderOf, ticked } from './rows.ts';

let database: FeedDatabase;

beforeAll(async () => {
  database = await openFeedDatabase();
  await addStrategies(database);
});

afterAll(() => database.close());

const snapshotNow = async (): Promise<Snapshot> =>
  parseSnapshot((await database.sql('select pg_current_snapshot()::text as now'))[0].now);

describe('a tick', () => {
  /** Rows of the log that concern no table, quickly made. */
  const fill = (count: number) => `insert into change_log (segment, relation, op, key, row)
    select 0, 'nothing', 'I', i::text, '{}' from generate_series(1, ${count}) as i`;

  async function readAll(since: Snapshot, snapshot: Snapshot): Promise<number[]> {
    const client = await database.connect();
    const tick: StoredTick = { tick: 1, since, snapshot, at: '' };
    const reader = new TickReader(client, await readCapturedTables(client), tick, { relation: 'nothing' });
    const read: number[] = [];
    for (let hasMore = true; hasMore; ) {
      const part = await reader.next();
      expect(part.changes.length).toBeLessThanOrEqual(1_000);
      read.push(...part.changes.map(({ seq }) => seq));
      hasMore = part.hasMore;
    }
    return read;
  }

  it('is read whole and in order, in parts, be it one large transaction or one that was long under way', async () => {
    const begin = await snapshotNow();
    const late = await database.connect();
    await late.query('begin');
    await late.query(fill(1_100));
    await database.sql(fill(23_000));
    const middle = await snapshotNow();
    await late.query(fill(1_100));
    await late.query('commit');
    const end = await snapshotNow();

    const seqs = async (condition: string) =>
      (await database.sql(`select seq from change_log where ${condition} order by seq`)).map(({ seq }) => Number(seq));
    const large = await readAll(begin, middle);
    expect(large).toHaveLength(23_000);
    expect(large).toEqual(await seqs(`pg_visible_in_snapshot(xid, '${middle.text}') and relation = 'nothing'`));
    const long = await readAll(middle, end);
    expect(long).toHaveLength(2_200);
    expect(long).toEqual(await seqs(`not pg_visible_in_snapshot(xid, '${middle.text}') and relation = 'nothing'`));
    await database.sql('truncate change_log');
  });

  it('is stored by one leader only, though two should look at once', async () => {
    const clients = await Promise.all([database.connect(), database.connect()]);
    const { tick, snapshot } = await readState(clients[0]);
    await addOrders(database, 1, 'fence');
    const looks = await Promise.allSettled(clients.map((client) => look(client, new Map(), tick, snapshot)));
    expect(looks.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    const [lost] = looks.filter((one) => one.status === 'rejected');
    expect(String(lost?.reason)).toContain('Another leader has stored a tick');
    expect(await database.sql('select id from feed_ticks')).toHaveLength(1);
  });
});

describe('a lookout', () => {
  it('lets all feeds of a process on one database know what one of them has seen', async () => {
    const seen = { asker: [] as Glance[], neighbour: [] as Glance[], gone: [] as Glance[], elsewhere: [] as Glance[] };
    const watcher = (name: keyof typeof seen) => ({ hear: (glance: Glance) => void seen[name].push(glance) });
    const asker = watcher('asker');
    const gone = watcher('gone');
    const lookout = joinLookout('postgres://one:secret@127.0.0.1:1/shared', asker);
    expect(joinLookout('postgres://two:secret@127.0.0.1:1/shared', watcher('neighbour'))).toBe(lookout);
    expect(joinLookout('postgres://two:secret@127.0.0.1:1/shared', gone)).toBe(lookout);
    expect(joinLookout('postgres://one:secret@127.0.0.1:1/other', watcher('elsewhere'))).not.toBe(lookout);
    lookout.leave(gone);
    expect(lookout.dueInMs()).toBe(0);
    const glance = await lookout.glance(await database.connect(), asker);
    expect(seen).toEqual({ asker: [], neighbour: [glance], gone: [], elsewhere: [] });
  });
});

describe('the feed', () => {
  let one: TestFeed;
  let other: TestFeed;

  beforeAll(async () => {
    [one, other] = [database.open(), database.open()];
    await Promise.all([one.feed.ready(), other.feed.ready()]);
  });

  it('tells what commits late after what committed before it, in every process at the same cursor', async () => {
    const clients = [one, other].map((feed) => feed.follow(orderTopic));
    await Promise.all(clients.map((client) => client.begun()));
    const late = await database.connect();
    await late.query('begin');
    await addOrders({ sql: async (text, params) => (await late.query(text, params)).rows }, 1, 'late');
    await addOrders(database, 1, 'early');
    await Promise.all(clients.map((client) => client.until(({ row }) => row?.orderId === 'early1')));
    await late.query('commit');
    await Promise.all(clients.map((client) => client.until(({ row }) => row?.orderId === 'late1')));
    const [here, there] = clients.map((client) => client.changes().filter(({ kind }) => kind === 'UPSERT'));
    expect(here?.map(({ row }) => row?.orderId)).toEqual(['early1', 'late1']);
    expect(here).toEqual(there);
    await Promise.all(clients.map((client) => client.leave()));
  });

  it('tells each row’s changes in their order, none twice and none left out, while many write', async () => {
    await addOrders(database, 8, 'w');
    await ticked(database);
    const clients = [one, other].map((feed) => feed.follow(orderTopic));
    await Promise.all(clients.map((client) => client.begun()));
    const write = async (writer: number) => {
      const client = await database.connect();
      for (let round = 0; round < 40; round++) {
        const first = 1 + ((writer + round) % 8);
        const second = 1 + ((first + round) % 8);
        await client.query('begin');
        for (const order of [first, second].toSorted()) {
          await client.query('update orders set quantity = quantity + 1 where order_id = $1', [`w${order}`]);
        }
        if (round % 10 === writer) await sleep(30);
        await client.query(round % 7 === 3 ? 'rollback' : 'commit');
      }
    };
    await Promise.all([0, 1, 2, 3].map(write));
    await addOrders(database, 1, 'end');
    await Promise.all(clients.map((client) => client.until(({ row }) => row?.orderId === 'end1')));
    const [here, there] = clients.map((client) => client.changes().filter(({ kind }) => kind === 'UPSERT'));
    expect(here).toEqual(there);
    const rows = await database.sql(`select order_id, version from orders where order_id like 'w%'`);
    for (const { order_id: id, version } of rows) {
      const versions = here?.filter(({ row }) => row?.orderId === id).map(({ row }) => row?.version);
      expect(versions).toEqual(Array.from({ length: version - 1 }, (_, i) => i + 2));
    }
    await Promise.all(clients.map((client) => client.leave()));
  });

  it('goes on when its connections are killed, in whichever process', async () => {
    const clients = [one, other].map((feed) => feed.follow(orderTopic));
    await Promise.all(clients.map((client) => client.begun()));
    for (let round = 1; round <= 3; round++) {
      await database.sql(
        `select pg_terminate_backend(pid) from pg_stat_activity
          where application_name like 'trading-data-graph feed%' and usename = current_user and datname = current_database()`,
      );
      await addOrders(database, 1, `killed${round}-`);
      await Promise.all(clients.map((client) => client.until(({ row }) => row?.orderId === `killed${round}-1`)));
    }
    for (const client of clients) {
      const told = client.changes().filter(({ kind }) => kind !== 'SNAPSHOT');
      expect(told.map(({ kind, row }) => `${kind} ${row?.orderId}`)).toEqual(
        [1, 2, 3].map((round) => `UPSERT killed${round}-1`),
      );
      await client.leave();
    }
  });

  it('says how it does', async () => {
    const leader = await leaderOf(one, other);
    const status = await leader.feed.status();
    expect(status).toMatchObject({ domain: 'trading', isLeader: true, subscriberCount: 0, lagMs: 0 });
    const client = leader.follow(orderTopic);
    await client.begun();
    expect((await leader.feed.status()).subscriberCount).toBe(1);
    await client.leave();
  });
});

describe('what came while nobody led', () => {
  /** Takes the lead away, lets nobody have it while `write` runs, and gives it back. */
  async function unled({ connect }: FeedDatabase, write: () => Promise<void>): Promise<void> {
    const holder = await connect();
    await eventually('the lead is taken', async () => {
      const { rows } = await holder.query(`select take_lead('0') as taken`);
      return rows[0].taken;
    });
    await write();
    await holder.end();
  }

  it.each([
    { backlogLimit: 1_000, told: ['UPSERT many1', 'UPSERT many2', 'UPSERT many3'] },
    { backlogLimit: 2, told: ['RESYNC'] },
  ])(
    'is told one by one up to a limit, here $backlogLimit, above which readers begin anew',
    async ({ backlogLimit, told }) => {
      const own = await openFeedDatabase();
      try {
        await addStrategies(own);
        const leader = await leaderOf(own.open({ backlogLimit }));
        const client = leader.follow(orderTopic);
        await client.begun();
        await unled(own, () => addOrders(own, 3, 'many'));
        await client.until(({ row }) => row?.orderId === 'many3');
        expect(
          client
            .changes()
            .slice(0, told.length)
            .map(({ kind, row }) => `${kind} ${row?.orderId ?? ''}`.trim()),
        ).toEqual(told);
        await client.leave();
      } finally {
        await own.close();
      }
    },
  );
});
