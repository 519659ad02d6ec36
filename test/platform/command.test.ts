import { PrismaPg } from '@prisma/adapter-pg';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { OPEN_ACCESS } from '../../platform/access.ts';
import { Cache } from '../../platform/cache/cache.ts';
import { NO_FAULTS } from '../../platform/chaos/active-faults.ts';
import { command } from '../../platform/command.ts';
import { createContext, type SubgraphContext } from '../../platform/context.ts';
import { type Database, openDatabase } from '../../platform/database/database.ts';
import { DomainAdapter } from '../../platform/database/domain-adapter.ts';
import { named, sql } from '../../platform/database/sql.ts';
import { dec } from '../../platform/decimal.ts';
import { refuse } from '../../platform/errors.ts';
import { type Feed, startFeed } from '../../platform/feed/feed.ts';
import { createGraphClient } from '../../platform/graph-client.ts';
import { domainHealth } from '../../platform/health.ts';
import { createLogger } from '../../platform/log.ts';
import { domainUrl } from '../../prisma/roles.ts';
import { PrismaClient } from '../../prisma/trading/generated/client.ts';
import { copyTemplate } from '../support/databases.ts';

const log = createLogger({ level: 'silent', service: 'test' });
const TOKEN = expect.stringMatching(/^trading\.\d+$/);
let db: Database;
let feed: Feed;
let drop: () => Promise<void>;
let context: SubgraphContext<PrismaClient>;

function contextOn(database: Database, Adapter = DomainAdapter): SubgraphContext<PrismaClient> {
  return createContext({
    domain: 'trading',
    db: database,
    prisma: new PrismaClient({ adapter: new Adapter(database.pool, { schema: 'trading' }) }),
    feed,
    health: domainHealth({
      cache: new Cache({}),
      domain: 'trading',
      db: database,
      feed,
      redisUrl: undefined,
      redisPrefix: 'trading:',
      log,
    }),
    cache: new Cache({}),
    faults: NO_FAULTS,
    service: undefined,
    graph: createGraphClient(() => Promise.reject(new Error('not asked'))),
    log,
    now: () => new Date(),
    access: OPEN_ACCESS,
    headers: {},
  });
}

beforeAll(async () => {
  const copy = await copyTemplate(inject('adminUrl'));
  drop = copy.drop;
  db = openDatabase({ url: domainUrl(copy.url, 'trading'), schema: 'trading', log });
  await db.query(sql`create table tally (name text primary key, amount int not null)`);
  feed = startFeed({ domain: 'trading', databaseUrl: domainUrl(copy.url, 'trading'), schema: 'trading', db, log });
  context = contextOn(db);
});

beforeEach(async () => {
  await db.query(sql`truncate tally, idempotency_keys`);
  await db.query(sql`insert into tally values ('a', 0), ('b', 0)`);
});

afterAll(async () => {
  await feed.close();
  await db.close();
  await drop();
});

const amountOf = async (name: string) =>
  (await db.one<{ amount: number }>(sql`select amount from tally where name = ${name}`))?.amount;

/** A command that adds one to a tally and tells the new amount. */
const add = (input: { name: string; note?: string | null; idempotencyKey?: string }) =>
  command(context, 'add', input, async (tx) => {
    const rows = await tx.$queryRaw<{ amount: number }[]>(
      sql`update tally set amount = amount + 1 where name = ${input.name} returning amount`,
    );
    const row = rows[0];
    if (!row) throw refuse.notFound('Tally', input.name);
    return { amount: row.amount };
  });

