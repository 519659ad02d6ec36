/** Where the snapshot ends and the changes begin: between the two nothing is missing and nothing is told twice. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseCursor } from '../../../platform/feed/cursor.ts';
import { parseSnapshot } from '../../../platform/feed/snapshot.ts';
import { orderTopic, positionTopic } from '../../../subgraphs/trading/topics.ts';
import { type FeedDatabase, openFeedDatabase, type TestFeed } from './feeds.ts';
import { type HandFed, handFed } from './hand-fed.ts';
import type { Listening } from './listening.ts';
import { opening } from './parts.ts';
import { addOrders, addPositions, addStrategies, eventually, leaderOf, ticked } from './rows.ts';

let database: FeedDatabase;
let leader: TestFeed;
let here: HandFed;

beforeAll(async () => {
  database = await openFeedDatabase();
  await addStrategies(database);
  leader = await leaderOf(database.open());
});

afterAll(() => database.close());

beforeEach(async () => {
  await database.sql('delete from positions');
  await database.sql('delete from orders');
  await ticked(database);
  here = await handFed(leader);
});

afterEach(() => {
  expect(here.hub.listenerCount).toBe(0);
  here.hub.close();
});

const brief = (client: Listening<{ orderId: string }>) =>
  client.changes().map(({ kind, row }) => `${kind} ${row?.orderId ?? ''}`.trim());

/** Writes the orders, and lets the log have them in a tick. */
async function write(count: number, prefix: string): Promise<void> {
  await addOrders(database, count, prefix);
  await ticked(database);
}

describe('a snapshot', () => {
  it('shows what the feed has yet to bring, which is then not told again', async () => {
    here.beforeSnapshot = () => write(1, 'a');
    const client = here.follow(orderTopic);
    const begun = await client.begun();
    expect(parseCursor(begun.cursor)?.mask).toBeDefined();
    await write(1, 'b');
    await here.feed();
    await client.until(({ row }) => row?.orderId === 'b1');
    expect(brief(client)).toEqual(['SNAPSHOT a1', 'UPSERT b1']);
    expect(parseCursor(client.changes().at(-1)?.cursor ?? '')).toMatchObject({ tick: here.hub.place.tick });
    await client.leave();
  });

  it('gives a cursor from which nothing is told again either', async () => {
    here.beforeSnapshot = async () => {
      await write(1, 'a');
      await here.feed(); // the change is offered before the snapshot that shows it is read
    };
    const first = here.follow(orderTopic);
    const { cursor } = await first.begun();
    await first.leave();
    await write(1, 'b');
    await here.feed();
    const second = here.follow(orderTopic, { after: cursor });
    await second.until(({ row }) => row?.orderId === 'b1');
    expect(brief(second)).toEqual(['UPSERT b1']);
    await second.leave();
  });

  it('gives such a cursor with each change that lies before something it shows', async () => {
    const late = await database.connect();
    await late.query('begin');
    await addOrders({ sql: async (text, params) => (await late.query(text, params)).rows }, 1, 'late');
    here.beforeSnapshot = () => write(1, 'a');
    const first = here.follow(orderTopic);
    await first.begun();
    await late.query('commit');
    await ticked(database);
    await here.feedAtOnce(); // first what was late: its sequence number is lower
    const { cursor } = await first.until(({ row }) => row?.orderId === 'late1');
    await first.leave();
    const second = here.follow(orderTopic, { after: cursor });
    await write(1, 'b');
    await here.feed();
    await second.until(({ row }) => row?.orderId === 'b1');
    expect(brief(second)).toEqual(['UPSERT b1']);
    await second.leave();
  });

  it('gives them also for what comes while it is read, be it shown or not', async () => {
    const late = await database.connect();
    await late.query('begin');
    await addOrders({ sql: async (text, params) => (await late.query(text, params)).rows }, 1, 'late');
    here.beforeSnapshot = () => write(1, 'a');
    here.afterSnapshot = async () => {
      await late.query('commit');
      await ticked(database);
      await here.feedAtOnce(); // late1, which the snapshot does not show, and then a1, which it does
    };
    const first = here.follow(orderTopic);
    const { cursor } = await first.until(({ kind }) => kind === 'UPSERT');
    expect(brief(first)).toEqual(['SNAPSHOT a1', 'UPSERT late1']);
    const begun = await first.begun();
    await first.leave();
    await write(1, 'b');
    await here.feed();
    const again = async (after: string) => {
      const client = here.follow(orderTopic, { after });
      await client.until(({ row }) => row?.orderId === 'b1');
      await client.leave();
      return brief(client);
    };
    expect(await again(begun.cursor)).toEqual(['UPSERT late1', 'UPSERT b1']);
    expect(await again(cursor)).toEqual(['UPSERT b1']);
  });

  it('is not followed by what it shows though more changes come meanwhile than may wait', async () => {
    here.beforeSnapshot = async () => {
      await write(1_200, 'a');
      await here.feed();
      const [{ now }] = await database.sql('select pg_current_snapshot()::text as now');
      here.hub.settle(parseSnapshot(now), new Date().toISOString()); // this process has come as far as the snapshot
    };
    const client = here.follow(orderTopic);
    await client.begun();
    await write(1, 'b');
    await here.feed();
    await client.until(({ row }) => row?.orderId === 'b1');
    expect(brief(client).filter((line) => line.startsWith('UPSERT'))).toEqual(['UPSERT b1']);
    await client.leave();
  });

  it('is begun anew when it is marked by a leader who is gone: a crash may have given its numbers to others', async () => {
    here.beforeSnapshot = () => write(1, 'a');
    const waiting = here.follow(orderTopic);
    const { cursor } = await waiting.begun();
    const { snapshot, place } = here.hub;
    here.hub.accept({ ...opening(place.tick + 1, 0), since: snapshot as never, snapshot: snapshot as never });
    await waiting.until(({ kind }) => kind === 'RESYNC');
    const back = here.follow(orderTopic, { after: cursor });
    await back.until(({ row }) => row?.orderId === 'a1');
    expect(brief(back)).toEqual(['RESYNC', 'SNAPSHOT a1']);
    await Promise.all([waiting.leave(), back.leave()]);
  });

  it('is read again when the feed breaks off meanwhile', async () => {
    await write(1, 'a');
    await here.feed();
    here.beforeSnapshot = async () => {
      const { epoch, place, snapshot } = here.hub;
      here.hub.start({ epoch, tick: place.tick, snapshot: snapshot as never, at: '2026-01-01T00:00:00Z' });
    };
    const client = here.follow(orderTopic);
    await client.begun();
    expect(brief(client)).toEqual(['SNAPSHOT a1']);
    await client.leave();
  });

  it('has 10,000 rows at most', async () => {
    await database.sql(
      `insert into orders (order_id, strategy_id, account_id, instrument_id, side, order_type, quantity)
       select i::text, 's1', '00000000-0000-4000-8000-000000000001', 'BTC-USD', 'buy', 'market', 1 from generate_series(1, 10001) i`,
    );
    const client = leader.follow(orderTopic);
    expect(String(await client.ended)).toContain('The snapshot has more than 10000 rows: choose less.');
    expect(leader.feed.hub.listenerCount).toBe(0);
  });
});

