/** Everything that a domain has changed, in batches: nothing is lost and nothing told twice, wherever a reader comes back. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type EventBatch, eventBatches } from '../../../platform/feed/event-batches.ts';
import type { Hub } from '../../../platform/feed/hub.ts';
import { type FeedDatabase, openFeedDatabase, type TestFeed } from './feeds.ts';
import { addOrders, addPositions, addStrategies, eventually, leaderOf, ticked } from './rows.ts';

let database: FeedDatabase;
let leader: TestFeed;

beforeEach(async () => {
  database = await openFeedDatabase();
  leader = await leaderOf(database.open());
  await addStrategies(database);
  await ticked(database);
});
afterEach(() => database.close());

/** Reads batches until the changes told fit; gives them and the batches they came in. */
async function read(
  feed: TestFeed,
  after: string | null,
  isEnough: (told: string[], batches: EventBatch[]) => boolean,
): Promise<{ told: string[]; batches: EventBatch[] }> {
  const stream = eventBatches(feed.feed, { after });
  const told: string[] = [];
  const batches: EventBatch[] = [];
  for await (const batch of stream) {
    batches.push(batch);
    told.push(...batch.changes.map(({ relation, op, key }) => `${relation} ${op} ${key}`));
    if (isEnough(told, batches)) break;
  }
  await stream.return?.();
  return { told, batches };
}

const until = (last: string) => (told: string[]) => told.includes(last);
const FIRST = ['strategies I s1', 'strategies I s2'];

describe('a reader without a cursor', () => {
  it('gets everything from the oldest that is kept, then what comes, several tables in the order of their writing', async () => {
    await addOrders(database, 2);
    await addPositions(database, 1);
    await database.sql(`update orders set error_message = 'x' where order_id = 'o1'`);
    await database.sql(`delete from orders where order_id = 'o2'`);
    const expected = [...FIRST, 'orders I o1', 'orders I o2', 'positions I p1', 'orders U o1', 'orders D o2'];
    const { told, batches } = await read(leader, null, until('orders D o2'));
    expect(told).toEqual(expected);
    expect(batches.every(({ kind }) => kind !== 'RESYNC')).toBe(true);
    const epochs = new Set(batches.map(({ epoch }) => epoch));
    expect([...epochs]).toEqual([leader.feed.hub.epoch]);
  });

  it('may leave out changes whose traces nobody keeps, table by table', async () => {
    const trace = (id: string, flags: string) => `00-${id.repeat(32)}-${id.repeat(16)}-${flags}`;
    for (const [key, traceparent] of [
      ['unknown', ''],
      ['unkept', trace('a', '00')],
      ['kept', trace('b', '01')],
    ]) {
      await database.sql(
        `with traced as materialized (select set_config('graph.traceparent', $2, true))
         update strategies set name = $1 from traced where strategy_id = 's1'`,
        [key, traceparent],
      );
    }
    await addOrders(database, 1);
    const stream = eventBatches(leader.feed, { sampledOnly: ['strategies'] });
    const told: string[] = [];
    for await (const { changes } of stream) {
      told.push(...changes.map(({ relation, row }) => (relation === 'strategies' ? String(row.name) : relation)));
      if (told.includes('orders')) break;
    }
    await stream.return?.();
    expect(told).toEqual(['kept', 'orders']);
  });

  it('is told how far it is, and may go on from there, while nothing comes but what it leaves out', async () => {
    let isReading = true;
    const writing = (async () => {
      const text = `update strategies set name = $1 where strategy_id = 's1'`;
      for (let nth = 0; isReading; nth++) await database.sql(text, [String(nth)]);
    })();
    const neverQuiet = Object.create(leader.feed.hub, { isAlive: { value: () => false } }) as Hub;
    const stream = eventBatches({ ...leader.feed, hub: neverQuiet }, { sampledOnly: ['strategies'] });
    const told: EventBatch[] = [];
    const ticks = () => told.map(({ cursor }) => Number(cursor.split('.')[1]));
    for await (const batch of stream) if (told.push(batch) && new Set(ticks()).size === 3) break;
    isReading = false;
    await Promise.all([writing, stream.return?.()]);
    expect(told.every(({ kind, changes }) => kind === 'PROGRESS' && changes.length === 0)).toBe(true);
    expect(ticks()).toEqual(ticks().toSorted((a, b) => a - b));
    expect(told.map(({ at }) => at)).toEqual(told.map(({ at }) => at).toSorted());
    const { told: rest } = await read(leader, told[0]?.cursor ?? '', until('strategies U s1'));
    expect(rest).not.toContain('strategies I s1');
  });

  it('gets no more than 1,000 at once', async () => {
    await addOrders(database, 2_500);
    const { told, batches } = await read(leader, null, until('orders I o2500'));
    expect(told).toHaveLength(2_502);
    expect(new Set(told).size).toBe(told.length);
    expect(Math.max(...batches.map(({ changes }) => changes.length))).toBeLessThanOrEqual(1_000);
  });

  it('is told while nothing happens that nothing does', async () => {
    const { batches } = await read(leader, null, (_, all) => all.some(({ kind }) => kind === 'PROGRESS'));
    const progress = batches.find(({ kind }) => kind === 'PROGRESS');
    expect(progress?.changes).toEqual([]);
    expect(Date.parse(String(progress?.at))).toBeGreaterThan(0);
  });
});

