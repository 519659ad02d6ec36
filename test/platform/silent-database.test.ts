/** A database that takes long, one that says nothing at all, and one that hangs up. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { type Database, openDatabase } from '../../platform/database/database.ts';
import { isUnreachable } from '../../platform/database/database-error.ts';
import { sql } from '../../platform/database/sql.ts';
import { inTransaction } from '../../platform/database/transaction.ts';
import { createLogger } from '../../platform/log.ts';
import { domainUrl } from '../../prisma/roles.ts';
import { through } from '../faults/history/cluster.ts';
import { copyTemplate } from '../support/databases.ts';
import { type FaultProxy, startFaultProxy } from '../support/fault-proxy.ts';

const log = createLogger({ level: 'silent', service: 'test' });
/** Takes connections and says nothing. */
const mute = createServer();
let proxy: FaultProxy;
/** Where new connections go. */
let target: () => number;
let db: Database;
let drop: () => Promise<void>;

beforeAll(async () => {
  const copy = await copyTemplate(inject('adminUrl'));
  drop = copy.drop;
  await once(mute.listen(0, '127.0.0.1'), 'listening');
  target = () => Number(new URL(copy.url).port);
  proxy = await startFaultProxy({ target: () => target() });
  db = openDatabase({ url: through(proxy, domainUrl(copy.url, 'trading')), schema: 'trading', poolSize: 2, log });
});
afterAll(async () => {
  await db.close();
  await proxy.close();
  mute.close();
  await drop();
});

const one = () => db.one<{ one: number }>(sql`select 1 as one`);
const fault = (work: Promise<unknown>) =>
  work.then(
    () => 'answered',
    (error: unknown) => (isUnreachable(error) ? 'unreachable' : String(error)),
  );

describe('a database', () => {
  it('that is busy is waited for, by those who have a connection and by those in the queue', async () => {
    const sleeping = () => db.one<{ slept: string }>(sql`select pg_sleep(4)::text as slept`);
    const answers = await Promise.all([sleeping(), sleeping(), one()]);
    expect(answers).toEqual([{ slept: '' }, { slept: '' }, { one: 1 }]);
  });

  it('that has no time for who comes anew is not silent while it answers others', async () => {
    await Promise.all([one(), one()]); // both connections are there
    const { port } = mute.address() as AddressInfo;
    const found = target;
    target = () => port;
    let isOver = false;
    const long = fault(db.one(sql`select pg_sleep(6)`)).finally(() => {
      isOver = true;
    });
    const others = new Set<string>();
    while (!isOver) others.add(await fault(one()));
    target = found;
    expect([await long, ...others]).toEqual(['answered', 'answered']);
  });

  it('that is silent is given up by all who wait, refused at once to who comes later, and found again', async () => {
    const tx = await db.pool.connect();
    await tx.query('begin');
    proxy.set({ kind: 'blackhole' });
    const waiting = [tx.query('select 1'), one(), one(), one()].map(fault);
    expect(await Promise.all(waiting)).toEqual(Array(4).fill('unreachable'));
    tx.release(true);

    const sent = db.statements();
    for (let later = 0; later < 100; later++) expect(await fault(one())).toBe('unreachable');
    expect(db.statements()).toBe(sent);

    proxy.set({ kind: 'pass' });
    await vi.waitFor(async () => expect(await one()).toEqual({ one: 1 }), 10_000);
    expect(await Promise.all(Array.from({ length: 10 }, one))).toEqual(Array(10).fill({ one: 1 }));
  });

  it('that refuses connections is not silent: it is asked each time', async () => {
    proxy.set({ kind: 'cut' });
    // The pool learns of its two connections one by one.
    for (let attempt = 0; attempt < 5; attempt++) expect(await fault(one())).toBe('unreachable');
    proxy.set({ kind: 'pass' });
    expect(await fault(one())).toBe('answered');
  });

  it('that hangs up in the midst of a transaction is a statement that fails, and nothing else', async () => {
    const lost = new Promise<void>((resolve) => db.pool.once('acquire', (client) => client.once('end', resolve)));
    const work = inTransaction(db, async ({ query }) => {
      const [own] = await query<{ pid: number }>(sql`select pg_backend_pid() as pid`);
      await db.query(sql`select pg_terminate_backend(${own?.pid}::int)`);
      await lost;
      return query(sql`select 1`);
    });
    expect(await fault(work)).toBe('unreachable');
    expect(await one()).toEqual({ one: 1 });
  });
});
