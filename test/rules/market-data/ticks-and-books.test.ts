import { describe, expect, it } from 'vitest';
import { change24h, midOf, spreadBpsOf, spreadOf } from '../../../subgraphs/market-data/rules/market-figures.ts';
import { type BookReport, bookFault, cumulate, sameLevels } from '../../../subgraphs/market-data/rules/order-book.ts';
import {
  arrangeBooks,
  bookKey,
  marketKey,
  microsOf,
} from '../../../subgraphs/market-data/rules/order-book-sequence.ts';
import { isNewer, readTick, type TickReport } from '../../../subgraphs/market-data/rules/price-tick.ts';
import { type TickerReport, tickerFault } from '../../../subgraphs/market-data/rules/ticker-report.ts';

const NOW = Date.UTC(2026, 0, 1, 12);

function tick(change: Partial<TickReport> = {}): TickReport {
  return {
    symbol: 'BTC-USD',
    source: 'test',
    timestamp: '2026-01-01T11:59:59.123456Z',
    sequence: '0',
    price: '100',
    bid: null,
    ask: null,
    bidSize: null,
    askSize: null,
    quantity: null,
    takerSide: null,
    volume24h: null,
    confidence: null,
    metadata: null,
    ...change,
  };
}

describe('reading a tick', () => {
  it('keeps what the source says', () => {
    expect(readTick(tick({ bid: '99', ask: '101' }), NOW)).toEqual(tick({ bid: '99', ask: '101' }));
  });

  it('takes the middle of bid and ask, half-even, where no price is given', () => {
    const priceOf = (bid: string, ask: string) => readTick(tick({ price: null, bid, ask }), NOW);
    expect(priceOf('7424.9', '7424.91')).toMatchObject({ price: '7424.905' });
    expect(priceOf('1.00000001', '1.00000002')).toMatchObject({ price: '1.00000002' });
    expect(priceOf('1.00000002', '1.00000003')).toMatchObject({ price: '1.00000002' });
  });

  it.each<[string, Partial<TickReport>, string]>([
    ['neither price nor quote', { price: null }, 'price'],
    ['only a bid', { price: null, bid: '1' }, 'price'],
    ['a price of zero', { price: '0' }, 'price'],
    ['a negative price', { price: '-1' }, 'price'],
    ['a price above a trillion', { price: '1000000000001' }, 'price'],
    ['a bid above the ask', { bid: '101', ask: '100.99999999' }, 'bid'],
    ['a bid of zero', { bid: '0' }, 'bid'],
    ['a negative ask', { ask: '-1' }, 'ask'],
    ['a negative size', { bidSize: '-1' }, 'bidSize'],
    ['a size too large to keep', { askSize: '9000000000000001' }, 'askSize'],
    ['a trade of nothing', { quantity: '0' }, 'quantity'],
    ['a negative volume', { volume24h: '-1' }, 'volume24h'],
    ['a taker without a trade', { takerSide: 'BUY' }, 'takerSide'],
    ['a confidence above 1', { confidence: '1.0001' }, 'confidence'],
    ['a negative confidence', { confidence: '-0.1' }, 'confidence'],
    ['a confidence too fine', { confidence: '0.00001' }, 'confidence'],
    ['no source', { source: '' }, 'source'],
    ['a NUL in the source', { source: 'a\0' }, 'source'],
    ['half a character in the source', { source: 'a\ud800' }, 'source'],
    ['half a character in the metadata', { metadata: { list: ['\udc00'] } }, 'metadata'],
    ['a fractional sequence', { sequence: '1.5' }, 'sequence'],
    ['a negative sequence', { sequence: '-1' }, 'sequence'],
    ['a sequence beyond 64 bits', { sequence: '9223372036854775808' }, 'sequence'],
    ['a year before 2009', { timestamp: '2008-12-31T23:59:59.999999Z' }, 'timestamp'],
    ['an instant in the future', { timestamp: '2026-01-01T12:00:05.001Z' }, 'timestamp'],
    ['a NUL in the metadata', { metadata: { deep: { text: '\0' } } }, 'metadata'],
  ])('refuses %s', (_, change, field) => {
    expect(readTick(tick(change), NOW)).toMatchObject({ field, message: expect.any(String) });
  });

  it.each<[string, Partial<TickReport>]>([
    ['a bid at the ask', { bid: '100', ask: '100' }],
    ['an empty quote size', { bid: '100', ask: '101', bidSize: '0', askSize: '0' }],
    ['the largest sequence', { sequence: '9223372036854775807' }],
    ['five seconds of clock skew', { timestamp: '2026-01-01T12:00:05Z' }],
    ['a trade without a known taker', { quantity: '1' }],
    ['metadata of any depth', { metadata: { list: [1, { a: null }], text: '\\u0000' } }],
  ])('takes %s', (_, change) => {
    expect(readTick(tick(change), NOW)).toEqual(tick(change));
  });

  it.each([
    ['a later instant', '2026-01-01T00:00:01Z', '0', '2026-01-01T00:00:00Z', '9', true],
    ['a later fraction', '2026-01-01T00:00:00.1Z', '0', '2026-01-01T00:00:00Z', '9', true],
    ['an earlier fraction', '2026-01-01T00:00:00.09Z', '9', '2026-01-01T00:00:00.1Z', '0', false],
    ['a higher sequence of one instant', '2026-01-01T00:00:00Z', '10', '2026-01-01T00:00:00Z', '9', true],
    ['the same instant and sequence', '2026-01-01T00:00:00Z', '9', '2026-01-01T00:00:00Z', '9', false],
  ])('knows whether %s is newer', (_, timestamp, sequence, otherTimestamp, otherSequence, expected) => {
    expect(isNewer({ timestamp, sequence }, { timestamp: otherTimestamp, sequence: otherSequence })).toBe(expected);
  });
});

