import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { applyChange, beginBook, type LevelChange, top } from '../../clients/loader/book-replay.ts';
import { readOrderBookMessages } from '../../clients/loader/order-book-messages.ts';
import { collect, inputsOf, reasonsOf } from './support.ts';

const FILE = { symbol: 'BTC-USDT', venue: 'binance', depth: 2 };

async function read(lines: readonly (object | string)[], file = FILE) {
  async function* numbered() {
    for (const [index, line] of lines.entries()) {
      yield { number: index + 1, cells: [typeof line === 'string' ? line : JSON.stringify(line)] };
    }
  }
  const remarks = { rows: 0, roundedSizes: 0 };
  return { items: await collect(readOrderBookMessages(numbered(), file, remarks)), rows: remarks.rows };
}

const SNAPSHOT = {
  type: 'snapshot',
  localTimeNs: 1723161254206,
  lastUpdateId: 100,
  bids: [
    ['99.00', '1.50'],
    ['98.00', '2'],
    ['97.00', '3'],
  ],
  asks: [['101', '1']],
};
const update = (U: number, u: number, b: string[][] = [], a: string[][] = []) => ({
  type: 'update',
  E: 1_723_161_255_408 + u,
  s: 'BTCUSDT',
  U,
  u,
  b,
  a,
});

describe('order books of messages', () => {
  it('are the best levels after each message, decimals canonical', async () => {
    const { items, rows } = await read([
      SNAPSHOT,
      update(99, 104, [
        ['99.00', '0.00000000'],
        ['98.50', '7'],
      ]),
      '',
      update(105, 105, [], [['100.5', '0.1']]),
    ]);
    expect(rows).toBe(3);
    expect(items.map(({ line }) => line)).toEqual([1, 2, 4]);
    const show = (levels: readonly { price: string; quantity: string }[]) =>
      levels.map(({ price, quantity }) => `${quantity}@${price}`).join(' ');
    expect(inputsOf(items).map(({ sequence, bids, asks }) => [sequence, show(bids), show(asks)])).toEqual([
      ['100', '1.5@99 2@98', '1@101'],
      ['104', '7@98.5 2@98', '1@101'],
      ['105', '7@98.5 2@98', '0.1@100.5 1@101'],
    ]);
    expect(inputsOf(items)[1]).toMatchObject({
      symbol: 'BTC-USDT',
      venueId: 'binance',
      timestamp: '2024-08-08T23:54:15.512Z',
    });
  });

  it('keep the microseconds of a snapshot, and ids beyond what a JavaScript number holds', async () => {
    const text = JSON.stringify({ ...SNAPSHOT, lastUpdateId: 1, localTimeNs: 2 })
      .replace('"lastUpdateId":1', '"lastUpdateId":9007199254740993')
      .replace('"localTimeNs":2', '"localTimeNs":1723161254206652067');
    const { items } = await read([text]);
    expect(inputsOf(items)[0]).toMatchObject({
      sequence: '9007199254740993',
      timestamp: '2024-08-08T23:54:14.206652Z',
    });
  });

  it('pass over an update that the snapshot holds already', async () => {
    const { items } = await read([SNAPSHOT, update(90, 100, [['99', '5']]), update(101, 101)]);
    expect(items[1]).toEqual({ line: 2, repeated: true });
    expect(inputsOf(items)[1]?.bids[0]).toEqual({ price: '99', quantity: '1.5' });
  });

  it('are not known after a missing update, until the next snapshot', async () => {
    const { items } = await read([
      update(50, 51),
      SNAPSHOT,
      update(101, 101),
      update(103, 104),
      update(105, 105),
      { ...SNAPSHOT, lastUpdateId: 110 },
      update(111, 111),
    ]);
    expect(inputsOf(items).map(({ sequence }) => sequence)).toEqual(['100', '101', '110', '111']);
    expect(reasonsOf(items)).toEqual([
      '1: the update cannot be applied: there is no snapshot before it',
      '4: updates are missing: U must be at most 102, but got 103',
      '5: the update cannot be applied: the book is not known after line 4, until the next snapshot',
    ]);
  });

  it.each([
    ['not JSON', '{"type":"update",', 'the row must be a JSON object, but got'],
    ['another kind', '{"type":"trade"}', 'type must be snapshot or update'],
    ['without ids', '{"type":"update","E":1,"b":[],"a":[]}', 'U Invalid input'],
    ['a bad price', JSON.stringify(update(101, 101, [['abc', '1']])), 'a price of b: Decimal must be digits'],
    ['a half level', JSON.stringify(update(101, 101, [], [['1']])), 'a.0'],
    ['an id with a fraction', JSON.stringify({ ...update(101, 101), u: 101.5 }), 'u must be a whole number'],
    ['no time', JSON.stringify({ ...update(101, 101), E: 9e15 }), 'there is no time of 9000000000000000 milliseconds'],
  ])('are not known after a message that is %s', async (_, message, reason) => {
    const { items } = await read([SNAPSHOT, message, update(102, 102)]);
    expect(inputsOf(items)).toHaveLength(1);
    expect(reasonsOf(items)[0]).toContain(`2: ${reason}`);
    expect(reasonsOf(items)[1]).toContain('the book is not known after line 2');
  });

  it('stay known when a message about another pair comes between', async () => {
    const foreign = { ...update(500, 501), s: 'ETHUSDT' };
    const { items } = await read([SNAPSHOT, foreign, update(101, 101)]);
    expect(inputsOf(items).map(({ sequence }) => sequence)).toEqual(['100', '101']);
    expect(reasonsOf(items)).toEqual(['2: the message is about "ETHUSDT", but the file about BTC-USDT']);
  });

  it('take the pair for the perpetual on it', async () => {
    const { items } = await read([SNAPSHOT, update(101, 101)], { ...FILE, symbol: 'BTC-USDT-PERP' });
    expect(inputsOf(items).map(({ symbol }) => symbol)).toEqual(['BTC-USDT-PERP', 'BTC-USDT-PERP']);
  });
});