describe('a command', () => {
  it('commits and gives its result', async () => {
    expect(await add({ name: 'a' })).toEqual({ amount: 1, errors: [], readToken: TOKEN });
    expect(await amountOf('a')).toBe(1);
  });

  it('that is refused leaves nothing behind', async () => {
    const payload = await command(context, 'add', {}, async (tx): Promise<object> => {
      await tx.$executeRaw(sql`update tally set amount = 9 where name = 'a'`);
      throw refuse.conflict(3);
    });
    expect(payload.errors).toMatchObject([{ __typename: 'Conflict', code: 'CONFLICT', currentVersion: 3 }]);
    expect(await amountOf('a')).toBe(0);
  });

  it('that fails by a bug throws, leaves nothing behind, and may be repeated with its key', async () => {
    const input = { name: 'a', idempotencyKey: 'k' };
    const broken = command(context, 'add', input, async (tx) => {
      await tx.$executeRaw(sql`update tally set amount = 9 where name = 'a'`);
      throw new Error('a bug');
    });
    await expect(broken).rejects.toThrow('a bug');
    expect(await add(input)).toEqual({ amount: 1, errors: [], readToken: TOKEN });
  });

  it('is run again after a deadlock', async () => {
    const move = (from: string, to: string) =>
      command(context, 'move', {}, async (tx) => {
        await tx.$executeRaw(sql`update tally set amount = amount - 1 where name = ${from}`);
        await tx.$executeRaw(sql`select pg_sleep(0.05)`);
        await tx.$executeRaw(sql`update tally set amount = amount + 1 where name = ${to}`);
        return {};
      });
    const payloads = await Promise.all([move('a', 'b'), move('b', 'a'), move('a', 'b')]);
    expect(payloads).toEqual([1, 2, 3].map(() => ({ errors: [], readToken: TOKEN })));
    expect([await amountOf('a'), await amountOf('b')]).toEqual([-1, 1]);
  });

  it('does not pretend to know what became of it when the database goes away at the commit', async () => {
    await db.query(sql`
      create function leave() returns trigger language plpgsql as
        $$ begin perform pg_terminate_backend(pg_backend_pid()); return null; end $$`);
    await db.query(sql`
      create constraint trigger leave_at_commit after update on tally deferrable initially deferred
         for each row when (new.amount = 100) execute function leave()`);
    const payload = await command(context, 'set', {}, async (tx) => {
      await tx.$executeRaw(sql`update tally set amount = 100 where name = 'a'`);
      return {};
    });
    expect(payload.errors).toMatchObject([{ __typename: 'DomainUnavailable', code: 'DOMAIN_UNAVAILABLE' }]);
    expect(payload.errors[0]?.message).toContain('send it again with the same idempotencyKey');
    // The pool may not have seen yet that it is gone.
    await vi.waitFor(async () => expect(await amountOf('a')).toBe(0), 30_000);
  });

  it('refuses with DomainUnavailable when the database cannot be reached', async () => {
    const nowhere = openDatabase({ url: 'postgres://x:y@127.0.0.1:1/none', schema: 'trading', log });
    const payload = await command(contextOn(nowhere), 'add', {}, async () => ({}));
    expect(payload.errors).toMatchObject([{ __typename: 'DomainUnavailable', domain: 'trading' }]);
    await nowhere.close();
  });
});

describe('in its transaction, a command', () => {
  const account = '00000000-0000-4000-8000-000000000001';
  const insertStrategy = sql`insert into strategies (strategy_id, name, strategy_type, account_id, instruments)
    values ('s', 'S', 'custom', ${account}::uuid, array['BTC-USD'])`;

  it('finds by Prisma’s models what its SQL has done, and the other way round; nothing of it stays when it is refused', async () => {
    const payload = await command(context, 'both', {}, async (tx): Promise<object> => {
      await tx.$executeRaw(insertStrategy);
      expect(await tx.strategy.findMany({ select: { strategyId: true } })).toEqual([{ strategyId: 's' }]);
      await tx.strategy.update({ where: { strategyId: 's' }, data: { name: 'T' } });
      expect(await tx.$queryRaw(sql`select name from strategies`)).toEqual([{ name: 'T' }]);
      throw refuse.conflict(1);
    });
    expect(payload.errors).toMatchObject([{ code: 'CONFLICT' }]);
    expect(await db.query(sql`select from strategies`)).toEqual([]);
  });

  it('never has Prisma begin another one', async () => {
    const other = contextOn(db, PrismaPg as typeof DomainAdapter);
    const broken = command(other, 'both', {}, async (tx) => ({ count: await tx.strategy.count() }));
    await expect(broken).rejects.toThrow('give it a DomainAdapter');
  });

  it('gets the values that Prisma gives', async () => {
    const values = sql`select 1::int2 as a, 2::int4 as b, 3::int8 as c, 1.50::numeric as d, 0.25::float8 as e, true as f,
      'x'::text as g, null::text as h, ${account}::uuid as i, '{"k": [1]}'::jsonb as j, date '2026-01-31' as k,
      timestamptz '2026-01-31 10:00:00.123456+02' as l, '{1.5,NULL}'::numeric[] as m, '{1}'::int8[] as n,
      array['a "b"', null, 'c\\d'] as o, '{2026-01-31}'::timestamptz[] as p, 'y'::char(3) as q, '{1}'::int4[] as r`;
    const [ours] = await rowsOf<Record<string, unknown>>(values);
    const [prismas] = await context.prisma.$queryRaw<Record<string, unknown>[]>(values);
    expect(ours).toEqual(prismas);
    expect(ours).toMatchObject({
      c: 3n,
      d: dec('1.5'),
      l: new Date('2026-01-31T08:00:00.123Z'),
      o: ['a "b"', null, 'c\\d'],
    });
  });

  it('gives values as they are', async () => {
    const at = new Date('2026-01-31T08:00:00.123Z');
    const texts = ['a "b"', 'c\\d', '{e,f}', ''];
    const given = sql`select ${dec('1e-8')}::numeric as a, ${10n ** 18n}::int8 as b, ${at}::timestamptz as c, ${texts}::text[] as d,
      ${[dec('1.5'), null]}::numeric[] as e, ${{ k: [1, 'x'] }}::jsonb as f, ${true}::boolean as g, ${null}::text as h`;
    const expected = {
      a: dec('1e-8'),
      b: 10n ** 18n,
      c: at,
      d: texts,
      e: [dec('1.5'), null],
      f: { k: [1, 'x'] },
      g: true,
      h: null,
    };
    expect(await rowsOf(given)).toEqual([expected]);
  });

  it('asks for several things in one message, of which the first that fails ends it', async () => {
    const before = db.messages();
    const broken = command(context, 'several', {}, async (tx) => {
      await Promise.all([
        tx.$executeRaw(sql`update tally set amount = 1 where name = 'a'`),
        tx.$executeRaw(named('mistaken', sql`select 1 / ${0}::int`)),
        tx.$executeRaw(sql`select setval('change_log_seq', 1)`),
      ]);
      return {};
    });
    await expect(broken).rejects.toThrow('division by zero');
    expect(db.messages() - before).toBe(2); // with what rolls it back
    expect(await rowsOf(named('mistaken', sql`select 1 / ${1}::int as one`))).toEqual([{ one: 1 }]);
    expect(await amountOf('a')).toBe(0);
  });

  it('is run again where a table has got other columns since it was last asked for', async () => {
    const look = () =>
      Promise.all([1, 2, 3].map(() => rowsOf(named('look', sql`select * from tally where name = 'a'`))));
    expect(await look()).toEqual(Array(3).fill([{ name: 'a', amount: 0 }]));
    await db.query(sql`alter table tally add column note text`);
    expect(await look()).toEqual(Array(3).fill([{ name: 'a', amount: 0, note: null }]));
    await db.query(sql`alter table tally drop column note`);
  });

  /** The rows that a command sees. */
  async function rowsOf<Row>(statement: Parameters<typeof db.query>[0]): Promise<Row[]> {
    const { rows } = await command(context, 'ask', {}, async (tx) => ({ rows: await tx.$queryRaw<Row[]>(statement) }));
    return rows ?? [];
  }
});

