import { describe, expect, it } from 'vitest';
import { readFileName } from '../../clients/loader/file-name.ts';
import { missingColumns, readHeader, tellKind } from '../../clients/loader/kinds.ts';

const QUOTES = 'time,bid_open,bid_high,bid_low,bid_close,bid_size,ask_open,ask_high,ask_low,ask_close,ask_size';

describe('the kind of a file', () => {
  it.each([
    ['time,open,high,low,close,volume', 'bars'],
    ['time,trade_id,price,quantity,taker_side', 'trades'],
    [QUOTES, 'quotes'],
    ['time,sequence,side,level,price,quantity', 'order-books'],
    ['venue,venue_symbol,base,quote,kind,name,tick_size,lot_size,min_order_size', 'instruments'],
    ['{"type":"snapshot","lastUpdateId":1,"bids":[],"asks":[]}', 'order-book-messages'],
    ['{"type":"update","E":1,"U":1,"u":2,"b":[],"a":[]}', 'order-book-messages'],
  ])('%s is told as %s', (firstLine, kind) => {
    expect(tellKind(firstLine)).toBe(kind);
  });

  it('does not depend on the order, the case, quotes around or further columns', () => {
    expect(tellKind('volume,Close,low,"high",OPEN,time,trades')).toBe('bars');
    expect(readHeader('\uFEFF"Time", Open')).toEqual(['time', 'open']);
  });

  it.each([
    'time,open,high,low,close',
    '# Data samples: where they come from',
    '{"type":"heartbeat"}',
    '{"type":"update",',
    '"time,open',
    'time;open;high;low;close;volume',
  ])('%s is of no known kind', (firstLine) => {
    expect(tellKind(firstLine)).toBeNull();
  });

  it('names the columns that a kind misses', () => {
    expect(missingColumns('bars', 'time,open,high,low')).toEqual(['close', 'volume']);
    expect(missingColumns('order-book-messages', 'anything')).toEqual([]);
  });
});

describe('the name of a file', () => {
  it.each([
    ['bars-1m-coinbase-btcusd-2018-04-04.csv', 'BTC-USD', 'coinbase', '1m'],
    ['bars-1m-dydx-perp-btcusd-2026-01-01.csv', 'BTC-USD-PERP', 'dydx', '1m'],
    ['bars-1d-coinbase-btcusd-2014-2018.csv', 'BTC-USD', 'coinbase', '1d'],
    ['bars-1h-bitfinex-btcusd-2013-10.csv', 'BTC-USD', 'bitfinex', '1h'],
    ['quotes-1m-coinbase-ethusd-2018-04-04.csv', 'ETH-USD', 'coinbase', '1m'],
    ['trades-binance-spot-btcusdt-2024-08-08.csv', 'BTC-USDT', 'binance', null],
    ['orderbook-top10-1s-binance-spot-ethusdt-2024-08-08.csv', 'ETH-USDT', 'binance', null],
    ['orderbook-raw-60s-binance-spot-btcusdt-2024-08-08.jsonl.gz', 'BTC-USDT', 'binance', null],
    ['/some/folder/BARS-15m-Kraken-ETH-EUR.CSV.GZ', 'ETH-EUR', 'kraken', '15m'],
    ['bars-4h-binance-us-solusdc-2025.csv', 'SOL-USDC', 'binance-us', '4h'],
    ['bars-5m-btcusd.csv', 'BTC-USD', null, '5m'],
    ['prices.csv', null, null, null],
    ['bars-1m-coinbase-2018-04-04.csv', null, null, '1m'],
  ])('%s says %s, %s, %s', (path, symbol, venue, interval) => {
    expect(readFileName(path)).toEqual({ symbol, venue, interval });
  });
});
