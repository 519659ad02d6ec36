import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dec, toWire } from '../../../platform/decimal.ts';
import {
  conclude,
  type Incoming,
  type Matched,
  match,
  type Resting,
} from '../../../subgraphs/exchange/rules/matching.ts';
import type { OrderType, TimeInForce } from '../../../subgraphs/exchange/rules/order-entry.ts';

const SEED = 20260101;

/** "1 @ 100" rests for somebody else; "1 @ 100 own" for the account of the incoming order. */
function resting(text: string): Resting {
  const [remaining = '', , price = '', owner = 'other'] = text.split(' ');
  return { accountId: owner, price: dec(price), remaining: dec(remaining) };
}

function incoming(side: 'BUY' | 'SELL', quantity: string, limit: string | null): Incoming {
  return { accountId: 'own', side, quantity: dec(quantity), limit: limit === null ? null : dec(limit) };
}

const written = ({ fills, remaining, end }: Matched) => ({
  fills: fills.map(({ maker, quantity }) => `${toWire(quantity)} @ ${toWire(maker.price)}`),
  remaining: toWire(remaining),
  end,
});

describe('matching', () => {
  const asks = ['1 @ 100', '2 @ 100', '1 @ 101', '5 @ 105'].map(resting);
  const bids = ['1 @ 99', '2 @ 98', '3 @ 90'].map(resting);

  it.each([
    ['meets nothing in an empty book', incoming('BUY', '1', null), [], [], '1', 'BOOK_EMPTY'],
    ['fills from the best price', incoming('BUY', '1', '100'), asks, ['1 @ 100'], '0', null],
    ['fills in part of a resting order', incoming('BUY', '0.4', '100'), asks, ['0.4 @ 100'], '0', null],
    ['goes on with the next at a price', incoming('BUY', '1.5', '100'), asks, ['1 @ 100', '0.5 @ 100'], '0', null],
    ['stops at its limit', incoming('BUY', '9', '101'), asks, ['1 @ 100', '2 @ 100', '1 @ 101'], '5', 'PRICE'],
    ['pays the resting price, not its own', incoming('BUY', '1', '200'), asks, ['1 @ 100'], '0', null],
    [
      'takes the whole book at any price',
      incoming('BUY', '10', null),
      asks,
      ['1 @ 100', '2 @ 100', '1 @ 101', '5 @ 105'],
      '1',
      'BOOK_EMPTY',
    ],
    ['does not meet a worse price', incoming('BUY', '1', '99.99'), asks, [], '1', 'PRICE'],
    ['sells to the highest bid', incoming('SELL', '2.5', '98'), bids, ['1 @ 99', '1.5 @ 98'], '0', null],
    ['sells no lower than its limit', incoming('SELL', '9', '98'), bids, ['1 @ 99', '2 @ 98'], '6', 'PRICE'],
  ] as const)('%s', (_, order, book, fills, remaining, end) => {
    expect(written(match(order, book))).toEqual({ fills, remaining, end });
  });

  it('ends at an order of its own account', () => {
    const book = ['1 @ 100', '1 @ 100 own', '1 @ 100'].map(resting);
    expect(written(match(incoming('BUY', '3', '100'), book))).toEqual({
      fills: ['1 @ 100'],
      remaining: '2',
      end: 'SELF_TRADE',
    });
  });

  it('is not stopped by an own order that it need not meet', () => {
    const book = ['1 @ 100', '1 @ 101 own'].map(resting);
    expect(match(incoming('BUY', '1', '101'), book).end).toBeNull();
    expect(match(incoming('BUY', '2', '100'), book).end).toBe('PRICE');
  });

  const units = fc.integer({ min: 1, max: 500_000_000 }).map((value) => dec(value).div(100_000_000));
  const books = fc.array(fc.record({ price: fc.integer({ min: 90, max: 110 }).map(dec), remaining: units }), {
    maxLength: 12,
  });

  it('fills as much as the acceptable part of the book holds, best first, never more', () => {
    fc.assert(
      fc.property(books, units, fc.integer({ min: 85, max: 115 }), (orders, quantity, limit) => {
        const book = orders.toSorted((a, b) => a.price.cmp(b.price)).map((order) => ({ ...order, accountId: 'other' }));
        const { fills, remaining } = match(incoming('BUY', quantity.toFixed(), String(limit)), book);
        const acceptable = book.filter(({ price }) => price.lte(limit));
        const offered = acceptable.reduce((sum, order) => sum.plus(order.remaining), dec(0));
        const filled = fills.reduce((sum, fill) => sum.plus(fill.quantity), dec(0));
        expect(filled.eq(offered.lt(quantity) ? offered : quantity)).toBe(true);
        expect(filled.plus(remaining).eq(quantity)).toBe(true);
        fills.forEach((fill, place) => {
          expect(fill.maker).toBe(acceptable[place]);
          const isLast = place === fills.length - 1;
          expect(isLast ? fill.quantity.lte(fill.maker.remaining) : fill.quantity.eq(fill.maker.remaining)).toBe(true);
          expect(fill.quantity.gt(0)).toBe(true);
        });
      }),
      { seed: SEED, numRuns: 300 },
    );
  });
});