describe('an idempotency key', () => {
  it('gives the first answer again, whatever the order of the fields', async () => {
    expect(await add({ name: 'a', note: 'x', idempotencyKey: 'k' })).toEqual({
      amount: 1,
      errors: [],
      readToken: TOKEN,
    });
    expect(await add({ idempotencyKey: 'k', note: 'x', name: 'a' })).toEqual({
      amount: 1,
      errors: [],
      readToken: TOKEN,
    });
    expect(await amountOf('a')).toBe(1);
  });

  it('refuses other content, and another operation', async () => {
    await add({ name: 'a', idempotencyKey: 'k' });
    const other = await add({ name: 'b', idempotencyKey: 'k' });
    const operation = await command(context, 'subtract', { name: 'a', idempotencyKey: 'k' }, async () => ({}));
    for (const payload of [other, operation]) {
      expect(payload.errors).toMatchObject([{ __typename: 'IdempotencyConflict', key: 'k' }]);
    }
    expect(await amountOf('b')).toBe(0);
  });

  it('keeps a refusal as the first answer', async () => {
    const first = await add({ name: 'z', idempotencyKey: 'k' });
    await db.query(sql`insert into tally values ('z', 0)`);
    expect(await add({ name: 'z', idempotencyKey: 'k' })).toEqual(first);
    expect(first.errors).toMatchObject([{ __typename: 'NotFound', id: 'z' }]);
    expect(await amountOf('z')).toBe(0);
  });

  it('keeps of a refused command nothing that was to go with its commit', async () => {
    const payload = await command(context, 'add', { idempotencyKey: 'k' }, async (tx): Promise<object> => {
      tx.$atCommit(sql`update tally set amount = 9 where name = 'a'`);
      throw refuse.conflict(1);
    });
    expect(payload.errors).toMatchObject([{ code: 'CONFLICT' }]);
    expect(await amountOf('a')).toBe(0);
  });

  it('lets one of many simultaneous holders through', async () => {
    const payloads = await Promise.all(Array.from({ length: 20 }, () => add({ name: 'a', idempotencyKey: 'k' })));
    expect(new Set(payloads.map((payload) => payload.amount))).toEqual(new Set([1]));
    expect(await amountOf('a')).toBe(1);
  });

  it('may be used again after a day', async () => {
    await add({ name: 'a', idempotencyKey: 'k' });
    await db.query(sql`update idempotency_keys set created_at = now() - interval '25 hours'`);
    expect(await add({ name: 'b', idempotencyKey: 'k' })).toEqual({ amount: 1, errors: [], readToken: TOKEN });
  });

  it('has 1 to 200 characters', async () => {
    const payload = await add({ name: 'a', idempotencyKey: 'k'.repeat(201) });
    expect(payload.errors).toMatchObject([
      { code: 'VALIDATION_FAILED', message: 'idempotencyKey must have 1 to 200 characters, but got 201.' },
    ]);
  });
});
