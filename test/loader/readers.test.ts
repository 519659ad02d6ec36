import { describe, expect, it } from 'vitest';
import { readBar } from '../../clients/loader/bars.ts';
import { BadRow } from '../../clients/loader/fields.ts';
import { readListing } from '../../clients/loader/instruments.ts';
import { readQuote } from '../../clients/loader/quotes.ts';
import { eachRow } from '../../clients/loader/rows.ts';
import { readTrade } from '../../clients/loader/trades.ts';
import { collect, inputsOf, reasonsOf, rowsOf } from './support.ts';

const MARKET = { symbol: 'BTC-USD', venue: 'coinbase' };
const fieldsOf = (columns: string, row: string) => {
  const cells = row.split(',');
  return Object.fromEntries(columns.split(',').map((name, index) => [name, cells[index] ?? '']));
};

describe('bars', () => {
  const COLUMNS = 'time,open,high,low,close,volume';
  const read = (row: string) => readBar(fieldsOf(COLUMNS, row), { ...MARKET, interval: '1m' });

  it('become candles of their interval, decimals exact and canonical', () => {
    expect(read('2018-04-04T02:00:00+02:00,7424.910,7425,7422,7422.00,7.14319709')).toEqual({
      symbol: 'BTC-USD',
      interval: 'M1',
      startTime: '2018-04-04T00:00:00Z',
      open: '7424.91',
      high: '7425',
      low: '7422',
      close: '7422',
      volume: '7.14319709',
      source: 'coinbase',
    });
  });

  it.each([
    ['2018-04-04,1,1,1,1,1', 'time must be RFC 3339'],
    ['2018-04-04T00:00:00,1,1,1,1,1', 'time must have an offset'],
    ['2018-02-30T00:00:00Z,1,1,1,1,1', 'time must be a day and time that exist'],
    ['2018-04-04T00:00:00Z,abc,1,1,1,1', 'open: Decimal must be digits'],
    ['2018-04-04T00:00:00Z,1,1e3,1,1,1', 'high: Decimal must be digits'],
    ['2018-04-04T00:00:00Z,1,1,1.0000000000000002,1,1', 'low: Decimal takes at most 8 fractional digits, but got 16'],
    ['2018-04-04T00:00:00Z,1,1,1,,1', 'close is empty'],
    ['2018-04-04T00:00:00Z,1,1,1,1,12345678901234567', 'volume: Decimal takes at most 16 digits before the point'],
    [`2018-04-04T00:00:00Z,${'1'.repeat(1_000)},1,1,1,1`, `open must be a number, but got "${'1'.repeat(60)}…"`],
  ])('%s is refused', (row, reason) => {
    expect(() => read(row)).toThrow(BadRow);
    expect(() => read(row)).toThrow(reason);
  });

  it('takes zeros beyond the 8th decimal for what they are', () => {
    expect(read('2018-04-04T00:00:00Z,1.123456780000,1,1,1,0.0001000000')).toMatchObject({
      open: '1.12345678',
      volume: '0.0001',
    });
  });

  it('refuses a row without losing those around it', async () => {
    const rows = rowsOf(COLUMNS, ['2018-04-04T00:00:00Z,1,1,1,1,1', '2018-04-04T00:01:00Z,1,1', 'x,1,1,1,1,1']);
    const items = await collect(eachRow(rows, (fields) => readBar(fields, { ...MARKET, interval: '1m' })));
    expect(inputsOf(items)).toHaveLength(1);
    expect(reasonsOf(items)).toEqual(['3: the row is torn', expect.stringMatching(/^4: time must be RFC 3339/)]);
  });
});

describe('trades', () => {
  const read = (row: string) => readTrade(fieldsOf('time,trade_id,price,quantity,taker_side', row), MARKET);

  it('become ticks that their trade id tells apart', () => {
    expect(read('2024-08-08T23:54:15.342Z,9223372036854775807,61837.63,0.02,sell')).toEqual({
      symbol: 'BTC-USD',
      source: 'coinbase',
      timestamp: '2024-08-08T23:54:15.342Z',
      sequence: '9223372036854775807',
      price: '61837.63',
      quantity: '0.02',
      takerSide: 'SELL',
    });
  });

  it.each([
    ['2024-08-08T23:54:15Z,1.5,1,1,BUY', 'trade_id must be a whole number, but got "1.5"'],
    ['2024-08-08T23:54:15Z,1,1,1,HOLD', 'taker_side must be BUY or SELL, but got "HOLD"'],
    ['2024-08-08T23:54:15Z,1,1,0.100000000000000005,BUY', 'quantity: Decimal takes at most 8'],
  ])('%s is refused', (row, reason) => {
    expect(() => read(row)).toThrow(reason);
  });
});