describe('a reader that comes back', () => {
  it('gets exactly what followed its cursor, after whichever batch it left', async () => {
    await addOrders(database, 1_200, 'a'); // one transaction, two parts of a tick
    await addOrders(database, 3, 'b');
    const { batches } = await read(leader, null, until('orders I b3'));
    const all = batches.flatMap(({ changes }) => changes.map(({ seq }) => seq));
    for (const [i, { cursor }] of batches.entries()) {
      const seen = batches.slice(0, i + 1).flatMap(({ changes }) => changes.map(({ seq }) => seq));
      const rest = all.slice(seen.length);
      const { batches: again } = await read(
        leader,
        cursor,
        (told, those) => told.length >= rest.length && (rest.length > 0 || those.at(-1)?.kind === 'PROGRESS'),
      );
      expect(again.map(({ kind }) => kind)).not.toContain('RESYNC');
      expect(again.flatMap(({ changes }) => changes.map(({ seq }) => seq))).toEqual(rest);
    }
  });

  it('may do so at another process, which goes on in the same epoch', async () => {
    const { batches } = await read(leader, null, until('strategies I s2'));
    const cursor = batches.at(-1)?.cursor ?? '';
    await leader.close();
    const next = await leaderOf(database.open());
    await addOrders(database, 2);
    const { told, batches: after } = await read(next, cursor, until('orders I o2'));
    expect(told).toEqual(['orders I o1', 'orders I o2']);
    expect(after.map(({ kind }) => kind)).not.toContain('RESYNC');
  });

  it('is told of the gap where what followed its cursor is not kept any more, or never was of this history', async () => {
    const { batches } = await read(leader, null, until('strategies I s2'));
    const cursor = batches.at(-1)?.cursor ?? '';
    await addOrders(database, 1, 'lost');
    await ticked(database);
    await leader.close();
    await database.sql('update feed_state set oldest_tick = tick');
    const next = await leaderOf(database.open());
    await addOrders(database, 1, 'kept');
    const lost = await read(next, cursor, until('orders I kept1'));
    expect(lost.batches[0]).toMatchObject({ kind: 'RESYNC', changes: [] });
    expect(lost.told).toEqual(['orders I kept1']);
    const foreign = await read(next, `abcdef.${10 ** 15}`, until('orders I kept1'));
    expect(foreign.batches[0]).toMatchObject({ kind: 'RESYNC' });
    expect(foreign.batches.filter(({ kind }) => kind === 'RESYNC')).toHaveLength(1);
  });

  it('is told all that is kept once more where a crash has lost the tick it stood at: repeats, and no gap', async () => {
    await addOrders(database, 1, 'a');
    const { batches } = await read(leader, null, until('orders I a1'));
    const cursor = batches.at(-1)?.cursor ?? '';
    await database.sql('delete from feed_ticks where id = $1', [cursor.split('.')[1]]);
    await addOrders(database, 1, 'b');
    const { told, batches: after } = await read(leader, cursor, until('orders I b1'));
    expect(told.at(-1)).toBe('orders I b1');
    expect(after.map(({ kind }) => kind)).not.toContain('RESYNC');
  });

  it('is told of the gap in the midst of its reading, when a new history begins', async () => {
    const stream = eventBatches(leader.feed);
    await stream.next();
    await database.sql(`update feed_state set epoch = '', identity = '', tick = tick + 1000, leader = null`);
    await database.sql(
      `select pg_terminate_backend(pid, 5000) from pg_locks
        where locktype = 'advisory' and granted and classid = hashtext('change feed')::oid
          and objid = hashtext(current_schema())::oid
          and database = (select oid from pg_database where datname = current_database())`,
    );
    const before = leader.feed.hub.epoch;
    await eventually('a new epoch', () => leader.feed.isLeader() && leader.feed.hub.epoch !== before);
    await addOrders(database, 1);
    const kinds: string[] = [];
    const keys: string[] = [];
    while (!keys.includes('o1')) {
      const { value } = await stream.next();
      kinds.push(String(value?.kind));
      keys.push(...(value?.changes.map(({ key }) => key) ?? []));
    }
    expect(kinds.filter((kind) => kind === 'RESYNC')).toHaveLength(1);
    expect(kinds.indexOf('RESYNC')).toBeLessThan(kinds.indexOf('UPSERT'));
    expect(keys).toEqual(['o1']);
    await stream.return?.();
  });
});

