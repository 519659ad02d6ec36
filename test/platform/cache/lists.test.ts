/** Pages of a parent's list: kept while the feed tells of all that decides what is on them. */
import { afterAll, beforeAll, beforeEach, expect, inject, it } from 'vitest';
import { Cache } from '../../../platform/cache/cache.ts';
import { type Database, openDatabase } from '../../../platform/database/database.ts';
import { type Sql, sql } from '../../../platform/database/sql.ts';
import { Hub } from '../../../platform/feed/hub.ts';
import { createLoaders } from '../../../platform/loaders.ts';
import { createLogger } from '../../../platform/log.ts';
import { connectChildren, connectionSource } from '../../../platform/paging.ts';
import { copyTemplate } from '../../support/databases.ts';
import { opening } from '../feed/parts.ts';

interface ItemRow {
  id: string;
  parent: string;
}

const items = connectionSource<ItemRow>({ table: 'items', id: 'id', sorts: { ID: 'id' }, parents: { parent: 'text' } });
const READING = { isFresh: false, after: [], degrade: () => undefined };

let db: Database;
let drop: () => Promise<void>;
let cache: Cache;

beforeAll(async () => {
  const copy = await copyTemplate(inject('adminUrl'));
  drop = copy.drop;
  db = openDatabase({ url: copy.url, schema: 'public', log: createLogger({ level: 'silent', service: 'test' }) });
  await db.query(sql`create table items (id text primary key, parent text)`);
  await db.query(sql`create table owners (parent text, owner text)`);
});

beforeEach(async () => {
  await db.query(sql`truncate items, owners`);
  await db.query(sql`insert into items values ('a', 'p')`);
  await db.query(sql`insert into owners values ('p', 'me')`);
  cache = new Cache({});
  const hub = new Hub(cache);
  cache.follow(hub);
  cache.learn(new Map([['items', { key: 'id', routes: ['parent'], instants: [] }]]));
  hub.start(opening(10, 100));
});

afterAll(async () => {
  await db?.close();
  await drop?.();
});

async function idsOf(where: readonly Sql[] = []): Promise<string[]> {
  const loaders = createLoaders(db, cache, READING);
  const page = await connectChildren(db, loaders, items, 'parent', 'p', {}, where);
  return page.nodes.map(({ id }) => id);
}

it('keeps a page until the feed tells of a change of its list', async () => {
  expect(await idsOf()).toEqual(['a']);
  await db.query(sql`insert into items values ('b', 'p')`);
  expect(await idsOf()).toEqual(['a']);
});

it('does not keep what rows of another table choose, of which the feed says nothing here', async () => {
  const mine = sql`parent in (select parent from owners where owner = 'me')`;
  expect(await idsOf([mine])).toEqual(['a']);
  await db.query(sql`update owners set owner = 'you'`);
  expect(await idsOf([mine])).toEqual([]);
});
