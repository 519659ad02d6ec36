import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { Cache } from '../../platform/cache/cache.ts';
import { type Database, openDatabase } from '../../platform/database/database.ts';
import { sql } from '../../platform/database/sql.ts';
import { childList, createLoaders, entity } from '../../platform/loaders.ts';
import { createLogger } from '../../platform/log.ts';
import { type ConnectionArgs, connect, connectChildren, connectionSource } from '../../platform/paging.ts';
import { copyTemplate } from '../support/databases.ts';

interface FillRow {
  fillId: string;
  account: string;
  quantity: string;
  filledAt: string;
}

const READING = { isFresh: false, after: [], degrade: () => undefined };

const fills = connectionSource<FillRow>({
  table: 'fills',
  id: 'fill_id',
  sorts: { FILLED_AT: 'filled_at', QUANTITY: 'quantity' },
  parents: { account: 'text', tags: { type: 'text', matches: (key) => sql`tags @> array[${key}]` } },
});
const fill = entity<FillRow>({ name: 'Fill', table: 'fills', key: 'fill_id', keyType: 'uuid' });
const fillsOfAccount = childList<FillRow>({
  name: 'Account.fills',
  table: 'fills',
  parent: 'account',
  keyType: 'text',
  orderBy: 'filled_at',
  limit: 3,
});