describe('a change', () => {
  const TRACEPARENT = `00-${'a1'.repeat(16)}-${'b2'.repeat(8)}-01`;

  it('names the request that made it: what its transaction says, else what its row does', async () => {
    const client = await database.connect();
    await client.query('begin');
    await client.query(`select set_config('graph.traceparent', $1, true)`, [TRACEPARENT]);
    await addOrders({ sql: async (text, params) => (await client.query(text, params)).rows }, 1, 'told');
    await client.query('commit');
    await client.query(
      `insert into orders (order_id, strategy_id, account_id, instrument_id, side, order_type, quantity, trace_id)
       select 'row1', strategy_id, account_id, instrument_id, side, order_type, quantity, $1 from orders`,
      ['c3'.repeat(16)],
    );
    await client.query(`update orders set error_message = 'x' where order_id = 'row1'`);
    const { batches } = await read(leader, null, until('orders U row1'));
    const traces = batches
      .flatMap(({ changes }) => changes)
      .map(({ op, key, trace }) => [`${op} ${key}`, trace] as const);
    expect(Object.fromEntries(traces)).toEqual({
      'I s1': null,
      'I s2': null,
      'I told1': TRACEPARENT,
      'I row1': 'c3'.repeat(16),
      'U row1': null,
    });
  });
});

it('ends when its reader leaves or its feed closes, and listens no more', async () => {
  const count = leader.feed.hub.listenerCount;
  const stream = eventBatches(leader.feed);
  await stream.next();
  expect(leader.feed.hub.listenerCount).toBe(count + 1);
  const waiting = stream.next();
  await stream.return?.();
  expect((await waiting).done).toBe(true);
  expect(leader.feed.hub.listenerCount).toBe(count);
  const other = eventBatches(leader.feed);
  await other.next();
  const last = (async () => {
    for await (const batch of other) expect(batch.kind).toBe('PROGRESS');
  })();
  await leader.close();
  await last;
});