describe('figures of the market', () => {
  it('spread, middle and basis points', () => {
    expect(String(spreadOf('7424.9', '7424.91'))).toBe('0.01');
    expect(String(midOf('49990', '50010'))).toBe('50000');
    expect(String(spreadBpsOf('49990', '50010'))).toBe('4');
    expect(String(spreadBpsOf('1', '2'))).toBe('6666.66666667');
    expect([spreadOf('1', null), midOf(null, '1'), spreadBpsOf(null, null)]).toEqual([null, null, null]);
  });

  it('change of 24 hours', () => {
    expect(Object.values(change24h('51000', '50000') ?? {}).map(String)).toEqual(['1000', '2']);
    expect(Object.values(change24h('1', '3') ?? {}).map(String)).toEqual(['-2', '-66.66666667']);
    expect(change24h('1', null)).toBeNull();
  });
});

function book(change: Partial<BookReport> = {}): BookReport {
  return {
    symbol: 'BTC-USDT',
    venueId: 'binance',
    timestamp: '2026-01-01T00:00:00Z',
    sequence: '50093239224',
    bids: [
      { price: '100', quantity: '1' },
      { price: '99.5', quantity: '2' },
    ],
    asks: [
      { price: '100.5', quantity: '0.5' },
      { price: '101', quantity: '0.25' },
    ],
    ...change,
  };
}

describe('an order book', () => {
  const side = (...prices: string[]) => prices.map((price) => ({ price, quantity: '1' }));

  it('passes when sorted and not crossed, also with one side only', () => {
    expect(bookFault(book(), NOW)).toBeNull();
    expect(bookFault(book({ bids: [] }), NOW)).toBeNull();
    expect(bookFault(book({ asks: [] }), NOW)).toBeNull();
  });

  it.each<[string, Partial<BookReport>, string]>([
    ['crossed', { bids: side('101') }, 'bids'],
    ['locked', { bids: side('100.5') }, 'bids'],
    ['empty', { bids: [], asks: [] }, 'bids'],
    ['with rising bids', { bids: side('99', '100') }, 'bids'],
    ['with a bid price twice', { bids: side('99', '99.0') }, 'bids'],
    ['with falling asks', { asks: side('102', '101') }, 'asks'],
    ['with 101 levels', { asks: side(...Array.from({ length: 101 }, (_, i) => String(200 + i))) }, 'asks'],
    ['with a price of zero', { bids: side('0') }, 'bids'],
    ['with a quantity of zero', { asks: [{ price: '200', quantity: '0' }] }, 'asks'],
    ['with a negative quantity', { asks: [{ price: '200', quantity: '-1' }] }, 'asks'],
    ['of a venue with capitals', { venueId: 'Binance' }, 'venueId'],
    ['of a venue with two dashes', { venueId: 'a--b' }, 'venueId'],
    ['of a venue with a name too long', { venueId: 'a'.repeat(64) }, 'venueId'],
    ['from the future', { timestamp: '2026-01-02T00:00:00Z' }, 'timestamp'],
    ['with a sequence that is no number', { sequence: 'x' }, 'sequence'],
  ])('is refused when %s', (_, change, field) => {
    expect(bookFault(book(change), NOW)).toMatchObject({ field });
  });

  it('shows running totals down to the depth asked for', () => {
    expect(cumulate(book().bids, 100).map(({ price, total }) => `${price}:${total}`)).toEqual(['100:1', '99.5:3']);
    expect(cumulate(book().asks, 1).map(({ price, total }) => `${price}:${total}`)).toEqual(['100.5:0.5']);
  });

  it('is the same when its levels are, by value', () => {
    const spelled = { bids: side('100.0'), asks: side('101') };
    expect(sameLevels(spelled, { bids: side('100'), asks: side('101.00') })).toBe(true);
    expect(sameLevels(spelled, { bids: side('100'), asks: side('102') })).toBe(false);
    expect(sameLevels(spelled, { bids: side('100'), asks: side('101', '102') })).toBe(false);
  });
});

