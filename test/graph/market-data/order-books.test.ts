import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { ask, createInstruments, done, fault, NOW, refused, send } from './market.ts';

let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph({ now: () => new Date(NOW) });
  await createInstruments(graph, 'BTC-USDT', 'ETH-USDT');
});
afterAll(() => graph.close());

const side = (...prices: (string | number)[]) => prices.map((price) => ({ price: String(price), quantity: '1.5' }));

function book(sequence: number | string, timestamp: string, rest: object = {}) {
  return {
    symbol: 'BTC-USDT',
    venueId: 'binance',
    sequence: String(sequence),
    timestamp,
    bids: side(100, 99),
    asks: side(101, 102),
    ...rest,
  };
}

const record = (...books: object[]) => send(graph, 'recordOrderBooks', { books });
const refusals = (payload: { refused: { index: number; error: { message: string } }[] }) =>
  payload.refused.map(({ index, error }) => [index, error.message]);

describe('recording order books', () => {
  it('keeps the levels, with running totals', async () => {
    const books = [book('50093239224', '2024-08-08T23:54:15.408Z', { bids: side('61837.63', '61837.62', '61837.24') })];
    expect(await done(graph, 'recordOrderBooks', { books: [{ ...books[0], asks: side('61837.64') }] })).toEqual({
      recorded: 1,
      duplicates: 0,
    });
    const { orderBookSnapshot } = await ask(
      graph,
      `{ orderBookSnapshot(symbol: "BTCUSDT", depth: 2) {
        instrument { symbol } venue { venueId } timestamp sequence depth spread mid
        bids { price quantity total } asks { price quantity total }
      } }`,
    );
    expect(orderBookSnapshot).toEqual({
      instrument: { symbol: 'BTC-USDT' },
      venue: { venueId: 'binance' },
      timestamp: '2024-08-08T23:54:15.408Z',
      sequence: '50093239224',
      depth: 3,
      spread: '0.01',
      mid: '61837.635',
      bids: [
        { price: '61837.63', quantity: '1.5', total: '1.5' },
        { price: '61837.62', quantity: '1.5', total: '3' },
      ],
      asks: [{ price: '61837.64', quantity: '1.5', total: '1.5' }],
    });
  });

  it('refuses crossed and unsorted books by their index and stores the good ones', async () => {
    const at = '2025-01-01T00:00:00Z';
    const payload = await record(
      book(1, at, { venueId: 'a', bids: side(101) }),
      book(2, at, { venueId: 'a', bids: side(99, 100) }),
      book(3, at, { venueId: 'a', asks: side(102, 101) }),
      book(4, at, { venueId: 'a', bids: side(), asks: side() }),
      book(5, at, { venueId: 'a', symbol: 'NO-USDT' }),
      book(6, '2027-01-01T00:00:00Z', { venueId: 'a' }),
      book(7, at, { venueId: 'A b' }),
      book(8, at, { venueId: 'a', asks: side(...Array.from({ length: 101 }, (_, i) => 200 + i)) }),
      book(9, at, { venueId: 'a' }),
      book(10, at, { venueId: 'a', bids: side() }),
    );
    expect(payload).toMatchObject({ recorded: 2, duplicates: 0, errors: [] });
    expect(refusals(payload).map(([index]) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(payload.refused[0].error).toMatchObject({
      code: 'VALIDATION_FAILED',
      message: 'The book is crossed: its best bid 101 is not below its best ask 101.',
      path: ['input', 'books', '0', 'bids'],
    });
  });

  it('ignores and counts a book that is stored already, by value', async () => {
    const first = book(1, '2025-01-01T00:00:00Z', { venueId: 'twice' });
    const spelled = { ...first, sequence: '01', bids: side('100.0', '99.00') };
    expect(await record(first, spelled)).toMatchObject({ recorded: 1, duplicates: 1, refused: [] });
    expect(await record(spelled)).toMatchObject({ recorded: 0, duplicates: 1, refused: [] });
  });

  it('refuses a sequence that does not rise', async () => {
    const at = '2025-01-01T00:00:01Z';
    const venueId = 'rising';
    await done(graph, 'recordOrderBooks', { books: [book(10, at, { venueId })] });
    const payload = await record(
      book(9, at, { venueId }),
      book(9, '2025-01-01T00:00:02Z', { venueId }),
      book(10, at, { venueId, bids: side(98) }),
      book(11, '2025-01-01T00:00:00.999999Z', { venueId }),
      book(11, at, { venueId }),
      book(11, '2025-01-01T00:00:02Z', { venueId, bids: side(98) }),
      book('9223372036854775808', '2025-01-01T00:00:03Z', { venueId }),
    );
    expect(payload.recorded).toBe(1);
    expect(refusals(payload)).toEqual([
      [0, 'sequence must rise with time, but 9 comes when 10 was seen already.'],
      [1, 'sequence must rise with time, but 9 comes when 10 was seen already.'],
      [2, 'Sequence 10 is stored with other levels.'],
      [3, 'sequence must rise with time, but 11 lies before 10 in time.'],
      [5, 'Sequence 11 is stored with other levels.'],
      [6, 'sequence must be a whole number from 0 to 9223372036854775807, but got "9223372036854775808".'],
    ]);
  });

  it('lets a recording be filled in later, in order', async () => {
    const venueId = 'filled';
    const at = (second: number) => `2025-01-01T00:00:0${second}Z`;
    await done(graph, 'recordOrderBooks', { books: [book(10, at(1), { venueId }), book(30, at(5), { venueId })] });
    const between = [book(20, at(3), { venueId }), book(25, at(4), { venueId }), book(5, at(0), { venueId })];
    expect(await done(graph, 'recordOrderBooks', { books: between })).toEqual({ recorded: 3, duplicates: 0 });
    expect(refusals(await record(book(22, at(5), { venueId }), book(22, at(2), { venueId })))).toEqual([
      [0, 'sequence must rise with time, but 22 comes when 25 was seen already.'],
      [1, 'sequence must rise with time, but 22 lies before 20 in time.'],
    ]);
    const { orderBookSnapshot } = await ask(
      graph,
      '{ orderBookSnapshot(symbol: "BTC-USDT", venueId: "filled") { sequence } }',
    );
    expect(orderBookSnapshot.sequence).toBe('30');
  });

  it('stores each book once, whoever records it at the same time', async () => {
    const books = Array.from({ length: 40 }, (_, i) =>
      book(i, new Date(Date.UTC(2025, 1, 1, 0, 0, i)).toISOString(), {
        symbol: i % 2 ? 'ETH-USDT' : 'BTC-USDT',
        venueId: 'race',
      }),
    );
    const payloads = await Promise.all(Array.from({ length: 6 }, () => record(...books)));
    expect(payloads.map(({ refused: rows, errors }) => [rows, errors])).toEqual(payloads.map(() => [[], []]));
    expect(payloads.reduce((sum, { recorded }) => sum + recorded, 0)).toBe(40);
  });

  it('repeats its answer for the same key', async () => {
    const input = { books: [book(1, '2025-01-01T00:00:00Z', { venueId: 'keyed' })], idempotencyKey: 'books-1' };
    const first = await done(graph, 'recordOrderBooks', input);
    expect(await done(graph, 'recordOrderBooks', input)).toEqual(first);
    const other = { books: [], idempotencyKey: 'books-1' };
    expect(await refused(graph, 'recordOrderBooks', other)).toMatchObject({ code: 'IDEMPOTENCY_CONFLICT' });
  });

  it('refuses more than 1,000 as a whole', async () => {
    const books = Array.from({ length: 1_001 }, (_, i) => book(i, NOW));
    expect((await refused(graph, 'recordOrderBooks', { books })).message).toBe(
      'books takes at most 1000 rows, but got 1001.',
    );
  });
});

describe('reading order books', () => {
  beforeAll(async () => {
    await createInstruments(graph, 'READ-USD');
    const at = (second: number) => new Date(Date.UTC(2025, 5, 1, 0, 0, second)).toISOString();
    const books = [
      ...[1, 2, 3].map((i) => book(i, at(i), { symbol: 'READ-USD', venueId: 'early' })),
      ...[7, 8].map((i) => book(i, at(10), { symbol: 'READ-USD', venueId: 'late', asks: side(150, 151) })),
    ];
    await done(graph, 'recordOrderBooks', { books });
  });

  const history = async (filter: string, rest = '') => {
    const { orderBookHistory } = await ask(
      graph,
      `{ orderBookHistory(filter: { symbol: "READ-USD" ${filter} } ${rest}) { totalCount nodes { sequence bids { price } } } }`,
    );
    expect(orderBookHistory.totalCount).toBe(orderBookHistory.nodes.length);
    return orderBookHistory.nodes;
  };

  it.each([
    ['', ['8', '7', '3', '2', '1']],
    [', venueId: "early"', ['3', '2', '1']],
    [', venueId: "no\\u0000ne"', []],
    [', from: "2025-06-01T00:00:02Z"', ['8', '7', '3', '2']],
    [', to: "2025-06-01T00:00:02Z"', ['1']],
  ])('history filtered by { symbol%s }', async (filter, expected) => {
    expect((await history(filter)).map(({ sequence }: { sequence: string }) => sequence)).toEqual(expected);
  });

  it('shows as many levels as asked', async () => {
    const [newest] = await history('', ', depth: 1');
    expect(newest.bids).toEqual([{ price: '100' }]);
  });

  it('gives the newest of any venue, or of one', async () => {
    const answer = await ask(
      graph,
      `{ instrument(symbol: "READ-USD") {
        newest: orderBookSnapshot { sequence asks { price } }
        early: orderBookSnapshot(venueId: "early") { sequence }
        none: orderBookSnapshot(venueId: "none") { sequence }
        odd: orderBookSnapshot(venueId: "o\\u0000dd") { sequence }
      } }`,
    );
    expect(answer.instrument).toEqual({
      newest: { sequence: '8', asks: [{ price: '150' }, { price: '151' }] },
      early: { sequence: '3' },
      none: null,
      odd: null,
    });
  });

  it.each([0, 101, -1])('refuses a depth of %s', async (depth) => {
    const expected = { message: `depth must be from 1 to 100, but got ${depth}.`, code: 'BAD_USER_INPUT' };
    expect(await fault(graph, `{ orderBookSnapshot(symbol: "READ-USD", depth: ${depth}) { depth } }`)).toEqual(
      expected,
    );
    expect(await fault(graph, `{ orderBookHistory(depth: ${depth}) { nodes { depth } } }`)).toEqual(expected);
  });
});

it('other writers cannot store a crossed book, or one too deep', async () => {
  const insert = (bids: string, asks: string) =>
    graph.sql(
      'market-data',
      `insert into order_book_snapshots (symbol, venue_id, timestamp, sequence, bids, asks)
       values ('BTC-USDT', 'sql', now(), 1, $1, $2)`,
      [bids, asks],
    );
  await expect(insert('[["2", "1"]]', '[["1", "1"]]')).rejects.toThrow('order_book_snapshots_not_crossed');
  await expect(insert('[]', '[]')).rejects.toThrow('order_book_snapshots_depth_range');
  await expect(insert(JSON.stringify(Array(101).fill(['1', '1'])), '[]')).rejects.toThrow(
    'order_book_snapshots_depth_range',
  );
});
