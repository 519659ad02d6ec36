/** Ticks reach other processes by Redis. Whatever happens to it, PostgreSQL has them all. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { redisPrefixOf } from '../../../platform/domains.ts';
import { redisBroadcast } from '../../../platform/feed/redis-stream.ts';
import type { BroadcastPart, TickBroadcast } from '../../../platform/feed/tick-broadcast.ts';
import type { TradingOrderRow } from '../../../subgraphs/trading/orders.ts';
import { orderTopic } from '../../../subgraphs/trading/topics.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { type FeedDatabase, log, openFeedDatabase, type TestFeed } from './feeds.ts';
import type { Listening } from './listening.ts';
import { addOrders, addStrategies, eventually, leaderOf } from './rows.ts';

let redis: RedisServer;
let database: FeedDatabase;

beforeAll(async () => {
  redis = await startRedis();
});

afterAll(() => redis.stop());

beforeEach(async () => {
  database = await openFeedDatabase();
  await addStrategies(database);
});

afterEach(() => database.close());

/** A leader and a follower with these ways between them, and a client of each. */
async function pair(broadcasts: [TickBroadcast, TickBroadcast]) {
  const leader = await leaderOf(database.open({ broadcast: broadcasts[0] }));
  const follower = database.open({ broadcast: broadcasts[1] });
  const clients = [leader, follower].map((feed) => feed.follow(orderTopic)) as [Orders, Orders];
  await Promise.all(clients.map((client) => client.begun()));
  return { leader, follower, clients };
}

type Orders = Listening<TradingOrderRow>;

const upserts = (client: Orders) => client.changes().filter(({ kind }) => kind === 'UPSERT');

/** Both clients were told the same, at the same cursors, up to that order. */
async function sameUpTo(clients: [Orders, Orders], orderId: string, count: number) {
  await Promise.all(clients.map((client) => client.until(({ row }) => row?.orderId === orderId)));
  const [here, there] = clients.map(upserts);
  expect(there).toEqual(here);
  expect(new Set(there?.map(({ row }) => row?.orderId)).size).toBe(count);
  await Promise.all(clients.map((client) => client.leave()));
}

describe('with Redis', () => {
  let feeds: { leader: TestFeed; follower: TestFeed; clients: [Orders, Orders] };
  let way: TickBroadcast;

  beforeEach(async () => {
    const open = () => redisBroadcast({ url: redis.urlOf('trading'), prefix: redisPrefixOf('trading'), log });
    way = open();
    feeds = await pair([open(), way]);
    await eventually('Redis is there', () => way.isConnected());
  });

  /** Writes some, one after the other. */
  async function write(from: number, until: number, pauseMs = 0): Promise<void> {
    for (let i = from; i <= until; i++) {
      await addOrders(database, 1, `${i}-`);
      await sleep(pauseMs);
    }
  }

  it('a follower is told at once, however many changes a tick has', async () => {
    await write(1, 3);
    const times: number[] = [];
    for (let i = 4; i <= 13; i++) {
      const begun = performance.now();
      await write(i, i);
      await feeds.clients[1].until(({ row }) => row?.orderId === `${i}-1`);
      times.push(performance.now() - begun);
    }
    // The middle one: by PostgreSQL alone a follower with Redis would have waited a quarter of a second.
    expect(times.toSorted((a, b) => a - b)[5]).toBeLessThan(200);
    await addOrders(database, 700, 'many');
    await sameUpTo(feeds.clients, 'many700', 713);
  });

  it('nothing is lost when it is killed and comes back, empty', async () => {
    await write(1, 3);
    await redis.kill();
    await write(4, 6, 50);
    await redis.start();
    await write(7, 9, 50);
    await eventually('Redis is back', () => way.isConnected());
    await write(10, 12);
    await sameUpTo(feeds.clients, '12-1', 12);
  });

  it('nothing is lost when it is flushed, or its entries are', async () => {
    await write(1, 2);
    for (let i = 3; i <= 12; i++) {
      await write(i, i);
      await redis.command(...(i % 2 ? ['FLUSHALL'] : ['XTRIM', 'trading:changes', 'MAXLEN', '0']));
    }
    await write(13, 13);
    await sameUpTo(feeds.clients, '13-1', 13);
  });

  it('nothing waits for it long when it hangs', async () => {
    await write(1, 2);
    redis.signal('SIGSTOP');
    const begun = performance.now();
    await write(3, 30);
    await feeds.clients[1].until(({ row }) => row?.orderId === '30-1');
    expect(performance.now() - begun).toBeLessThan(3_000);
    redis.signal('SIGCONT');
    await write(31, 33);
    await sameUpTo(feeds.clients, '33-1', 33);
  });
});

describe('with a way that loses, repeats and delays', () => {
  /** What one side publishes, the other may get. Random, and the same each time. */
  function badWay(): [TickBroadcast, TickBroadcast] {
    let seed = 7;
    const random = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return seed / 2_147_483_647;
    };
    const accepts: ((part: BroadcastPart) => void)[] = [];
    const side = (): TickBroadcast => ({
      publish: (part) => {
        const copies = random() < 0.3 ? 0 : random() < 0.3 ? 2 : 1;
        for (const accept of accepts) {
          for (let i = 0; i < copies; i++) setTimeout(accept, random() < 0.3 ? 20 * random() : 0, part);
        }
      },
      follow: (accept) => accepts.push(accept),
      isConnected: () => true,
      close: async () => undefined,
    });
    return [side(), side()];
  }

  it('every change is told once and in order', async () => {
    const { clients } = await pair(badWay());
    for (let i = 1; i <= 120; i++) await addOrders(database, i % 40 === 0 ? 1_200 : 1, `${i}-`);
    await addOrders(database, 1, 'end');
    await sameUpTo(clients, 'end1', 117 + 3 * 1_200 + 1);
  });
});
