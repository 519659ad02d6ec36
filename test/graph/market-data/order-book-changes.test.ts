/** Recorded order books as they come in: what is told of them, and what is not. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { type Told, type Watcher, watch } from '../../support/watch.ts';
import { createInstruments, done, NOW } from './market.ts';

let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph({ now: () => new Date(NOW) });
});
afterAll(() => graph.close());

const at = (second: number) => new Date(Date.parse('2026-03-01T00:00:00Z') + second * 1_000).toISOString();
const side = (...prices: number[]) => prices.map((price) => ({ price: String(price), quantity: '1' }));

/** The book with that number, seen in that second; its best bid is the number too. */
function book(symbol: string, venueId: string, number: number, second = number) {
  const bids = side(number, number - 0.5);
  return { symbol, venueId, sequence: String(number), timestamp: at(second), bids, asks: side(10_000, 10_001) };
}

const record = (...books: object[]) => done(graph, 'recordOrderBooks', { books });

const BOOK = 'kind cursor at venue { venueId } orderBook { sequence depth spread bids { price total } asks { price } }';

const follow = (args: string, selection = BOOK) =>
  watch(
    graph.client,
    'orderBookSnapshotChanges',
    `subscription { orderBookSnapshotChanges(${args}) { ${selection} } }`,
  );

const line = ({ kind, venue, orderBook }: Told) => [kind, venue?.venueId, orderBook?.sequence];
const lines = (watcher: Watcher) => watcher.changes().map(line);
const sees = (watcher: Watcher, venueId: string, sequence: number) =>
  watcher.until(({ venue, orderBook }) => venue?.venueId === venueId && orderBook?.sequence === String(sequence));

/** What is in the feed of the newest books of the symbol, whoever follows it. */
async function logged(symbol: string): Promise<string[]> {
  const rows = await graph.sql(
    'market-data',
    `select op::text || ' ' || key || ' ' || (row ->> 'sequence') as change from change_log
      where relation = 'newest_order_books' and row ->> 'symbol' = $1 order by seq`,
    [symbol],
  );
  return rows.map(({ change }) => change);
}

describe('recorded order books', () => {
  it('begins with the newest of each venue, and tells each newer one', async () => {
    await createInstruments(graph, 'NEW-USD', 'ELSE-USD');
    await record(book('NEW-USD', 'kraken', 5), book('NEW-USD', 'kraken', 4, 4), book('NEW-USD', 'okx', 2));
    const watcher = follow('symbol: "new/usd", depth: 1');
    await watcher.begun();
    expect(lines(watcher)).toEqual([
      ['SNAPSHOT', 'kraken', '5'],
      ['SNAPSHOT', 'okx', '2'],
    ]);
    expect(watcher.all[0]).toMatchObject({
      orderBook: { depth: 2, spread: '9995', bids: [{ price: '5', total: '1' }], asks: [{ price: '10000' }] },
    });
    await record(book('ELSE-USD', 'okx', 3), book('NEW-USD', 'okx', 3));
    await sees(watcher, 'okx', 3);
    expect(lines(watcher).slice(2)).toEqual([['UPSERT', 'okx', '3']]);
    await watcher.leave();
  });

  it('are those of one venue, where one is asked for', async () => {
    await createInstruments(graph, 'ONE-USD');
    await record(book('ONE-USD', 'kraken', 1), book('ONE-USD', 'okx', 1));
    const watcher = follow('symbol: "ONE-USD", venueId: "okx"');
    await watcher.begun();
    await record(book('ONE-USD', 'kraken', 2), book('ONE-USD', 'okx', 2));
    await sees(watcher, 'okx', 2);
    expect(lines(watcher)).toEqual([
      ['SNAPSHOT', 'okx', '1'],
      ['UPSERT', 'okx', '2'],
    ]);
    expect(watcher.all[0]?.orderBook.bids).toHaveLength(2);
    await watcher.leave();
  });

  it('tell nothing of an older book, nor of one that is repeated', async () => {
    await createInstruments(graph, 'OLD-USD');
    await record(book('OLD-USD', 'kraken', 10));
    const watcher = follow('symbol: "OLD-USD", minIntervalMs: 0');
    await watcher.begun();
    await record(book('OLD-USD', 'kraken', 9));
    await record(book('OLD-USD', 'kraken', 10));
    await record(book('OLD-USD', 'kraken', 11));
    await sees(watcher, 'kraken', 11);
    expect(lines(watcher)).toEqual([
      ['SNAPSHOT', 'kraken', '10'],
      ['UPSERT', 'kraken', '11'],
    ]);
    expect(await logged('OLD-USD')).toEqual(['I OLD-USD kraken 10', 'U OLD-USD kraken 11']);
    await watcher.leave();
  });

  it('are one change a venue, however many are recorded together', async () => {
    await createInstruments(graph, 'BULK-USD');
    const books = Array.from({ length: 1_000 }, (_, i) => book('BULK-USD', i % 2 ? 'kraken' : 'okx', i + 1));
    await record(...books.toReversed());
    expect((await logged('BULK-USD')).sort()).toEqual(['I BULK-USD kraken 1000', 'I BULK-USD okx 999']);
  });

  it('are told no more often than asked for, and the last one always', async () => {
    await createInstruments(graph, 'FAST-USD');
    await record(book('FAST-USD', 'kraken', 1));
    const watcher = follow('symbol: "FAST-USD", minIntervalMs: 1000');
    await watcher.begun();
    for (let number = 2; number <= 12; number++) await record(book('FAST-USD', 'kraken', number));
    await sees(watcher, 'kraken', 12);
    expect(lines(watcher).length).toBeLessThan(8);
    await watcher.leave();
  });

  it('come from two recorders at once, and in the end the newest is known', async () => {
    const symbols = ['TWO-USD', 'TOO-USD', 'TWIN-USD'];
    await createInstruments(graph, ...symbols);
    const recorder = async (first: number) => {
      for (let number = first; number <= 40; number += 2) {
        const order = number % 3 ? symbols : symbols.toReversed();
        await record(...order.map((symbol) => book(symbol, 'kraken', number)));
      }
    };
    await Promise.all([recorder(1), recorder(2)]);
    const newest = await graph.sql(
      'market-data',
      `select symbol, sequence::int from newest_order_books where symbol = any($1) order by symbol`,
      [symbols],
    );
    expect(newest).toEqual(symbols.toSorted().map((symbol) => ({ symbol, sequence: 40 })));
  });
});

