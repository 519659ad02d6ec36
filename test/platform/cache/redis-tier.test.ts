/** What Redis holds for all processes: in step with the feed whatever it misses, and void where that cannot be known. */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Cache } from '../../../platform/cache/cache.ts';
import { placeOf } from '../../../platform/cache/fence.ts';
import { RedisTier } from '../../../platform/cache/redis-tier.ts';
import type { RowChange } from '../../../platform/feed/change.ts';
import { parseSnapshot } from '../../../platform/feed/snapshot.ts';
import type { BroadcastPart } from '../../../platform/feed/tick-broadcast.ts';
import { createLogger } from '../../../platform/log.ts';
import { type RedisServer, startRedis } from '../../support/redis.ts';
import { eventually } from '../feed/rows.ts';
import { TABLES } from './model.ts';
import { LIST, ROW } from './stage.ts';

const log = createLogger({ level: 'silent', service: 'test' });

let redis: RedisServer;
let plain: Redis;
let tier: RedisTier;
let leader: Cache;

beforeAll(async () => {
  redis = await startRedis();
  plain = new Redis(redis.url);
  plain.on('error', () => undefined); // a test ends the server
});

afterAll(async () => {
  plain?.disconnect();
  await redis?.stop();
});

beforeEach(async () => {
  await plain.flushall('SYNC');
  tier?.close();
  tier = await connect();
  leader = await leading(tier);
  tell(opening(1_000));
});

async function connect(): Promise<RedisTier> {
  const created = new RedisTier({ url: redis.url, prefix: 'test:', log });
  await eventually('Redis is there', () => created.isUsable());
  return created;
}

/** A leader that has read rows and lists, so that it replaces rows that change. */
async function leading(over: RedisTier): Promise<Cache> {
  const cache = new Cache({ redis: over });
  cache.learn(TABLES);
  const reading = { isFresh: true, after: [], degrade: () => undefined };
  await cache.read(ROW, ['a'], async () => [null], reading);
  await cache.read(LIST, ['p'], async () => [[]], reading);
  return cache;
}

const at = '2026-01-01T00:00:00Z';

function opening(tick: number, epoch = 'e'): BroadcastPart {
  const snapshot = parseSnapshot(`${tick}:${tick}:`);
  return { epoch, tick, since: snapshot, snapshot, at, changes: [], isLast: true, previous: -1, after: 0 };
}

function part(tick: number, changes: RowChange[], settings: Partial<BroadcastPart> = {}): BroadcastPart {
  const since = parseSnapshot(`${tick - 1}:${tick - 1}:`);
  return { ...opening(tick), since, changes, previous: tick - 1, ...settings };
}

let seq = 0;

function change(
  id: string,
  version: number,
  { op = 'U', parentId = 'p' }: { op?: 'I' | 'U' | 'D'; parentId?: string } = {},
) {
  const row = { id, parentId, version };
  return { seq: ++seq, xid: 1, relation: 'items', op, key: id, row, was: null, at, trace: null } satisfies RowChange;
}

function tell(...parts: BroadcastPart[]): void {
  for (const each of parts) leader.lead(each);
}

const rowSlot = (id: string) => ({ id: `${ROW.name}:${id}`, place: placeOf('items', 'id', id) });
const listSlot = (id: string) => ({ id: `${LIST.name}:${id}`, place: placeOf('items', 'parentId', id) });

async function held(slot: { id: string; place: number }, from = tier): Promise<unknown> {
  const found = await from.read('items', [slot]);
  const json = found?.values[0];
  return json == null ? undefined : JSON.parse(json);
}

async function store(slot: { id: string; place: number }, tick: number, value: { version?: number } | null | []) {
  const generation = (await tier.read('items', [slot]))?.generation ?? '';
  const version = value && 'version' in value ? (value.version ?? 0) : 0;
  return tier.store(generation, tick, 'items', [{ ...slot, ttlMs: 60_000, version, json: JSON.stringify(value) }]);
}

