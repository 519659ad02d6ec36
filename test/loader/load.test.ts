import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createGraphClient, type GraphClient } from '../../platform/graph-client.ts';
import { startGraph, type TestGraph } from '../support/graph.ts';
import { clientOf, csv, folder, load } from './support.ts';

const BARS = 'time,open,high,low,close,volume';
const TRADES = 'time,trade_id,price,quantity,taker_side';
const BOOKS = 'time,sequence,side,level,price,quantity';
const INSTRUMENTS = 'venue,venue_symbol,base,quote,kind,name,tick_size,lot_size,min_order_size';
const BAR_FILE = 'bars-1m-coinbase-btcusd-2018-04-04.csv';

const minute = (index: number) => new Date(Date.UTC(2018, 3, 4) + index * 60_000).toISOString().replace('.000Z', 'Z');
const barRow = (index: number) => `${minute(index)},${100 + index},${110 + index},${90 + index},${105 + index},0.5`;
const tradeRow = (index: number) => `${minute(index)},${index + 1},${100 + index},0.25,${index % 2 ? 'BUY' : 'SELL'}`;
const rows = (count: number, row: (index: number) => string) => Array.from({ length: count }, (_, index) => row(index));
const book = (sequence: number, bid: string, ask: string) => [
  `${minute(sequence)},${sequence},BID,1,${bid},1`,
  `${minute(sequence)},${sequence},ASK,1,${ask},1`,
];

let graph: TestGraph;
let client: GraphClient;
beforeEach(async () => {
  graph = await startGraph({ domains: ['market-data'] });
  client = clientOf(graph);
});
afterEach(() => graph.close());

const count = async (table: string) =>
  Number((await graph.sql('market-data', `select count(*) from ${table}`))[0].count);