describe('a cursor', () => {
  it('goes on with what followed it, and with nothing else', async () => {
    await createInstruments(graph, 'BACK-USD');
    await record(book('BACK-USD', 'kraken', 1), book('BACK-USD', 'okx', 1));
    const before = follow('symbol: "BACK-USD"');
    const { cursor } = await before.begun();
    await before.leave();
    await record(book('BACK-USD', 'kraken', 2), book('BACK-USD', 'kraken', 3));
    const later = follow(`symbol: "BACK-USD", after: "${cursor}"`);
    await sees(later, 'kraken', 3);
    expect(lines(later)).toEqual([['UPSERT', 'kraken', '3']]);
    await later.leave();
  });
});

describe('books that are purged', () => {
  it('are told as removed once none of the venue is left, and begin again', async () => {
    await createInstruments(graph, 'GONE-USD');
    const january = { timestamp: '2026-01-01T00:00:00Z' };
    await record({ ...book('GONE-USD', 'kraken', 1), ...january }, book('GONE-USD', 'okx', 1));
    const watcher = follow('symbol: "GONE-USD"');
    await watcher.begun();
    await done(graph, 'purgeOrderBooks', { before: '2026-02-01T00:00:00Z', symbol: 'GONE-USD' }, 'deleted');
    await watcher.until(({ kind }) => kind === 'DELETE');
    await record(book('GONE-USD', 'kraken', 2));
    await sees(watcher, 'kraken', 2);
    expect(lines(watcher).slice(2)).toEqual([
      ['DELETE', 'kraken', undefined],
      ['UPSERT', 'kraken', '2'],
    ]);
    await watcher.leave();
  });

  it('leave the newest of those that stay, whoever removes them', async () => {
    await createInstruments(graph, 'STAY-USD');
    await record(book('STAY-USD', 'kraken', 1), book('STAY-USD', 'kraken', 2), book('STAY-USD', 'kraken', 3));
    const remove = (sequence: number) =>
      graph.sql('market-data', `delete from order_book_snapshots where symbol = 'STAY-USD' and sequence = $1`, [
        sequence,
      ]);
    await remove(1);
    await remove(3);
    const watcher = follow('symbol: "STAY-USD"');
    await watcher.begun();
    expect(lines(watcher)).toEqual([['SNAPSHOT', 'kraken', '2']]);
    expect(await logged('STAY-USD')).toEqual(['I STAY-USD kraken 3', 'U STAY-USD kraken 2']);
    await watcher.leave();
  });
});

it('a newer book that comes while the newest is removed takes its place', async () => {
  await createInstruments(graph, 'RACE-USD');
  await record(book('RACE-USD', 'kraken', 1));
  const recording = graph.sql(
    'market-data',
    `begin;
     insert into order_book_snapshots (symbol, venue_id, timestamp, sequence, bids, asks)
     values ('RACE-USD', 'kraken', now(), 2, '[["1", "1"]]', '[]');
     select pg_sleep(0.5);
     commit`,
  );
  await new Promise((resolve) => setTimeout(resolve, 150));
  await graph.sql('market-data', `delete from order_book_snapshots where symbol = 'RACE-USD' and sequence = 1`);
  await recording;
  expect(await logged('RACE-USD')).toEqual(['I RACE-USD kraken 1', 'U RACE-USD kraken 2']);
});

describe('what cannot be followed', () => {
  it.each([0, 101, -1])('a depth of %i', async (depth) => {
    const { ended } = follow(`symbol: "OLD-USD", depth: ${depth}`, 'kind');
    expect(String(await ended)).toContain(`depth must be from 1 to 100, but got ${depth}.`);
  });

  it('an interval outside a minute', async () => {
    const { ended } = follow('symbol: "OLD-USD", minIntervalMs: 60001', 'kind');
    expect(String(await ended)).toContain('minIntervalMs must be from 0 to 60000, but got 60001.');
  });

  it('a symbol that is none', async () => {
    expect(String(await follow('symbol: "?"', 'kind').ended)).toContain('symbol');
  });

  it('of an instrument nobody knows nothing is told but that nothing happens', async () => {
    const watcher = follow('symbol: "UNKNOWN-USD"');
    await watcher.begun();
    expect(watcher.changes()).toEqual([]);
    await watcher.leave();
  });
});
