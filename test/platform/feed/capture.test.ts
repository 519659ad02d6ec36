/** What writers leave in the change log, whoever they are and whatever they do to a table. */
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest';
import * as exchange from '../../../subgraphs/exchange/topics.ts';
import * as marketData from '../../../subgraphs/market-data/topics.ts';
import * as trading from '../../../subgraphs/trading/topics.ts';
import { type FeedDatabase, openFeedDatabase } from './feeds.ts';
import { ACCOUNT, addOrders, addPositions, addStrategies, OTHER } from './rows.ts';

let database: FeedDatabase;
let market: FeedDatabase;
let house: FeedDatabase;

beforeAll(async () => {
  [database, market, house] = await Promise.all([
    openFeedDatabase('trading'),
    openFeedDatabase('market-data'),
    openFeedDatabase('exchange'),
  ]);
  await addStrategies(database);
});

afterAll(() => Promise.all([database, market, house].map((one) => one.close())));

beforeEach(async () => {
  await database.sql('delete from positions');
  await database.sql('delete from orders');
  await database.sql('truncate change_log');
});

const logged = async ({ sql }: FeedDatabase = database) =>
  (await sql('select relation, op, key, was from change_log order by seq')).map(({ relation, op, key, was }) =>
    [relation, op, key, ...(was ? [JSON.stringify(was)] : [])].join(' '),
  );

/** A connection of the administrator, who may do more than the domain's role. */
async function administrator(): Promise<pg.Client> {
  const url = new URL(database.url);
  const admin = new URL(inject('adminUrl'));
  admin.pathname = url.pathname;
  const client = new pg.Client({ connectionString: admin.href, options: '-c search_path=trading' });
  await client.connect();
  return client;
}

describe('the change log', () => {
  it('has what was committed, in the order in which rows were locked, and nothing that was rolled back', async () => {
    await addPositions(database, 2);
    await database.sql(
      `begin; update positions set quantity = 2 where position_id = 'p1'; savepoint a;
       update positions set quantity = 3 where position_id = 'p1'; rollback to a;
       update positions set quantity = 4 where position_id = 'p2'; commit;
       begin; delete from positions; rollback`,
    );
    expect(await logged()).toEqual(['positions I p1', 'positions I p2', 'positions U p1', 'positions U p2']);
    const [{ transactions }] = await database.sql(
      `select count(distinct xid) as transactions from change_log where op = 'U'`,
    );
    expect(transactions).toBe('1'); // the savepoint's changes carry the transaction's number, not their own
  });

  it('tells a row under another key as one that is gone and one that is new', async () => {
    await addPositions(database, 1);
    await database.sql(`update positions set position_id = 'other'`);
    expect(await logged()).toEqual(['positions I p1', 'positions D p1', 'positions U other']);
  });

  it('says what the columns held by which readers choose, where one of them changed', async () => {
    await addPositions(database, 1);
    await database.sql(`update positions set strategy_id = 's2', account_id = $1`, [OTHER]);
    await database.sql(`update positions set instrument_id = 'Z-USD'`);
    const was = (accountId: string, strategyId: string, instrumentId: string) =>
      JSON.stringify({ accountId, strategyId, instrumentId });
    expect(await logged()).toEqual([
      'positions I p1',
      `positions U p1 ${was(ACCOUNT, 's1', 'A1-USD')}`,
      `positions U p1 ${was(OTHER, 's2', 'A1-USD')}`,
    ]);
  });

  it('has every row of a table that is emptied', async () => {
    await addPositions(database, 2);
    await database.sql('truncate positions');
    expect(await logged()).toEqual(['positions I p1', 'positions I p2', 'positions D p1', 'positions D p2']);
  });

  it('has what is copied in, and what another database sends', async () => {
    const admin = await administrator();
    await admin.query(`set session_replication_role = replica`);
    await addPositions({ sql: async (text, params) => (await admin.query(text, params)).rows }, 1);
    await admin.query('truncate positions');
    await admin.end();
    expect(await logged()).toEqual(['positions I p1', 'positions D p1']);
  });

  it('follows the columns that a table gets', async () => {
    await database.sql('alter table orders add column desk_note text, add column noted_at timestamptz');
    await database.sql('select refresh_captures()');
    await addOrders(database, 1);
    await database.sql(`update orders set desk_note = 'hedge', noted_at = '2026-01-02 03:04:05.6+00'`);
    const [{ row }] = await database.sql(`select row from change_log where op = 'U'`);
    expect(row).toMatchObject({ orderId: 'o1', deskNote: 'hedge', notedAt: '2026-01-02T03:04:05.6' });
    const [{ instants }] = await database.sql(`select instants from captured_tables where relation = 'orders'`);
    expect(instants).toContain('notedAt');
    await database.sql('alter table orders drop column desk_note, drop column noted_at');
    await expect(database.sql('update orders set quantity = 2')).rejects.toThrow('desk_note');
    await database.sql('select refresh_captures()');
    await database.sql('update orders set quantity = 2');
  });

  it('has the rows of partitions that are made later', async () => {
    await market.sql(`insert into assets (code) values ('BTC'), ('USD')`);
    await market.sql(`insert into symbols (symbol, base_currency, quote_currency) values ('BTC-USD', 'BTC', 'USD')`);
    await market.sql(`select ensure_candle_partitions(array['2031-05-01 00:00:00+00'::timestamptz])`);
    await market.sql(
      `insert into candles (symbol, interval, start_time, end_time, open, high, low, close, volume, is_closed, origin, covered_minutes)
       values ('BTC-USD', '1m', '2031-05-01 00:00+00', '2031-05-01 00:01+00', 1, 1, 1, 1, 1, true, 'REPORTED', 1)`,
    );
    await market.sql('update candles set close = 1');
    await market.sql('delete from candles');
    const [bar] = await market.sql(`select key from change_log where relation = 'candles'`);
    expect((await logged(market)).slice(-3)).toEqual(['I', 'U', 'D'].map((op) => `candles ${op} ${bar.key}`));
    const triggers = await market.sql(
      `select tgenabled from pg_trigger join pg_class on pg_class.oid = tgrelid
        where relname like 'candles%' and tgname = '0_capture'`,
    );
    expect(new Set(triggers.map(({ tgenabled }) => tgenabled))).toEqual(new Set(['A'])); // whoever writes
  });
});

describe('topics', () => {
  const all = [
    ...Object.values(trading).map((topic) => ({ database: () => database, topic })),
    ...Object.values(exchange).map((topic) => ({ database: () => house, topic })),
    ...Object.values(marketData).map((topic) => ({ database: () => market, topic })),
  ].filter(({ topic }) => typeof topic === 'object');

  it('choose by columns whose former value is known, if they can change at all', async () => {
    for (const { database: of, topic } of all) {
      if (typeof topic !== 'object' || topic.table === 'trades') continue; // whose rows never change
      const [captured] = await of().sql('select key, routes from captured_tables where relation = $1', [topic.table]);
      const known = [captured.key, ...captured.routes].map((name: string) =>
        name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
      );
      expect(known, topic.table).toEqual(expect.arrayContaining(Object.keys(topic.fields)));
    }
    expect(all).toHaveLength(11);
  });
});