const idOf = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`;

let db: Database;
let drop: () => Promise<void>;

/** 30 fills: accounts a, b, c in turn; filled_at repeats within a microsecond-exact triple; quantity is n/8. */
beforeAll(async () => {
  const copy = await copyTemplate(inject('adminUrl'));
  drop = copy.drop;
  db = openDatabase({ url: copy.url, schema: 'public', log: createLogger({ level: 'silent', service: 'test' }) });
  await db.query(
    sql`create table fills (fill_id uuid primary key, account text, tags text[], quantity numeric(24,8), filled_at timestamptz)`,
  );
  await db.query(sql`
    insert into fills
    select ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, (array['a', 'b', 'c'])[n % 3 + 1],
           array['t' || n % 2], n / 8.0, '2026-01-01T00:00:00Z'::timestamptz + (n / 3) * interval '1 microsecond'
      from generate_series(1, 30) as n`);
});

afterAll(async () => {
  await db.close();
  await drop();
});

async function pages(args: ConnectionArgs): Promise<string[][]> {
  const seen: string[][] = [];
  for (let after: string | null = null; ; ) {
    const page: Awaited<ReturnType<typeof connect<FillRow>>> = await connect(db, fills, { ...args, after });
    seen.push(page.nodes.map((row) => row.fillId));
    expect(page.pageInfo.hasPreviousPage).toBe(after !== null);
    if (!page.pageInfo.hasNextPage) return seen;
    after = page.pageInfo.endCursor;
  }
}

describe('a connection', () => {
  it('gives rows with exact decimals and microseconds', async () => {
    const page = await connect(db, fills, { first: 1 });
    expect(page.nodes).toEqual([
      { fillId: idOf(30), account: 'a', tags: ['t0'], quantity: '3.75000000', filledAt: '2026-01-01T00:00:00.00001Z' },
    ]);
    expect(page.edges[0]?.cursor).toBe(page.pageInfo.endCursor);
  });

  it.each(['ASC', 'DESC'] as const)('pages through ties without a gap or a repeat, %s', async (sortOrder) => {
    const seen = (await pages({ first: 7, sortOrder })).flat();
    const all = Array.from({ length: 30 }, (_, i) => idOf(i + 1));
    expect(seen).toEqual(sortOrder === 'ASC' ? all : all.reverse());
  });

  it('stands still while rows come and go before the cursor', async () => {
    const first = await connect(db, fills, { first: 5, sortBy: 'QUANTITY' });
    await db.query(sql`insert into fills values (${idOf(31)}, 'a', array['t1'], 99, '2027-01-01T00:00:00Z')`);
    const second = await connect(db, fills, { first: 5, sortBy: 'QUANTITY', after: first.pageInfo.endCursor });
    await db.query(sql`delete from fills where fill_id = ${idOf(31)}`);
    expect(second.nodes.map((row) => row.fillId)).toEqual([25, 24, 23, 22, 21].map(idOf));
  });

  it('counts what the filters leave', async () => {
    const page = await connect(db, fills, { first: 2 }, [sql`account = ${'b'}`, sql`quantity >= ${'1'}`]);
    expect(await page.totalCount()).toBe(7);
    expect(page.nodes).toHaveLength(2);
  });

  it('refuses pages that are too large, and cursors that are not its own', async () => {
    const badCursor = 'after must be a cursor that this list gave out';
    const forged = Buffer.from(JSON.stringify(['FILLED_AT', 'yesterday', 'x'])).toString('base64url');
    const { pageInfo } = await connect(db, fills, { first: 1 });
    await expect(connect(db, fills, { first: 10_000 })).rejects.toThrow('first must be from 0 to 500, but got 10000.');
    await expect(connect(db, fills, { first: -1 })).rejects.toThrow('first must be from 0 to 500, but got -1.');
    await expect(connect(db, fills, { after: 'abc' })).rejects.toThrow(badCursor);
    await expect(connect(db, fills, { after: forged })).rejects.toThrow(badCursor);
    await expect(connect(db, fills, { after: pageInfo.endCursor, sortBy: 'QUANTITY' })).rejects.toThrow(
      'after is a cursor of the list sorted by FILLED_AT, but this one is sorted by QUANTITY.',
    );
  });
});

describe('child connections', () => {
  it('of many parents cost one statement, and one more when counted', async () => {
    const loaders = createLoaders(db, new Cache({ bytes: 0 }), READING);
    const before = db.statements();
    const parents = ['a', 'b', 'c', 'nobody'];
    const lists = await Promise.all(
      parents.map((parent) => connectChildren(db, loaders, fills, 'account', parent, { first: 2 })),
    );
    expect(lists.map((list) => list.nodes.map((row) => row.fillId))).toEqual([
      [30, 27].map(idOf),
      [28, 25].map(idOf),
      [29, 26].map(idOf),
      [],
    ]);
    expect(lists.map((list) => list.pageInfo.hasNextPage)).toEqual([true, true, true, false]);
    expect(db.statements() - before).toBe(1);
    expect(await Promise.all(lists.map((list) => list.totalCount()))).toEqual([10, 10, 10, 0]);
    expect(db.statements() - before).toBe(2);
  });

  it('find their parents by a condition of their own', async () => {
    const page = await connectChildren(db, createLoaders(db, new Cache({ bytes: 0 }), READING), fills, 'tags', 't1', {
      first: 500,
      sortOrder: 'ASC',
    });
    expect(page.nodes.map((row) => row.fillId)).toEqual(Array.from({ length: 15 }, (_, i) => idOf(2 * i + 1)));
  });
});

describe('loaders', () => {
  it('read many keys in one statement and answer in their order', async () => {
    const loaders = createLoaders(db, new Cache({ bytes: 0 }), READING);
    const before = db.statements();
    const keys = [idOf(3), 'not a uuid', idOf(1).toUpperCase(), idOf(99), idOf(3)];
    const rows = await Promise.all(keys.map((key) => loaders.load(fill, key)));
    expect(rows.map((row) => row?.fillId ?? null)).toEqual([idOf(3), null, idOf(1), null, idOf(3)]);
    expect(db.statements() - before).toBe(1);
  });

  it('keep a child list within its bound, in order', async () => {
    const loaders = createLoaders(db, new Cache({ bytes: 0 }), READING);
    const [ofA, ofNobody] = await Promise.all([loaders.list(fillsOfAccount, 'a'), loaders.list(fillsOfAccount, 'x')]);
    expect(ofA.map((row) => row.fillId)).toEqual([3, 6, 9].map(idOf));
    expect(ofNobody).toEqual([]);
  });
});
