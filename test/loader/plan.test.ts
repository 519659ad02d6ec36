import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { planFiles } from '../../clients/loader/plan.ts';
import { argumentsOf, folder } from './support.ts';

const BARS = 'time,open,high,low,close,volume\n';
const TRADES = 'time,trade_id,price,quantity,taker_side\n';
const BOOKS = 'time,sequence,side,level,price,quantity\n';
const INSTRUMENTS = 'venue,venue_symbol,base,quote,kind,name,tick_size,lot_size,min_order_size\n';
const plan = (...argv: string[]) => planFiles(argumentsOf(...argv));

describe('the plan', () => {
  it('takes every recording of a folder, instruments first, and passes over the rest', async () => {
    const path = folder({
      'bars-1m-coinbase-btcusd.csv': BARS,
      'trades-binance-spot-ethusdt.csv.gz': gzipSync(TRADES),
      'zz.csv': INSTRUMENTS,
      'notes.md': '# Notes\n',
      'other.csv': 'a,b\n',
      'empty.csv': '',
    });
    const { files, problems, passedOver } = await plan(path);
    expect(files).toEqual([
      { path: join(path, 'zz.csv'), kind: 'instruments' },
      {
        path: join(path, 'bars-1m-coinbase-btcusd.csv'),
        kind: 'bars',
        symbol: 'BTC-USD',
        venue: 'coinbase',
        interval: '1m',
      },
      { path: join(path, 'trades-binance-spot-ethusdt.csv.gz'), kind: 'trades', symbol: 'ETH-USDT', venue: 'binance' },
    ]);
    expect(problems).toEqual([]);
    expect(passedOver).toEqual(['empty.csv', 'notes.md', 'other.csv'].map((name) => join(path, name)));
  });

  it('tells the kind by the header, not by the name', async () => {
    const path = join(folder({ 'bars-1m-coinbase-btcusd.csv': TRADES }), 'bars-1m-coinbase-btcusd.csv');
    expect((await plan(path)).files).toMatchObject([{ kind: 'trades' }]);
  });

  it('takes a pattern, and a file that is named twice once', async () => {
    const path = folder({ 'books-kraken-btcusd.csv': BOOKS, 'books-kraken-ethusd.csv': BOOKS });
    const { files } = await plan(join(path, 'books-*.csv'), join(path, 'books-kraken-btcusd.csv'), path);
    expect(files.map(({ path: file }) => file.slice(path.length + 1))).toEqual([
      'books-kraken-btcusd.csv',
      'books-kraken-ethusd.csv',
    ]);
  });

  it('believes the options before the name', async () => {
    const path = join(folder({ 'bars-1m-coinbase-btcusd.csv': BARS }), 'bars-1m-coinbase-btcusd.csv');
    const { files } = await plan('--symbol', 'ETH-USD-PERP', '--venue', 'dydx', '--interval', '1h', path);
    expect(files).toEqual([{ path, kind: 'bars', symbol: 'ETH-USD-PERP', venue: 'dydx', interval: '1h' }]);
  });

  it.each([
    ['prices.csv', BARS, 'does not tell its symbol, venue and interval: give --symbol, --venue and --interval.'],
    ['bars-coinbase-btcusd.csv', BARS, 'does not tell its interval: give --interval.'],
    ['trades-btcusd.csv', TRADES, 'does not tell its venue: give --venue.'],
    ['table.csv', 'a,b\n', 'is of no known kind by its first line; give --kind (instruments, bars,'],
    ['messages.jsonl', '{"type":"x"}\n', 'is of no known kind by its first line; give --kind'],
    ['empty.csv.gz', gzipSync(''), 'is empty.'],
    ['damaged.csv.gz', Buffer.from([0x1f, 0x8b, 1, 2, 3]), 'could not be read'],
    ['notes.md', '# Notes', 'None of the files is a recording.'],
  ])('says in a sentence why %s cannot be loaded', async (name, content, problem) => {
    const { files, problems } = await plan(join(folder({ [name]: content }), name));
    expect(files).toEqual([]);
    expect(problems).toEqual([expect.stringContaining(problem)]);
  });

  it('names what is missing and goes on with the rest', async () => {
    const path = folder({ 'books-kraken-btcusd.csv': BOOKS });
    const { files, problems } = await plan('/nowhere/a.csv', '/nowhere/*.csv', path);
    expect(files).toHaveLength(1);
    expect(problems).toEqual(['There is no file /nowhere/a.csv.', 'There is no file /nowhere/*.csv.']);
  });

  it('refuses a kind whose columns the file has not', async () => {
    const path = join(folder({ 'a.csv': TRADES }), 'a.csv');
    expect((await plan('--kind', 'bars', path)).problems).toEqual([
      `${path} has no column open, high, low, close, volume, but bars need it.`,
    ]);
  });

  it('reads messages with a broken first line when told so', async () => {
    const path = join(folder({ 'raw-binance-spot-btcusdt.jsonl': '{broken\n' }), 'raw-binance-spot-btcusdt.jsonl');
    expect((await plan('--kind', 'order-book-messages', '--depth', '50', path)).files).toEqual([
      { path, kind: 'order-book-messages', symbol: 'BTC-USDT', venue: 'binance', depth: 50 },
    ]);
  });
});