describe('a client that leaves', () => {
  it('leaves no listener, wherever it was', async () => {
    await addPositions(database, 3);
    await ticked(database);
    const { hub } = leader.feed;
    const whileReading = here.follow(positionTopic);
    await new Promise<void>((resolve) => {
      here.beforeSnapshot = async () => {
        void whileReading.leave();
        resolve();
      };
    });
    await whileReading.ended;
    expect(here.hub.listenerCount).toBe(0);

    const atOnce = leader.follow(positionTopic);
    await atOnce.leave();
    const inSnapshot = leader.follow(positionTopic);
    await inSnapshot.until(({ kind }) => kind === 'SNAPSHOT');
    await inSnapshot.leave();
    const live = leader.follow(positionTopic, { choice: { accountId: '00000000-0000-4000-8000-000000000001' } });
    const { cursor } = await live.begun();
    expect(hub.listenerCount).toBe(1);
    await live.leave();
    const back = leader.follow(positionTopic, { after: cursor });
    await eventually('it listens', () => hub.listenerCount === 1);
    await back.leave();
    const held = leader.follow(positionTopic, { minIntervalMs: 60_000 });
    await held.begun();
    for (const quantity of [2, 3]) await database.sql('update positions set quantity = $1', [quantity]);
    await held.until(({ kind }) => kind === 'UPSERT');
    await held.leave();
    await held.ended;
    expect(hub.listenerCount).toBe(0);
  });
});

describe('rounds', () => {
  it('begin at most so often, tell each row once, and say meanwhile that the feed lives', async () => {
    await addPositions(database, 2);
    await ticked(database);
    const client = leader.follow(positionTopic, { minIntervalMs: 1_500 });
    await client.begun();
    const write = (quantity: number) => database.sql('update positions set quantity = $1', [quantity]);
    await write(2);
    const first = await client.until(({ kind }) => kind === 'UPSERT');
    const firstAt = performance.now();
    await client.told(4);
    for (const quantity of [3, 4, 5]) await write(quantity);
    const before = client.all.length;
    await client.until(({ row }) => Number(row?.quantity) === 5);
    expect(performance.now() - firstAt).toBeGreaterThan(1_300);
    await client.told(6);
    expect(client.changes().map(({ kind, row }) => `${kind} ${row?.positionId} ${Number(row?.quantity)}`)).toEqual([
      'SNAPSHOT p1 1',
      'SNAPSHOT p2 1',
      'UPSERT p1 2',
      'UPSERT p2 2',
      'UPSERT p1 5',
      'UPSERT p2 5',
    ]);
    const meanwhile = client.all.slice(before).filter(({ kind }) => kind === 'PROGRESS');
    expect(meanwhile.map(({ cursor }) => cursor)).toContain(client.changes()[3]?.cursor);
    expect(first.kind).toBe('UPSERT');
    await client.leave();
  });
});