describe('a value', () => {
  it('is stored when nothing has touched it since the tick at which it was read, and then by nobody who read before', async () => {
    tell(part(1_001, [change('a', 2)]));
    expect(await store(rowSlot('a'), 1_000, { version: 1 })).toBe(0);
    expect(await store(rowSlot('a'), 1_001, { version: 2 })).toBe(1);
    expect(await held(rowSlot('a'))).toEqual({ version: 2 });
    expect(await store(rowSlot('b'), 1_000, { version: 1 })).toBe(1);
  });

  it('is void once the feed has touched it, be it a list or an absence', async () => {
    await store(listSlot('p'), 1_000, []);
    await store(listSlot('q'), 1_000, []);
    await store(rowSlot('b'), 1_000, null);
    expect(await held(rowSlot('b'))).toBe(null);
    tell(part(1_001, [change('b', 1, { op: 'I' })]));
    expect(await held(listSlot('p'))).toBeUndefined();
    expect(await held(listSlot('q'))).toEqual([]);
    expect(await held(rowSlot('b'))).toMatchObject({ id: 'b', version: 1 });
  });

  it('is what a row was at last, however often it changes in one tick', async () => {
    await store(rowSlot('a'), 1_000, { version: 1 });
    tell(part(1_001, [change('a', 2), change('a', 3)]));
    expect(await held(rowSlot('a'))).toMatchObject({ version: 3 });
  });

  it('is that of the new row where one was deleted and inserted again with version 1', async () => {
    await store(rowSlot('a'), 1_000, { version: 7 });
    tell(part(1_001, [change('a', 7, { op: 'D' })]), part(1_002, [change('a', 1, { op: 'I' })]));
    expect(await held(rowSlot('a'))).toBeUndefined();
    await store(rowSlot('a'), 1_002, { version: 1 });
    tell(part(1_003, [change('a', 1, { op: 'D' }), change('a', 1, { op: 'I', parentId: 'q' })]));
    expect(await held(rowSlot('a'))).toBeUndefined();
  });

  it('is not taken back by what the feed brings later than it was read', async () => {
    tell(part(1_001, [change('b', 1)]));
    await store(rowSlot('a'), 1_001, { version: 5 });
    tell(part(1_002, [change('a', 4)]));
    expect(await held(rowSlot('a'))).toEqual({ version: 5 });
  });

  it('is not shared when it is huge, nor is what was there before', async () => {
    const text = 'x'.repeat(300_000);
    expect(await store(rowSlot('b'), 1_000, { version: 1, text } as { version: number })).toBe(0);
    await store(rowSlot('a'), 1_000, { version: 1 });
    const huge = change('a', 2);
    tell(part(1_001, [{ ...huge, row: { ...huge.row, text } as typeof huge.row }]));
    expect(await held(rowSlot('a'))).toBeUndefined();
    tell(part(1_002, [change('a', 3)]));
    expect(await store(rowSlot('a'), 1_002, { version: 3 })).toBe(1);
  });

  it('is void where too much of its table changes at once', async () => {
    await store(rowSlot('a'), 1_000, { version: 1 });
    await store(listSlot('q'), 1_000, []);
    tell(
      part(
        1_001,
        Array.from({ length: 201 }, (_, i) => change(`n${i}`, 1)),
      ),
    );
    expect([await held(rowSlot('a')), await held(listSlot('q'))]).toEqual([undefined, undefined]);
    expect(await store(listSlot('q'), 1_000, [])).toBe(0);
    expect(await store(listSlot('q'), 1_001, [])).toBe(1);
  });
});

describe('a tick in parts', () => {
  const first = (...changes: RowChange[]) => part(1_001, changes, { isLast: false });
  const next = (before: BroadcastPart, changes: RowChange[], isLast: boolean) =>
    part(1_001, changes, { after: before.changes.at(-1)?.seq ?? 0, isLast });

  it('shows no row as it was in the middle of it', async () => {
    await store(rowSlot('a'), 1_000, { version: 1 });
    const begin = first(change('a', 2));
    tell(
      begin,
      next(
        begin,
        Array.from({ length: 201 }, (_, i) => change(i === 0 ? 'a' : `n${i}`, 3)),
        true,
      ),
    );
    expect(await held(rowSlot('a'))).toBeUndefined();
  });

  it('counts as applied when all of it has been', async () => {
    await store(listSlot('q'), 1_000, []);
    const begin = first(change('a', 2));
    tell(begin);
    expect((await tier.read('items', [listSlot('q')]))?.tick).toBe(1_000);
    tell(next(begin, [change('b', 2)], true));
    expect(await tier.read('items', [listSlot('q')])).toMatchObject({ tick: 1_001, values: ['[]'] });
  });

  it('makes everything void when one of its parts is lost', async () => {
    await store(listSlot('q'), 1_000, []);
    const begin = first(change('a', 2));
    const lost = next(begin, [change('a', 2, { parentId: 'q' })], false);
    tell(begin, next(lost, [change('b', 2)], true));
    expect(await held(listSlot('q'))).toBeUndefined();
    expect(await store(listSlot('q'), 1_000, [])).toBe(0);
  });

  it('makes everything void when its first part is lost', async () => {
    await store(rowSlot('a'), 1_000, { version: 1 });
    tell(next(first(change('a', 2)), [change('b', 2)], true));
    expect(await held(rowSlot('a'))).toBeUndefined();
  });
});

