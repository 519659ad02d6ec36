/** Rows that tests of the feed write by plain SQL, and waits for what they do to it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FeedDatabase, TestFeed } from './feeds.ts';

export const ACCOUNT = '00000000-0000-4000-8000-000000000001';
export const OTHER = '00000000-0000-4000-8000-000000000002';

export async function addStrategies({ sql }: FeedDatabase): Promise<void> {
  await sql(
    `insert into strategies (strategy_id, name, strategy_type, account_id, instruments)
     values ('s1', 's1', 'custom', $1, '{BTC-USD}'), ('s2', 's2', 'custom', $2, '{BTC-USD}')`,
    [ACCOUNT, OTHER],
  );
}

/** Orders "<prefix>1", "<prefix>2", … */
export async function addOrders({ sql }: Pick<FeedDatabase, 'sql'>, count: number, prefix = 'o'): Promise<void> {
  await sql(
    `insert into orders (order_id, strategy_id, account_id, instrument_id, side, order_type, quantity)
     select $1::text || i, 's1', $2, 'BTC-USD', 'buy', 'market', 1 from generate_series(1, $3::integer) as i`,
    [prefix, ACCOUNT, count],
  );
}

/** Open positions "p1", "p2", … in instruments of their own. */
export async function addPositions({ sql }: Pick<FeedDatabase, 'sql'>, count: number): Promise<void> {
  await sql(
    `insert into positions (position_id, strategy_id, account_id, instrument_id, quantity, average_entry_price,
                            current_price, marked_at, opened_at)
     select 'p' || i, 's1', $1, 'A' || i || '-USD', 1, 1, 1, now(), now() from generate_series(1, $2::integer) as i`,
    [ACCOUNT, count],
  );
}

/** Waits until it holds; gives up after half a minute. */
export async function eventually(what: string, holds: () => boolean | Promise<boolean>, withinMs = 30_000) {
  for (const end = Date.now() + withinMs; !(await holds()); await sleep(10)) {
    if (Date.now() > end) throw new Error(`Not within ${withinMs} ms: ${what}`);
  }
}

/** Waits until one of the feeds leads, and gives it. */
export async function leaderOf(...feeds: TestFeed[]): Promise<TestFeed> {
  const leader = () => feeds.find(({ feed }) => feed.isLeader());
  await eventually('a feed leads', () => leader() !== undefined);
  return leader() as TestFeed;
}

/** Waits until every committed change is in a tick, and gives the last tick's number. */
export async function ticked({ sql }: Pick<FeedDatabase, 'sql'>): Promise<number> {
  const lag = () =>
    sql(`select from change_log, feed_state where not pg_visible_in_snapshot(xid, feed_state.snapshot) limit 1`);
  await eventually('all is in ticks', async () => (await lag()).length === 0);
  const [state] = await sql('select tick from feed_state');
  return Number(state.tick);
}
