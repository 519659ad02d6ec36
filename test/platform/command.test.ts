import { PrismaPg } from '@prisma/adapter-pg';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it, vi } from 'vitest';
import { OPEN_ACCESS } from '../../platform/access.ts';
import { Cache } from '../../platform/cache/cache.ts';
import { NO_FAULTS } from '../../platform/chaos/active-faults.ts';
import { command } from '../../platform/command.ts';
import { createContext, type SubgraphContext } from '../../platform/context.ts';
import { type Database, openDatabase } from '../../platform/database/database.ts';
import { sql } from '../../platform/database/sql.ts';
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

function contextOn(database: Database): SubgraphContext<PrismaClient> {
  return createContext({
    domain: 'trading',
    db: database,
    prisma: new PrismaClient({ adapter: new PrismaPg(database.pool, { schema: 'trading' }) }),
    feed,
    health: domainHealth({ cache: new Cache({}), domain: 'trading', db: database, feed, redisUrl: undefined, log }),
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
