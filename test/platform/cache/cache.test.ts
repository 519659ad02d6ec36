/** What one process keeps: until the feed touches it, until a command of its own writes there, until nobody can tell. */
import { beforeEach, describe, expect, it } from 'vitest';
import { Cache } from '../../../platform/cache/cache.ts';
import type { Degradation, Family, Reading } from '../../../platform/cache/family.ts';
import { Hub } from '../../../platform/feed/hub.ts';
import { parseSnapshot } from '../../../platform/feed/snapshot.ts';
import { change, opening, tick } from '../feed/parts.ts';
import { TABLES } from './model.ts';
import { LIST, ROW } from './stage.ts';

let cache: Cache;
let hub: Hub;
let statements: string[];
let degraded: Degradation[];

beforeEach(() => {
  statements = [];
  degraded = [];
  cache = new Cache({});
  hub = new Hub(cache);
  cache.follow(hub);
  cache.learn(TABLES);
  hub.start(opening(10, 100));
});

const reading = (settings: Partial<Reading> = {}): Reading => ({
  isFresh: false,
  after: [],
  degrade: (state) => degraded.push(state),
  ...settings,
});

/** Reads one value; PostgreSQL has it. */
async function read(family: Family<never>, key: string, value: unknown, settings: Partial<Reading> = {}) {
  const look = async (keys: readonly string[]) => {
    statements.push(...keys);
    return keys.map(() => value as never);
  };
  const [found] = await cache.read(family, [key], look, reading(settings));
  return found as unknown;
}

const row = (version: number, parentId = 'p') => ({ id: 'a', parentId, version });
const changed = (seq: number, version: number, parentId = 'p') =>
  change(seq, { relation: 'items', row: row(version, parentId) });

/** A command under way in transaction 105, which has written row a. */
const written = () => ({
  $queryRaw: async () =>
    [{ xid: '105', relation: 'items', key: 'a', image: JSON.stringify(row(2)), was: null }] as never,
});

describe('a process', () => {
  it('reads a value once, and those that are asked for meanwhile with it', async () => {
    const both = [read(ROW as never, 'a', row(1)), read(ROW as never, 'a', row(2))];
    expect(await Promise.all(both)).toEqual([row(1), row(1)]);
    expect(await read(ROW as never, 'a', row(3))).toEqual(row(1));
    expect(statements).toEqual(['a']);
  });

  it('has the row that the feed brings, and reads lists again in which it is or was', async () => {
    await read(ROW as never, 'a', row(1));
    for (const parent of ['p', 'q', 'r']) await read(LIST as never, parent, []);
    hub.accept(tick(11, 100, 110, [{ ...changed(101, 2, 'q'), was: { parentId: 'p' } }]));
    expect(await read(ROW as never, 'a', null)).toEqual(row(2, 'q'));
    statements = [];
    for (const parent of ['p', 'q', 'r']) await read(LIST as never, parent, []);
    expect(statements).toEqual(['p', 'q']);
  });

  it('keeps a row that it has read newer than the feed brings it, but no row of an earlier life', async () => {
    await read(ROW as never, 'a', row(3));
    hub.accept(tick(11, 100, 110, [changed(101, 2)]));
    expect(await read(ROW as never, 'a', null)).toEqual(row(3));
    hub.accept(
      tick(12, 110, 120, [
        { ...changed(111, 3), op: 'D' },
        { ...changed(112, 1), op: 'I' },
      ]),
    );
    expect(await read(ROW as never, 'a', row(1))).toEqual(row(1));
    expect(statements).toEqual(['a', 'a']);
  });

  it('does not keep what it began to read before the feed touched it', async () => {
    const arrives = Promise.withResolvers<unknown[]>();
    const begins = Promise.withResolvers<void>();
    const look = () => {
      begins.resolve();
      return arrives.promise as never;
    };
    const slow = cache.read(ROW as never, ['a'], look, reading());
    await begins.promise;
    hub.accept(tick(11, 100, 110, [changed(101, 2)]));
    arrives.resolve([row(1)]);
    expect(await slow).toEqual([row(1)]);
    expect(await read(ROW as never, 'a', row(2))).toEqual(row(2));
  });

  it('never has a row as it was in the middle of a transaction', async () => {
    await read(ROW as never, 'a', row(1));
    hub.accept({ ...tick(11, 100, 110, [changed(101, 2)]), isLast: false });
    expect(await read(ROW as never, 'a', row(3))).toEqual(row(3));
    hub.accept(tick(11, 100, 110, [changed(102, 3)]));
    expect(await read(ROW as never, 'a', row(3))).toEqual(row(3));
    expect(statements).toEqual(['a', 'a', 'a']);
  });

  it('forgets all when the feed does not join on', async () => {
    await read(ROW as never, 'a', row(1));
    hub.start(opening(500, 200));
    expect(await read(ROW as never, 'a', row(2))).toEqual(row(2));
  });

  it('keeps nothing of a table that the feed does not tell of, nor by a column that it does not name', async () => {
    const families = [
      { ...LIST, name: 'other', table: 'others' },
      { ...LIST, name: 'text', column: 'text' },
    ];
    for (const family of families) {
      expect(await read(family as never, 'x', [1])).toEqual([1]);
      expect(await read(family as never, 'x', [2])).toEqual([2]);
    }
  });
});