describe('replaying a book', () => {
  const price = fc.integer({ min: 1, max: 400 }).map((cents) => (cents / 4).toString());
  const quantity = fc.integer({ min: 0, max: 5 }).map(String);
  const levels = fc.array(fc.tuple(price, quantity), { maxLength: 30 });

  it('gives the same as a plain table of prices', () => {
    fc.assert(
      fc.property(levels, fc.array(levels, { maxLength: 10 }), (snapshot, changes) => {
        const book = beginBook(0n, snapshot, snapshot);
        const table = new Map<string, string>();
        const put = (side: readonly LevelChange[]) => {
          for (const [at, size] of side) size === '0' ? table.delete(at) : table.set(at, size);
        };
        put(snapshot);
        for (const [index, side] of changes.entries()) {
          const id = BigInt(index + 1);
          expect(applyChange(book, { firstId: id, lastId: id, bids: side, asks: side })).toBe('applied');
          put(side);
        }
        const rising = [...table].sort(([a], [b]) => Number(a) - Number(b));
        const shown = rising.map(([at, size]) => ({ price: at, quantity: size }));
        expect(top(book.asks, 1_000)).toEqual(shown);
        expect(top(book.bids, 1_000)).toEqual(shown.toReversed());
      }),
      { seed: 7, numRuns: 200 },
    );
  });

  it('gives up on a side that grows beyond any venue', () => {
    const side = (count: number): LevelChange[] =>
      Array.from({ length: count }, (_, index) => [String(index + 1), '1']);
    const book = beginBook(0n, side(50_000).reverse(), []);
    expect(applyChange(book, { firstId: 1n, lastId: 1n, bids: [['0.5', '1']], asks: [] })).toBe('full');
  });
});