describe('loading', () => {
  it('refuses bad rows by line, each with its reason, and keeps the good ones', async () => {
    const lines = rows(10, barRow);
    lines[1] = `${minute(1)},100,90,110,100,0.5`; // high below low
    lines[3] = `${minute(3)},100,110,abc,100,0.5`;
    lines[5] = `${minute(5)},100,110,90`;
    lines[7] = `${minute(7)},100.000000001,110,90,100,0.5`;
    lines[8] = '';
    const path = folder({ [BAR_FILE]: csv(BARS, lines) });

    const { tallies } = await load(client, [path]);

    expect(tallies[BAR_FILE]).toMatchObject({ rows: 9, stored: 5, known: 0, refused: 4, created: 'BTC-USD' });
    expect(tallies[BAR_FILE]?.firstRefused).toEqual([
      { line: 3, reason: expect.stringMatching(/^low must be at most open and close/) },
      { line: 5, reason: expect.stringMatching(/^low: Decimal must be digits/) },
      { line: 7, reason: 'the row must have 6 columns, but has 4' },
      { line: 9, reason: expect.stringMatching(/^open: Decimal takes at most 8 fractional digits/) },
    ]);
    const stored = await graph.sql(
      'market-data',
      `select to_char(start_time, 'MI') as minute, source from candles where interval = '1m' order by start_time`,
    );
    expect(stored).toEqual(['00', '02', '04', '06', '09'].map((at) => ({ minute: at, source: 'coinbase' })));
  });

  it('stores nothing twice, however often it is run', async () => {
    const path = folder({
      [BAR_FILE]: csv(BARS, rows(50, barRow)),
      'trades-binance-spot-btcusdt.csv': csv(TRADES, rows(50, tradeRow)),
      'books-binance-spot-btcusdt.csv': csv(BOOKS, [...book(1, '99', '101'), ...book(2, '98', '100')]),
      'instruments.csv': csv(INSTRUMENTS, ['coinbase,BTC-USD,BTC,USD,SPOT,Bitcoin-US Dollar,0.01,0.1,0.1']),
    });
    const first = await load(client, [path]);
    const before = await Promise.all(['candles', 'price_feeds', 'order_book_snapshots', 'symbols'].map(count));
    const again = await load(client, [path]);

    for (const [name, items] of [
      [BAR_FILE, 50],
      ['trades-binance-spot-btcusdt.csv', 50],
      ['books-binance-spot-btcusdt.csv', 2],
      ['instruments.csv', 1],
    ] as const) {
      expect(first.tallies[name], name).toMatchObject({ stored: items, known: 0, refused: 0 });
      expect(again.tallies[name], name).toMatchObject({ stored: 0, known: items, refused: 0, created: null });
    }
    expect(before).toEqual([67, 50, 2, 2]); // 50 minutes and 10 + 4 + 1 + 1 + 1 longer bars; …
    expect(await Promise.all(['candles', 'price_feeds', 'order_book_snapshots', 'symbols'].map(count))).toEqual(before);
  });

  it('takes instruments first, the finest step of their venues, and leaves known ones as they are', async () => {
    await client.request(
      'mutation { createInstrument(input: { symbol: "ETH-USD", tickSize: "0.5" }) { errors { message } } }',
    );
    const path = folder({
      'bars-1m-coinbase-btcusd.csv': csv(BARS, rows(2, barRow)),
      'listings.csv': csv(INSTRUMENTS, [
        'kraken,XXBTZUSD,BTC,USD,SPOT,XBT/USD,0.1,0.00000001,0.00005',
        'coinbase,BTC-USD,BTC,USD,SPOT,"Bitcoin, in US Dollar",0.01,0.00000001,0.00000001',
        'dydx,BTC-USD,BTC,USD,PERPETUAL,BTC-USD,1,0.0001,0.0001000000',
        'coinbase,ETH-USD,ETH,USD,SPOT,Ethereum,0.01,0.00000001,0.00000001',
        'coinbase,ETH-USD,ETH,USD,SPOT,Ethereum,0.02,0.00000001,0.00000001',
        'coinbase,XRP-USD,XRP,USD,SPOT,Ripple,0,1,1',
      ]),
    });
    const { tallies } = await load(client, [path]);
    expect(tallies['listings.csv']).toMatchObject({ stored: 4, known: 0, refused: 2 });
    expect(tallies['listings.csv']?.firstRefused).toEqual([
      { line: 6, reason: 'the file has other terms of ETH-USD on coinbase in a row before' },
      { line: 7, reason: expect.stringContaining('tickSize must be above 0') },
    ]);
    expect(tallies['bars-1m-coinbase-btcusd.csv']?.created).toBeNull();
    const { instruments } = await client.request<{ instruments: { nodes: unknown[] } }>(`{
      instruments { nodes { symbol displayName tickSize priceDecimals venues { venue { venueId } tickSize } } }
    }`);
    const venue = (venueId: string, tickSize: string) => ({ venue: { venueId }, tickSize });
    expect(instruments.nodes).toEqual([
      {
        symbol: 'BTC-USD',
        displayName: 'Bitcoin, in US Dollar',
        tickSize: '0.01',
        priceDecimals: 2,
        venues: [venue('coinbase', '0.01'), venue('kraken', '0.1')],
      },
      { symbol: 'BTC-USD-PERP', displayName: null, tickSize: '1', priceDecimals: 0, venues: [venue('dydx', '1')] },
      {
        symbol: 'ETH-USD',
        displayName: null,
        tickSize: '0.5',
        priceDecimals: null,
        venues: [venue('coinbase', '0.01')],
      },
      { symbol: 'XRP-USD', displayName: 'Ripple', tickSize: null, priceDecimals: null, venues: [] },
    ]);
  });

  it('reads gzipped files and goes by the options where the name says nothing', async () => {
    const path = join(folder({ 'export.dat': gzipSync(csv(BARS, rows(3, barRow))) }), 'export.dat');
    const { tallies } = await load(client, ['--symbol', 'SOL/USDC', '--venue', 'kraken', '--interval', '1m', path]);
    expect(tallies['export.dat']).toMatchObject({ stored: 3, created: 'SOL-USDC' });
    expect(await graph.sql('market-data', `select distinct symbol, source from candles`)).toEqual([
      { symbol: 'SOL-USDC', source: 'kraken' },
    ]);
  });

  it('shows the first 20 refused rows of a file in their order and counts the rest', async () => {
    const bad = (index: number) => (index % 2 ? `${minute(index)},1,1,1,1,-1` : `${minute(index)},1,1,1,x,1`);
    const path = folder({ [BAR_FILE]: csv(BARS, rows(6_000, bad)) });
    const { tallies } = await load(client, [path]);
    expect(tallies[BAR_FILE]).toMatchObject({ rows: 6_000, stored: 0, refused: 6_000 });
    expect(tallies[BAR_FILE]?.firstRefused.map(({ line }) => line)).toEqual(
      rows(20, (index) => String(index + 2)).map(Number),
    );
  });

  it('refuses the books that the graph refuses, by the line of their first row', async () => {
    const name = 'books-kraken-btcusd.csv';
    const path = folder({
      [name]: csv(BOOKS, [...book(1, '99', '101'), ...book(2, '105', '101'), ...book(3, '98', '100')]),
    });
    const { tallies } = await load(client, [path]);
    expect(tallies[name]).toMatchObject({ rows: 6, stored: 2, refused: 1 });
    expect(tallies[name]?.firstRefused).toEqual([{ line: 4, reason: expect.stringContaining('crossed') }]);
  });

  it('keeps what could be read of a damaged file and says where it breaks off', async () => {
    const packed = gzipSync(csv(TRADES, rows(20_000, tradeRow)));
    const name = 'trades-binance-spot-btcusdt.csv.gz';
    const path = join(folder({ [name]: packed.subarray(0, packed.length - 5_000) }), name);
    const { tallies } = await load(client, [path]);
    const { rows: read = 0, stored, failure } = tallies[name] ?? {};
    expect(failure).toBe(`${path} could not be read beyond line ${read + 1}: unexpected end of file.`);
    expect(stored).toBe(read);
    expect(await count('price_feeds')).toBe(read);
    expect(read).toBeGreaterThan(5_000);
  });

  it('spreads daily quotes over calls, since a call takes ticks of 100 days', async () => {
    const name = 'quotes-1d-coinbase-btcusd.csv';
    const day = (index: number) => `${new Date(Date.UTC(2018, 0, 1 + index)).toISOString()},1,1,1,1,1,2,2,2,2,1`;
    const header = 'time,bid_open,bid_high,bid_low,bid_close,bid_size,ask_open,ask_high,ask_low,ask_close,ask_size';
    const { tallies } = await load(client, [folder({ [name]: csv(header, rows(120, day)) })]);
    expect(tallies[name]).toMatchObject({ stored: 120, refused: 0 });
  });

  it('refuses every row of an instrument that takes no prices', async () => {
    await client.request(
      'mutation { createInstrument(input: { symbol: "BTC-USD", isActive: false }) { errors { message } } }',
    );
    const { tallies } = await load(client, [folder({ [BAR_FILE]: csv(BARS, rows(3, barRow)) })]);
    expect(tallies[BAR_FILE]).toMatchObject({ stored: 0, refused: 3 });
    expect(tallies[BAR_FILE]?.firstRefused[0]?.reason).toContain('BTC-USD is not active');
  });

  it('stops when it is told to, with what it has sent stored, and the next run loads the rest', async () => {
    const name = 'trades-binance-spot-btcusdt.csv';
    const path = folder({ [name]: csv(TRADES, rows(12_000, tradeRow)) });
    const stopping = new AbortController();
    const interrupted: GraphClient = {
      ...client,
      async request(document, variables) {
        if (document.includes('ingestPrices')) stopping.abort();
        return client.request(document, variables);
      },
    };
    const { tallies } = await load(interrupted, [path], stopping.signal);
    const { stored = 0, stopped } = tallies[name] ?? {};
    expect(stopped).toBe(true);
    expect(stored).toBeGreaterThan(0);
    expect(stored).toBeLessThan(12_000);
    expect(await count('price_feeds')).toBe(stored);

    const rest = await load(client, [path]);
    expect(rest.tallies[name]).toMatchObject({ stored: 12_000 - stored, known: stored, stopped: false });
  });

  it('fails with the file, the reason and how far it was when the graph goes away', async () => {
    let calls = 0;
    const failing = createGraphClient(async (document, variables) => {
      if (document.includes('ingestPrices') && ++calls > 1) throw new Error('The graph does not answer any more.');
      return { data: await client.request(document, variables) };
    });
    const path = folder({ 'trades-binance-spot-btcusdt.csv': csv(TRADES, rows(12_000, tradeRow)) });
    await expect(load(failing, [path])).rejects.toThrow(
      /trades-binance-spot-btcusdt.csv: The graph does not answer any more. It stopped with \d+ rows read; run it again/,
    );
  });
});
