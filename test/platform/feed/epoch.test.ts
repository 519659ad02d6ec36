/** Another database than before, though it looks the same: cursors of the one mean nothing in the other. */
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { expect, inject, it } from 'vitest';
import { compareCursors, parseCursor } from '../../../platform/feed/cursor.ts';
import { orderTopic } from '../../../subgraphs/trading/topics.ts';
import { copyTemplate, withDatabase } from '../../support/databases.ts';
import { openFeedDatabase } from './feeds.ts';
import { addOrders, addStrategies, leaderOf } from './rows.ts';

const orders = (told: { kind: string; row: { orderId: string } | null }[]) =>
  told.map(({ kind, row }) => `${kind} ${row?.orderId ?? ''}`.trim());

async function administer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('adminUrl') });
  await client.connect();
  await client.query(statement);
  await client.end();
}

it('is told from its copy', async () => {
  const { url, drop } = await copyTemplate(inject('adminUrl'));
  const first = await openFeedDatabase('trading', url);
  await addStrategies(first);
  const before = await leaderOf(first.open());
  await addOrders(first, 1, 'a');
  const client = before.follow(orderTopic);
  await client.begun();
  await addOrders(first, 1, 'b');
  const told = parseCursor((await client.until(({ row }) => row?.orderId === 'b1')).cursor);
  // While its own snapshot is not behind it, a client can go on with no other leader.
  const { cursor } = await client.until((event) => {
    const place = parseCursor(event.cursor);
    return place !== null && told !== null && !place.mask && compareCursors(place, told) >= 0;
  });
  await client.leave();
  await addOrders(first, 1, 'c');
  await first.close();

  const name = `copy_${randomBytes(6).toString('hex')}`;
  await administer(`create database ${name} template ${new URL(url).pathname.slice(1)} strategy file_copy`);
  const [copy, original] = await Promise.all([
    openFeedDatabase('trading', withDatabase(url, name)),
    openFeedDatabase('trading', url),
  ]);
  const [there, here] = await Promise.all([leaderOf(copy.open()), leaderOf(original.open())]);
  await Promise.all([addOrders(copy, 1, 'd'), addOrders(original, 1, 'd')]);

  const goesOn = here.follow(orderTopic, { after: cursor });
  await goesOn.until(({ row }) => row?.orderId === 'd1');
  expect(orders(goesOn.changes())).toEqual(['UPSERT c1', 'UPSERT d1']);
  expect(here.feed.hub.epoch).toBe(before.feed.hub.epoch);

  const beginsAnew = there.follow(orderTopic, { after: cursor });
  await beginsAnew.until(({ row }) => row?.orderId === 'd1');
  expect(orders(beginsAnew.changes()).slice(0, 4)).toEqual(['RESYNC', 'SNAPSHOT a1', 'SNAPSHOT b1', 'SNAPSHOT c1']);
  expect(there.feed.hub.epoch).not.toBe(before.feed.hub.epoch);
  expect(await copy.sql(`select from change_log where key = 'b1'`)).toHaveLength(0);

  await Promise.all([goesOn.leave(), beginsAnew.leave()]);
  await Promise.all([copy.close(), original.close()]);
  await administer(`drop database ${name} with (force)`);
  await drop();
});