describe('quotes', () => {
  const COLUMNS = 'time,bid_open,bid_high,bid_low,bid_close,bid_size,ask_open,ask_high,ask_low,ask_close,ask_size';
  const read = (row: string, onRounded = () => {}) =>
    readQuote(fieldsOf(COLUMNS, row), { ...MARKET, interval: '1m' }, onRounded);

  it('become the tick that stood at the end of the bar, the rest of it beside', () => {
    expect(read('2018-04-04T23:59:00Z,10,12,9,11,1.5,11,14,10,13,2')).toEqual({
      symbol: 'BTC-USD',
      source: 'coinbase',
      timestamp: '2018-04-04T23:59:59.999999Z',
      bid: '11',
      ask: '13',
      bidSize: '1.5',
      askSize: '2',
      metadata: {
        interval: '1m',
        start: '2018-04-04T23:59:00Z',
        bid: { open: '10', high: '12', low: '9', close: '11' },
        ask: { open: '11', high: '14', low: '10', close: '13' },
      },
    });
  });

  it.each([
    ['33.35399601000002', '33.35399601', 1],
    ['2.5833652000000003', '2.5833652', 1],
    ['0.34307688999999997', '0.34307689', 1],
    ['0.000000005', '0', 1],
    ['0.000000015', '0.00000002', 1],
    ['0.000000025', '0.00000002', 1],
    ['1.10000000000', '1.1', 0],
    ['1.12345678', '1.12345678', 0],
  ])('a size of %s is %s, rounded half-even %i times', (size, kept, times) => {
    let rounded = 0;
    const quote = read(`2018-04-04T00:00:00Z,1,1,1,1,${size},2,2,2,2,1`, () => rounded++);
    expect(quote.bidSize).toBe(kept);
    expect(rounded).toBe(times);
  });

  it.each([
    ['2018-04-04T00:00:00Z,1,1,1,1.0000000000000002,1,2,2,2,2,1', 'bid_close: Decimal takes at most 8'],
    ['2018-04-04T00:00:00Z,1,1,1,1,1,2,1,2,2,1', 'ask_open must lie between ask_low 2 and ask_high 1, but got 2'],
    ['2018-04-04T00:00:00Z,1,2,1,3,1,2,2,2,2,1', 'bid_close must lie between bid_low 1 and bid_high 2, but got 3'],
    ['2018-04-04T00:00:30Z,1,1,1,1,1,2,2,2,2,1', 'time must be a multiple of 1m in UTC'],
    ['2018-04-04T00:00:00.5Z,1,1,1,1,1,2,2,2,2,1', 'time must be a multiple of 1m in UTC'],
    ['2018-04-04T00:00:00Z,1,1,1,1,-1.000000000001,2,2,2,2,1', 'bid_size: Decimal takes at most 8'],
    ['2018-04-04T00:00:00Z,1,1,1,1,1e-9,2,2,2,2,1', 'bid_size: Decimal must be digits'],
  ])('%s is refused', (row, reason) => {
    expect(() => read(row)).toThrow(reason);
  });
});

describe('instruments', () => {
  const COLUMNS = 'venue,venue_symbol,base,quote,kind,name,tick_size,lot_size,min_order_size';
  const read = (row: string) => readListing(fieldsOf(COLUMNS, row));

  it('become terms on a venue', () => {
    expect(read('Coinbase,BTC-USD,BTC,USD,SPOT,Bitcoin-US Dollar,0.01,0.00000001,0.0001000000')).toEqual({
      symbol: 'BTC-USD',
      displayName: 'Bitcoin-US Dollar',
      terms: {
        venueId: 'coinbase',
        venueSymbol: 'BTC-USD',
        tickSize: '0.01',
        lotSize: '0.00000001',
        minOrderSize: '0.0001',
      },
    });
  });

  it('mark a perpetual in the symbol and take no spelling for a name', () => {
    expect(read('dydx,BTC-USD,btc,usd,PERPETUAL,BTC-USD,1,1,1')).toMatchObject({
      symbol: 'BTC-USD-PERP',
      displayName: null,
    });
    expect(read('kraken,XXBTZUSD,BTC,USD,SPOT,XBT/USD,1,1,1')).toMatchObject({ symbol: 'BTC-USD', displayName: null });
  });

  it.each([
    ['x,BTCUSD,BTC,USD,FUTURE,,1,1,1', 'kind must be SPOT or PERPETUAL, but got "FUTURE"'],
    ['x,BTCBTC,BTC,BTC,SPOT,,1,1,1', 'base and quote must be codes of two assets, but got "BTC-BTC"'],
    ['x,BTCUSD,BTC,USD,SPOT,,0.1,,1', 'lot_size is empty'],
    [',BTCUSD,BTC,USD,SPOT,,0.1,1,1', 'venue is empty'],
  ])('%s is refused', (row, reason) => {
    expect(() => read(row)).toThrow(reason);
  });
});
