import { describe, expect, it } from 'vitest';
import { readOrderBooks } from '../../clients/loader/order-books.ts';
import { collect, inputsOf, reasonsOf, rowsOf } from './support.ts';

const COLUMNS = 'time,sequence,side,level,price,quantity';
const FIRST = '2024-08-08T23:54:15Z,1';
const SECOND = '2024-08-08T23:54:16Z,2';
const read = (lines: readonly string[]) =>
  collect(readOrderBooks(rowsOf(COLUMNS, lines), { symbol: 'BTC-USDT', venue: 'binance' }));

/** A book of two levels a side. */
const book = (moment: string) => [
  `${moment},BID,1,99,1`,
  `${moment},BID,2,98,2`,
  `${moment},ASK,1,101,3`,
  `${moment},ASK,2,102,4`,
];
const sideOf = (levels: readonly [string, string][]) => levels.map(([price, quantity]) => ({ price, quantity }));

describe('order books of rows', () => {
  it('are put together of the rows of one moment', async () => {
    const items = await read([...book(FIRST), ...book(SECOND)]);
    expect(items.map(({ line }) => line)).toEqual([2, 6]);
    expect(inputsOf(items)).toEqual(
      [
        ['2024-08-08T23:54:15Z', '1'],
        ['2024-08-08T23:54:16Z', '2'],
      ].map(([timestamp, sequence]) => ({
        symbol: 'BTC-USDT',
        venueId: 'binance',
        timestamp,
        sequence,
        bids: sideOf([
          ['99', '1'],
          ['98', '2'],
        ]),
        asks: sideOf([
          ['101', '3'],
          ['102', '4'],
        ]),
      })),
    );
  });

  it('take their sides in any order, and one side alone', async () => {
    const items = await read([`${FIRST},ASK,1,101,3`, `${FIRST},BID,1,99,1`, `${SECOND},BID,1,99,1`]);
    expect(inputsOf(items).map(({ bids, asks }) => [bids.length, asks.length])).toEqual([
      [1, 1],
      [1, 0],
    ]);
  });

  it('are refused whole for a bad row, and those around them kept', async () => {
    const rows = [...book(FIRST), ...book(SECOND), ...book('2024-08-08T23:54:17Z,3')];
    rows[5] = `${SECOND},BID,2,abc,2`;
    rows[6] = `${SECOND},SELL,1,101,3`;
    const items = await read(rows);
    expect(inputsOf(items).map(({ sequence }) => sequence)).toEqual(['1', '3']);
    expect(reasonsOf(items)).toEqual([
      '7: price: Decimal must be digits with an optional point, for example "-12.5", but got "abc"; ' +
        'line 8: side must be BID or ASK, but got "SELL" (the order book of lines 6 to 9 is refused with it)',
    ]);
  });

  it.each([
    ['a level that is missing', 1, [], 'level must be 1'],
    ['a level that is missing in between', 2, [], 'level must be 2'],
    ['a row that is torn', 3, ['2024-08-08T23:54:15Z,1,ASK'], 'the row is torn'],
    ['a row whose sequence cannot be read', 3, ['2024-08-08T23:54:15Z,x,ASK,2,102,4'], 'sequence must be a whole'],
    ['a row whose time cannot be read', 3, ['yesterday,1,ASK,2,102,4'], 'time must be RFC 3339'],
  ])('with %s are not known and refused', async (_, place, instead, reason) => {
    const deep = [`${FIRST},BID,1,99,1`, `${FIRST},BID,2,98,2`, `${FIRST},BID,3,97,2`, `${FIRST},ASK,1,101,3`];
    const broken = deep.toSpliced(place - 1, 1, ...instead);
    const items = await read([...broken, ...book(SECOND)]);
    expect(inputsOf(items).map(({ sequence }) => sequence)).toEqual(['2']);
    expect(reasonsOf(items).join()).toContain(reason);
    expect(items).toHaveLength(2);
  });

  it('hold no more levels than the graph takes and one, so that it can refuse the book', async () => {
    const rows = Array.from({ length: 1_000 }, (_, index) => `${FIRST},BID,${index + 1},${2_000 - index},1`);
    expect(inputsOf(await read(rows))[0]?.bids).toHaveLength(101);
  });
});