describe('what becomes of an order after matching', () => {
  const partly = { fills: [{ maker: resting('1 @ 100'), quantity: dec(1) }], remaining: dec(1) };
  const unfilled = { fills: [], remaining: dec(2) };
  type Case = [OrderType, TimeInForce, Pick<Matched, 'fills' | 'remaining'>, Matched['end'], string, string | null];

  it.each<Case>([
    ['LIMIT', 'GTC', unfilled, 'BOOK_EMPTY', 'OPEN 0', null],
    ['LIMIT', 'GTC', partly, 'PRICE', 'PARTIAL 1', null],
    ['LIMIT', 'GTC', partly, null, 'FILLED 1', null],
    ['LIMIT', 'GTC', partly, 'SELF_TRADE', 'EXPIRED 1', 'SELF_TRADE'],
    ['LIMIT', 'IOC', unfilled, 'PRICE', 'EXPIRED 0', 'TIME_IN_FORCE'],
    ['LIMIT', 'IOC', partly, 'BOOK_EMPTY', 'EXPIRED 1', 'TIME_IN_FORCE'],
    ['LIMIT', 'IOC', partly, null, 'FILLED 1', null],
    ['LIMIT', 'FOK', partly, 'PRICE', 'EXPIRED 0', 'TIME_IN_FORCE'],
    ['LIMIT', 'FOK', partly, 'SELF_TRADE', 'EXPIRED 0', 'TIME_IN_FORCE'],
    ['LIMIT', 'FOK', partly, null, 'FILLED 1', null],
    ['MARKET', 'GTC', unfilled, 'BOOK_EMPTY', 'EXPIRED 0', 'NO_LIQUIDITY'],
    ['MARKET', 'GTC', partly, 'BOOK_EMPTY', 'EXPIRED 1', 'NO_LIQUIDITY'],
    ['MARKET', 'IOC', partly, 'BOOK_EMPTY', 'EXPIRED 1', 'NO_LIQUIDITY'],
    ['MARKET', 'IOC', partly, 'SELF_TRADE', 'EXPIRED 1', 'SELF_TRADE'],
    ['MARKET', 'FOK', partly, 'BOOK_EMPTY', 'EXPIRED 0', 'TIME_IN_FORCE'],
    ['STOP', 'GTC', partly, null, 'FILLED 1', null],
    ['STOP', 'GTC', partly, 'PRICE', 'EXPIRED 1', 'NO_LIQUIDITY'],
    ['STOP', 'GTC', unfilled, 'BOOK_EMPTY', 'EXPIRED 0', 'NO_LIQUIDITY'],
    ['STOP', 'FOK', partly, 'PRICE', 'EXPIRED 0', 'TIME_IN_FORCE'],
  ])('%s %s, %o ended by %s', (type, timeInForce, matched, end, after, reason) => {
    const { status, fills, expiryReason } = conclude({ type, timeInForce }, { ...matched, end });
    expect([`${status} ${fills.length}`, expiryReason]).toEqual([after, reason]);
  });
});