describe('the order of the books of a market', () => {
  const at = (second: number) => new Date(Date.UTC(2026, 0, 1) + second * 1_000).toISOString();
  const place = (sequence: bigint, second: number) => ({ sequence, at: microsOf(at(second)) });
  const arrange = (stored: { sequence: bigint; at: bigint }[], ...books: [sequence: string, second: number][]) =>
    arrangeBooks(
      books.map(([sequence, second], index) => ({ index, row: book({ sequence, timestamp: at(second) }) })),
      { places: new Map([[marketKey(book()), stored]]), books: new Map() },
    );

  it.each<[string, [string, number][], string[], number[]]>([
    ['a later one', [['11', 6]], ['11'], []],
    ['a later one of the same instant', [['11', 5]], ['11'], []],
    ['one that goes back in time', [['11', 4]], [], [0]],
    ['an earlier one, in its place', [['4', 2]], ['4'], []],
    ['an earlier one of the instant of a later', [['4', 5]], [], [0]],
    ['an earlier one of now', [['4', 9]], [], [0]],
    [
      'a whole recording, backwards',
      [
        ['9', 4],
        ['8', 3],
        ['7', 2],
      ],
      ['9', '8', '7'],
      [],
    ],
    [
      'one after one of the same call',
      [
        ['11', 7],
        ['12', 6],
      ],
      ['11'],
      [1],
    ],
  ])('takes or refuses %s', (_, books, fresh, misplaced) => {
    const arranged = arrange([place(10n, 5), place(3n, 1)], ...books);
    expect(arranged.fresh.map(({ sequence }) => sequence)).toEqual(fresh);
    expect(arranged.misplaced.map(({ index }) => index)).toEqual(misplaced);
  });

  it('counts repeats, and refuses other levels under the same sequence', () => {
    const stored = { places: new Map(), books: new Map([[bookKey(book()), book()]]) };
    const other = book({ bids: [{ price: '99', quantity: '1' }] });
    const arranged = arrangeBooks(
      [book(), other, book({ sequence: `0${book().sequence}` })].map((row, index) => ({ index, row })),
      stored,
    );
    expect(arranged).toMatchObject({ fresh: [], duplicates: 2, misplaced: [{ index: 1 }] });
  });

  it('keeps venues and instruments apart', () => {
    const books = [book(), book({ venueId: 'kraken' }), book({ symbol: 'ETH-USDT' })];
    const rows = books.map((row, index) => ({ index, row }));
    expect(arrangeBooks(rows, { places: new Map(), books: new Map() }).fresh).toEqual(books);
  });

  it('knows microseconds', () => {
    expect(microsOf('1970-01-01T00:00:01.000001Z')).toBe(1_000_001n);
    expect(microsOf('1970-01-01T00:00:01.5Z')).toBe(1_500_000n);
    expect(microsOf('1970-01-01T00:00:01Z')).toBe(1_000_000n);
  });
});

describe('a ticker of a venue', () => {
  const report: TickerReport = {
    symbol: 'BTC-USD',
    source: 'test',
    timestamp: '2026-01-01T00:00:00Z',
    sequence: '0',
    lastPrice: '100',
    bid: '99',
    ask: '101',
    volume24h: '5',
    priceChange24h: '-20',
    metadata: null,
  };

  it('passes when sound', () => {
    expect(tickerFault(report, NOW)).toBeNull();
    expect(tickerFault({ ...report, bid: null, ask: null, volume24h: null, priceChange24h: null }, NOW)).toBeNull();
  });

  it.each<[string, Partial<TickerReport>, string]>([
    ['a bid above the ask', { bid: '102' }, 'bid'],
    ['a last price of zero', { lastPrice: '0' }, 'lastPrice'],
    ['a negative volume', { volume24h: '-1' }, 'volume24h'],
    ['a change that leaves no price before', { priceChange24h: '100' }, 'priceChange24h'],
    ['a timestamp in the future', { timestamp: '2026-01-02T00:00:00Z' }, 'timestamp'],
    ['a sequence that is no number', { sequence: '' }, 'sequence'],
    ['no source', { source: '' }, 'source'],
    ['a NUL in the metadata', { metadata: { a: '\0' } }, 'metadata'],
  ])('is refused with %s', (_, change, field) => {
    expect(tickerFault({ ...report, ...change }, NOW)).toMatchObject({ field });
  });
});