describe('what a command has written', () => {
  it('is read from PostgreSQL until the feed has brought it', async () => {
    await read(ROW as never, 'a', row(1));
    await cache.expect(written());
    expect(await read(ROW as never, 'a', row(1))).toEqual(row(1));
    expect(await read(ROW as never, 'a', row(2))).toEqual(row(2));
    hub.accept(tick(11, 100, 106, [{ ...changed(105, 2), xid: 105 }]));
    expect(await read(ROW as never, 'a', row(2))).toEqual(row(2));
    expect(await read(ROW as never, 'a', null)).toEqual(row(2));
  });

  it('is not forgotten when another leader begins meanwhile', async () => {
    await cache.expect(written());
    hub.accept(opening(2_000, 100));
    expect(await read(ROW as never, 'a', row(1))).toEqual(row(1)); // it is not committed yet
    expect(await read(ROW as never, 'a', row(2))).toEqual(row(2));
  });

  it('is held no longer when a leader begins who sees it already', async () => {
    await cache.expect(written());
    hub.accept({ ...tick(1_000, 110, 110, []), since: parseSnapshot('110:110:') });
    await read(ROW as never, 'a', row(2));
    expect(await read(ROW as never, 'a', null)).toEqual(row(2));
  });

  it('is held no longer once a tick sees that it is over', async () => {
    await cache.expect(written());
    hub.accept(tick(11, 100, 110, [change(107, { relation: 'items', row: { id: 'b', parentId: 'q' } })]));
    await read(ROW as never, 'a', row(1));
    expect(await read(ROW as never, 'a', null)).toEqual(row(1));
  });

  it('is not held at all where the feed was faster', async () => {
    hub.accept(tick(11, 100, 106, [{ ...changed(105, 2), xid: 105 }]));
    await cache.expect(written());
    await read(ROW as never, 'a', row(2));
    expect(await read(ROW as never, 'a', null)).toEqual(row(2));
  });
});

it('what a statement has left of a row is kept until the feed brings it, whatever was removed before and has come again', async () => {
  await read(ROW as never, 'a', null);
  const anew = row(1, 'q');
  cache.expectRows(105, 'items', ['a'], [JSON.stringify(anew)]);
  // Transaction 101 inserted the row that 105 has removed and inserted again.
  hub.accept(tick(11, 100, 104, [{ ...changed(101, 1), op: 'I' }]));
  expect(await read(ROW as never, 'a', null)).toEqual(anew);
  hub.accept(tick(12, 104, 105, [{ ...changed(104, 1), op: 'D' }]));
  expect(await read(ROW as never, 'a', null)).toEqual(anew);
  hub.accept(tick(13, 105, 107, [{ ...changed(106, 1, 'q'), xid: 105, op: 'I' }, changed(107, 2, 'r')]));
  expect(await read(ROW as never, 'a', null)).toEqual(row(2, 'r'));
  expect(statements).toEqual(['a']);
});

describe('a reader', () => {
  it('who wants it fresh, or after a command that the feed has not brought, has it from PostgreSQL', async () => {
    await read(ROW as never, 'a', row(1));
    expect(await read(ROW as never, 'a', row(2), { isFresh: true })).toEqual(row(2));
    expect(await read(ROW as never, 'a', row(3), { after: [105] })).toEqual(row(3));
    expect(await read(ROW as never, 'a', row(4), { after: [99] })).toEqual(row(3));
    expect(cache.statistics()).toMatchObject({ bypasses: 2, misses: 1, processHits: 1 });
  });

  it('has it from PostgreSQL while the feed is away', async () => {
    await read(ROW as never, 'a', row(1));
    hub.interrupt();
    expect(await read(ROW as never, 'a', row(2))).toEqual(row(2));
  });

  it('is told so when the database is away and what is known is old', async () => {
    await read(ROW as never, 'a', row(1));
    hub.interrupt();
    const away = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    const fail = () => Promise.reject(away);
    expect(await cache.read(ROW, ['a'], fail, reading())).toEqual([row(1)]);
    expect(degraded).toEqual([{ store: 'POSTGRESQL', asOf: '2026-01-01T00:00:00.000Z' }]);
    await expect(cache.read(ROW, ['b'], fail, reading())).rejects.toBe(away);
    await expect(cache.read(ROW, ['a'], fail, reading({ isFresh: true }))).rejects.toBe(away);
  });
});

it('takes no more memory than it may', async () => {
  cache = new Cache({ bytes: 10_000 });
  hub = new Hub(cache);
  cache.follow(hub);
  cache.learn(TABLES);
  hub.start(opening(10, 100));
  for (let i = 0; i < 200; i++) await read(ROW as never, `row ${i}`, row(i));
  const { bytes, entries, evictions } = cache.statistics();
  expect(bytes).toBeLessThanOrEqual(10_000);
  expect(entries + evictions).toBe(200);
  expect(await read(ROW as never, 'row 199', null)).toEqual(row(199));
});

it('gives up what nobody asks for before what is asked for again', async () => {
  cache = new Cache({ bytes: 10_000 });
  hub = new Hub(cache);
  cache.follow(hub);
  cache.learn(TABLES);
  hub.start(opening(10, 100));
  for (let i = 0; i < 200; i++) {
    await read(ROW as never, `row ${i}`, row(i));
    await read(ROW as never, 'often', row(1));
  }
  expect(statements.filter((key) => key === 'often')).toHaveLength(1);
  expect(cache.statistics().evictions).toBeGreaterThan(100);
});

it('keeps nothing that would drive out much else', async () => {
  cache = new Cache({ bytes: 10_000 });
  hub = new Hub(cache);
  cache.follow(hub);
  cache.learn(TABLES);
  hub.start(opening(10, 100));
  await read(ROW as never, 'a', row(1));
  const huge = { ...row(1), text: 'x'.repeat(2_000) };
  await read(ROW as never, 'b', huge);
  expect(await read(ROW as never, 'b', huge)).toBe(huge);
  expect(await read(ROW as never, 'a', null)).toEqual(row(1));
  expect(statements).toEqual(['a', 'b', 'b']);
  expect(cache.statistics().entries).toBe(1);
});
