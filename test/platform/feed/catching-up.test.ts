/** A client that is not where this process is: it was away, is slower than the changes, or further than the here. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseCursor } from '../../../platform/feed/cursor.ts';
import { orderTopic, positionTopic } from '../../../subgraphs/trading/topics.ts';
import { type FeedDatabase, openFeedDatabase, type TestFeed } from './feeds.ts';
import { handFed } from './hand-fed.ts';
import { addOrders, addPositions, addStrategies, leaderOf, ticked } from './rows.ts';

let database: FeedDatabase;
let leader: TestFeed;

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
});

const cursorOf = (tick: number) => `${leader.feed.hub.epoch}.${tick}`;

describe('a client that comes back', () => {
  it('misses nothing though this process is behind the log, and gets ahead while the client reads', async () => {
    const here = await handFed(leader);
    await addOrders(database, 1, 'a');
    const seen = await ticked(database);
    here.afterReplayed = async () => {
      await addOrders(database, 1, 'b');
      await ticked(database);
      await here.feed();
    };
    const client = here.follow(orderTopic, { after: cursorOf(seen) });
    await client.until(({ row }) => row?.orderId === 'b1');
    await client.leave();
    expect(here.hub.listenerCount).toBe(0);
    here.hub.close();
  });

  it('is not told again what the log told it, when this process gets there', async () => {
    const here = await handFed(leader);
    await addOrders(database, 1, 'before');
    const after = cursorOf(await ticked(database));
    await addOrders(database, 2, 'a');
    await ticked(database);
    const client = here.follow(orderTopic, { after });
    await client.until(({ row }) => row?.orderId === 'a2');
    await here.feed();
    await addOrders(database, 1, 'b');
    await ticked(database);
    await here.feed();
    await client.until(({ row }) => row?.orderId === 'b1');
    expect(client.changes().map(({ row }) => row?.orderId)).toEqual(['a1', 'a2', 'b1']);
    await client.leave();
    here.hub.close();
  });

  it('leaves no listener when it leaves while it catches up', async () => {
    const here = await handFed(leader);
    await addOrders(database, 1);
    const client = here.follow(orderTopic, { after: cursorOf(await ticked(database)) });
    await new Promise<void>((resolve) => {
      here.afterReplayed = async () => {
        await client.leave();
        resolve();
      };
    });
    await client.ended;
    expect(here.hub.listenerCount).toBe(0);
    here.hub.close();
  });

  it('goes on in the midst of a tick of several parts', async () => {
    await addOrders(database, 1_300);
    await ticked(database);
    const before = cursorOf(await ticked(database));
    await database.sql('update orders set quantity = 2');
    await ticked(database);
    const here = await handFed(leader);
    const all = here.follow(orderTopic, { after: before });
    await all.told(1_300);
    const middle = all.changes()[1_099]?.cursor ?? '';
    expect(parseCursor(middle)?.position).toBeDefined();
    const rest = here.follow(orderTopic, { after: middle });
    await rest.told(200);
    expect(rest.changes()).toEqual(all.changes().slice(1_100));
    await Promise.all([all.leave(), rest.leave()]);
    here.hub.close();
  });
});

describe('a client that is slower than the changes', () => {
  it('gets every change of a lossless topic, in order, once', async () => {
    await addOrders(database, 10);
    await ticked(database);
    const client = leader.follow(orderTopic);
    await client.begun();
    client.pause();
    for (let round = 2; round <= 151; round++) await database.sql('update orders set quantity = $1', [round]);
    await ticked(database);
    client.goOn();
    await client.told(1_510);
    const told = client.all.filter(({ kind }) => kind === 'UPSERT');
    for (let order = 1; order <= 10; order++) {
      const versions = told.filter(({ row }) => row?.orderId === `o${order}`).map(({ row }) => row?.version);
      expect(versions).toEqual(Array.from({ length: 150 }, (_, i) => i + 2));
    }
    await client.leave();
  });

  it('gets the latest of each row of a conflated topic, and its cursors never step back', async () => {
    await addPositions(database, 5);
    await ticked(database);
    const client = leader.follow(positionTopic);
    await client.begun();
    for (let round = 2; round <= 60; round++) {
      if (round % 10 === 0) client.pause();
      if (round % 10 === 5) client.goOn();
      await database.sql('update positions set quantity = $1 where position_id <> $2', [round, `p${1 + (round % 5)}`]);
    }
    await database.sql('update positions set quantity = 1000');
    await ticked(database);
    client.goOn();
    const latest = () =>
      new Set(client.all.filter(({ row }) => Number(row?.quantity) === 1_000).map(({ row }) => row?.positionId));
    await client.until(() => latest().size === 5);
    const places = client.all.map(({ cursor }) => parseCursor(cursor)).filter((cursor) => cursor !== null);
    const spots = places.map(({ tick, position }) => tick * 1e6 + (position ?? 1e6 - 1));
    expect(spots).toEqual(spots.toSorted((a, b) => a - b));
    await client.leave();
  });

  it('begins anew when the feed has broken off meanwhile', async () => {
    const here = await handFed(leader);
    await addOrders(database, 1);
    await ticked(database);
    await here.feed();
    const client = here.follow(orderTopic);
    await client.begun();
    client.pause();
    for (let i = 0; i < 2; i++) await addOrders(database, 1_100, `x${i}-`);
    await ticked(database);
    await here.feed();
    expect(here.hub.listenerCount).toBe(0); // its outbox is full
    here.hub.start({
      ...here.hub,
      ...here.hub.place,
      snapshot: here.hub.snapshot as never,
      at: '2026-01-01T00:00:00Z',
    });
    client.goOn();
    await client.until(({ kind }) => kind === 'RESYNC');
    await client.until(({ row }) => row?.orderId === 'x1-1100');
    await client.leave();
    here.hub.close();
  });
});