describe('what Redis holds', () => {
  it('is void when a tick was not applied', async () => {
    await store(rowSlot('a'), 1_000, { version: 1 });
    tell(part(1_002, [change('b', 1)]));
    expect(await held(rowSlot('a'))).toBeUndefined();
    expect(tier.generations).toBe(2);
  });

  it('is void when Redis was emptied, and is stored again from the next tick on', async () => {
    await store(rowSlot('a'), 1_000, { version: 1 });
    await plain.flushall('SYNC');
    expect(await tier.read('items', [rowSlot('a')])).toBeNull();
    tell(part(1_001, [change('b', 1)]));
    expect(await store(rowSlot('a'), 1_000, { version: 1 })).toBe(0);
    expect(await store(rowSlot('a'), 1_001, { version: 1 })).toBe(1);
  });

  it('is void when Redis fails over to an older state, and nothing is stored under what it was', async () => {
    await store(rowSlot('a'), 1_000, { version: 1 });
    const old = await plain.dumpBuffer('test:cache:fence');
    const { generation } = (await tier.read('items', [rowSlot('a')])) ?? { generation: '' };
    tell(part(1_001, [change('a', 2)]));
    await held(rowSlot('a'));
    await plain.restore('test:cache:fence', 0, old as Buffer, 'REPLACE');
    tell(part(1_002, [change('b', 1)]));
    expect(await held(rowSlot('a'))).toBeUndefined();
    const entry = { ...rowSlot('a'), ttlMs: 60_000, version: 1, json: '{"version":1}' };
    expect(await tier.store(generation, 1_002, 'items', [entry])).toBe(0);
  });

  it('is not touched by a leader that has been deposed', async () => {
    const successor = await connect();
    const next = await leading(successor);
    next.lead(opening(2_000));
    await successor.read('items', [rowSlot('a')]);
    await store(rowSlot('a'), 2_000, { version: 2 });
    tell(part(1_001, [change('a', 1)]));
    expect(await held(rowSlot('a'), tier)).toEqual({ version: 2 });
    next.lead(part(2_001, [change('b', 1)]));
    expect(await successor.read('items', [rowSlot('a')])).toMatchObject({ tick: 2_001 });
    expect(await held(rowSlot('a'), successor)).toEqual({ version: 2 });
    successor.close();
  });

  it('is void in another epoch', async () => {
    await store(rowSlot('a'), 1_000, { version: 1 });
    tell(opening(1_000, 'f'));
    expect(await tier.read('items', [rowSlot('a')])).toMatchObject({ epoch: 'f', values: [null] });
  });

  it('is void once it was cleared', async () => {
    await store(rowSlot('a'), 1_000, { version: 1 });
    await leader.forget();
    expect(await held(rowSlot('a'))).toBeUndefined();
    tell(part(1_001, [change('b', 1)]));
    expect(await held(rowSlot('a'))).toBeUndefined();
  });
});

describe('a Redis that was emptied', () => {
  it('can be used again before anything changes', async () => {
    await plain.flushall('SYNC');
    expect(await tier.read('items', [rowSlot('a')])).toBeNull();
    await eventually('the leader has begun anew', async () => {
      leader.rest();
      return (await tier.read('items', [rowSlot('a')])) !== null;
    });
    expect(await store(rowSlot('a'), 1_000, { version: 1 })).toBe(1);
    tell(part(1_001, [change('b', 1)]));
    expect(await held(rowSlot('a'))).toEqual({ version: 1 });
  });
});

describe('a Redis that is away', () => {
  it('is not waited for, and fails nobody', async () => {
    await redis.kill();
    await eventually('the connection is lost', () => !tier.isUsable());
    expect(await tier.read('items', [rowSlot('a')])).toBeNull();
    expect(await tier.store('g', 1_001, 'items', [{ ...rowSlot('a'), ttlMs: 1_000, version: 1, json: '{}' }])).toBe(0);
    tell(part(1_001, [change('a', 2)]));
    await redis.start();
    await eventually('Redis is back', () => tier.isUsable());
    tell(part(1_002, [change('b', 2)]));
    expect(await store(rowSlot('a'), 1_002, { version: 2 })).toBe(1);
  });

  it('is left alone when it hangs, and asked again when it does no longer', async () => {
    await store(rowSlot('a'), 1_000, { version: 1 });
    redis.signal('SIGSTOP');
    const answers = await Promise.all(Array.from({ length: 5 }, () => tier.read('items', [rowSlot('a')])));
    expect(answers).toEqual(Array.from({ length: 5 }, () => null));
    expect(tier.isUsable()).toBe(false);
    redis.signal('SIGCONT');
    await eventually('Redis is asked again', () => tier.isUsable());
    await eventually('Redis answers', async () => (await held(rowSlot('a'))) !== undefined);
    expect(tier.isUsable()).toBe(true);
  });
});
