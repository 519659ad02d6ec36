/**
 * The real recordings beside the project, loaded whole and compared with a reading of the files that shares no code
 * with the loader: plain splitting and whole numbers of 10⁻⁸.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { GraphClient } from '../../platform/graph-client.ts';
import { startGraph, type TestGraph } from '../support/graph.ts';
import { clientOf, load } from './support.ts';

const DATA = resolve(import.meta.dirname, '../../../shared/data');
const isThere = existsSync(DATA);
if (!isThere) process.stderr.write(`\n*** ${DATA} is not there: the recorded files are NOT tested. ***\n\n`);

const read = (name: string) => {
  const [header = '', ...rows] = readFileSync(join(DATA, name), 'utf8').trim().split('\n');
  const columns = header.split(',');
  return rows.map((row) => {
    const cells = row.split(',');
    return Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? ''])) as Record<string, string>;
  });
};
const namesOf = (start: string) => (isThere ? readdirSync(DATA).filter((name) => name.startsWith(start)) : []);

/** A decimal in whole units of 10⁻⁸; digits beyond are rounded half-even. */
function units(text: string): bigint {
  const [whole = '', fraction = ''] = text.split('.');
  const kept = BigInt(whole + fraction.slice(0, 8).padEnd(8, '0'));
  const rest = fraction.slice(8).replace(/0+$/, '');
  const half = rest === '5' ? kept % 2n === 1n : rest > '5';
  return half ? kept + 1n : kept;
}
const inUnits = (column: string) => `trunc(${column} * 100000000)::text`;
const sum = (values: bigint[]) => values.reduce((total, value) => total + value, 0n).toString();
const rising = (values: bigint[]) => values.toSorted((a, b) => (a < b ? -1 : 1));
const highest = (values: bigint[]) => rising(values).at(-1)?.toString();
const lowest = (values: bigint[]) => rising(values)[0]?.toString();
const column = (rows: Record<string, string>[], name: string) => rows.map((row) => units(row[name] ?? ''));

const MARKETS: Record<string, { symbol: string; source: string; interval?: string }> = {
  'bars-1d-coinbase-btcusd-2014-2018.csv': { symbol: 'BTC-USD', source: 'coinbase', interval: '1d' },
  'bars-1h-bitfinex-btcusd-2013-10.csv': { symbol: 'BTC-USD', source: 'bitfinex', interval: '1h' },
  'bars-1m-coinbase-btcusd-2018-04-04.csv': { symbol: 'BTC-USD', source: 'coinbase', interval: '1m' },
  'bars-1m-coinbase-ethusd-2018-04-04.csv': { symbol: 'ETH-USD', source: 'coinbase', interval: '1m' },
  'bars-1m-dydx-perp-btcusd-2026-01-01.csv': { symbol: 'BTC-USD-PERP', source: 'dydx', interval: '1m' },
  'quotes-1m-coinbase-btcusd-2018-04-04.csv': { symbol: 'BTC-USD', source: 'coinbase' },
  'quotes-1m-coinbase-ethusd-2018-04-04.csv': { symbol: 'ETH-USD', source: 'coinbase' },
  'quotes-1m-dydx-perp-btcusd-2026-01-01.csv': { symbol: 'BTC-USD-PERP', source: 'dydx' },
  'trades-binance-spot-btcusdt-2024-08-08.csv': { symbol: 'BTC-USDT', source: 'binance' },
  'trades-binance-spot-ethusdt-2024-08-08.csv': { symbol: 'ETH-USDT', source: 'binance' },
};
const RAW = 'orderbook-raw-60s-binance-spot-btcusdt-2024-08-08.jsonl.gz';

describe.skipIf(!isThere)('the recorded files', () => {
  let graph: TestGraph;
  let client: GraphClient;
  let first: Awaited<ReturnType<typeof load>>;

  beforeAll(async () => {
    graph = await startGraph();
    client = clientOf(graph);
    first = await load(client, [DATA]);
  });
  afterAll(() => graph?.close());

  const one = async (text: string, ...params: unknown[]) => (await graph.sql('market-data', text, params))[0];

  it('load all, with no row refused and nothing created that instruments.csv does not list', () => {
    expect(first.plan.problems).toEqual([]);
    expect(first.plan.passedOver).toEqual([join(DATA, 'SOURCES.md')]);
    expect(Object.keys(first.tallies).sort()).toEqual(readdirSync(DATA).filter((name) => name !== 'SOURCES.md'));
    for (const [name, tally] of Object.entries(first.tallies)) {
      expect(tally, name).toMatchObject({ refused: 0, failure: null, created: null });
      if (!name.startsWith('orderbook')) expect(tally, name).toMatchObject({ stored: tally.rows, known: 0 });
    }
  });

  it.each(namesOf('bars'))(
    '%s: count, extremes, first open, last close and volume are those of the file',
    async (name) => {
      const rows = read(name);
      const { symbol, source, interval } = MARKETS[name] ?? {};
      const found = await one(
        `select count(*)::int, ${inUnits('max(high)')} as high, ${inUnits('min(low)')} as low,
              ${inUnits('sum(volume)')} as volume,
              ${inUnits('(array_agg(open order by start_time))[1]')} as open,
              ${inUnits('(array_agg(close order by start_time desc))[1]')} as close
         from candles where symbol = $1 and source = $2 and "interval" = $3 and origin = 'REPORTED'`,
        symbol,
        source,
        interval,
      );
      expect(found).toEqual({
        count: rows.length,
        high: highest(column(rows, 'high')),
        low: lowest(column(rows, 'low')),
        volume: sum(column(rows, 'volume')),
        open: column(rows, 'open')[0]?.toString(),
        close: column(rows, 'close').at(-1)?.toString(),
      });
    },
  );

  const LONGER = { '5m': 5, '15m': 15, '1h': 60, '4h': 240, '1d': 1_440 };
  it.each(namesOf('bars-1m'))('%s: the longer bars are those computed from the file', async (name) => {
    const { symbol = '', source } = MARKETS[name] ?? {};
    const rows = read(name);
    const minuteOf = (row: Record<string, string> = {}) => Date.parse(row.time ?? '') / 60_000;
    for (const [interval, minutes] of Object.entries(LONGER)) {
      const expected = [...Map.groupBy(rows, (row) => Math.floor(minuteOf(row) / minutes))].map(([place, parts]) => [
        new Date(place * minutes * 60_000).toISOString(),
        ...[column(parts, 'open')[0]?.toString(), highest(column(parts, 'high')), lowest(column(parts, 'low'))],
        ...[column(parts, 'close').at(-1)?.toString(), sum(column(parts, 'volume'))],
      ]);
      const stored = await graph.sql(
        'market-data',
        `select start_time, ${['open', 'high', 'low', 'close', 'volume'].map((one) => `${inUnits(one)} as ${one}`).join()}
           from candles where symbol = $1 and source = $2 and "interval" = $3 and origin = 'ROLLED_UP'
            and start_time >= $4 and start_time < $5 order by start_time`,
        [symbol, source, interval, rows[0]?.time?.slice(0, 10), new Date((minuteOf(rows.at(-1)) + 1_440) * 60_000)],
      );
      const isReported = symbol === 'BTC-USD' && interval === '1d'; // the daily file has that day too
      expect(
        stored.map((bar) => [bar.start_time.toISOString(), bar.open, bar.high, bar.low, bar.close, bar.volume]),
        interval,
      ).toEqual(isReported ? [] : expected);
    }
  });

  it.each(namesOf('trades'))('%s: count, price range, quantities and sides are those of the file', async (name) => {
    const rows = read(name);
    const { symbol, source } = MARKETS[name] ?? {};
    const found = await one(
      `select count(*)::int, count(distinct sequence)::int as ids, ${inUnits('max(price)')} as high,
              ${inUnits('min(price)')} as low, ${inUnits('sum(quantity)')} as quantity,
              ${inUnits('sum(price * quantity)')} as turnover,
              (count(*) filter (where taker_side = 'BUY'))::int as buys
         from price_feeds where symbol = $1 and source = $2 and quantity is not null`,
      symbol,
      source,
    );
    const turnover = rows.reduce((total, row) => total + units(row.price ?? '') * units(row.quantity ?? ''), 0n);
    expect(found).toEqual({
      count: rows.length,
      ids: new Set(rows.map((row) => row.trade_id)).size,
      high: highest(column(rows, 'price')),
      low: lowest(column(rows, 'price')),
      quantity: sum(column(rows, 'quantity')),
      turnover: (turnover / 100_000_000n).toString(),
      buys: rows.filter((row) => row.taker_side === 'BUY').length,
    });
  });

  it.each(namesOf('quotes'))('%s: count, closes and sizes are those of the file, sizes rounded', async (name) => {
    const rows = read(name);
    const { symbol, source } = MARKETS[name] ?? {};
    const found = await one(
      `select count(*)::int, ${inUnits('sum(bid)')} as bid, ${inUnits('sum(ask)')} as ask,
              ${inUnits('sum(bid_size)')} as "bidSize", ${inUnits('sum(ask_size)')} as "askSize",
              min(metadata ->> 'start') as first, max(metadata ->> 'start') as last,
              ${inUnits("max((metadata -> 'ask' ->> 'high')::numeric)")} as high,
              ${inUnits("min((metadata -> 'bid' ->> 'low')::numeric)")} as low,
              bool_and(timestamp = (metadata ->> 'start')::timestamptz + interval '59.999999 seconds') as timed
         from price_feeds where symbol = $1 and source = $2 and bid is not null`,
      symbol,
      source,
    );
    expect(found).toEqual({
      count: rows.length,
      bid: sum(column(rows, 'bid_close')),
      ask: sum(column(rows, 'ask_close')),
      bidSize: sum(column(rows, 'bid_size')),
      askSize: sum(column(rows, 'ask_size')),
      first: rows[0]?.time,
      last: rows.at(-1)?.time,
      high: highest(column(rows, 'ask_high')),
      low: lowest(column(rows, 'bid_low')),
      timed: true,
    });
    const noisy = rows
      .flatMap((row) => [row.bid_size ?? '', row.ask_size ?? ''])
      .filter((size) => /\.\d{9}/.test(size));
    expect(first.tallies[name]?.roundedSizes).toBe(noisy.length);
  });

  it.each(namesOf('orderbook-top10'))('%s: every book is as in the file, level by level', async (name) => {
    const books = new Map<string, { time: string; BID: string[]; ASK: string[] }>();
    for (const { time = '', sequence = '', side, price = '', quantity = '' } of read(name)) {
      const book = books.get(sequence) ?? { time, BID: [], ASK: [] };
      book[side as 'BID' | 'ASK'].push(`${units(quantity)}@${units(price)}`);
      books.set(sequence, book);
    }
    expect(books.size).toBe(347);
    const stored = await graph.sql(
      'market-data',
      `select sequence, timestamp, bids, asks from order_book_snapshots
        where symbol = $1 and venue_id = 'binance' and sequence = any($2)`,
      [name.includes('btcusdt') ? 'BTC-USDT' : 'ETH-USDT', [...books.keys()]],
    );
    expect(stored).toHaveLength(books.size);
    const shown = (side: [string, string][]) => side.map(([price, quantity]) => `${units(quantity)}@${units(price)}`);
    for (const { sequence, timestamp, bids, asks } of stored) {
      const { time = '', BID, ASK } = books.get(sequence) ?? {};
      expect([timestamp.toISOString(), shown(bids), shown(asks)], sequence).toEqual([time, BID, ASK]);
    }
  });

  it('the raw messages give one book each, and those that the top-10 file shares are found equal', async () => {
    const messages = gunzipSync(readFileSync(join(DATA, RAW)))
      .toString()
      .trim()
      .split('\n');
    const ids = messages.map((line) => /"(?:lastUpdateId|u)":(\d+)/.exec(line)?.[1] ?? '');
    expect(first.tallies[RAW]).toMatchObject({ rows: messages.length, stored: messages.length, known: 0 });
    const found = await one(
      `select count(*)::int, min(depth) as least, max(depth) as most from order_book_snapshots
        where symbol = 'BTC-USDT' and sequence = any($1)`,
      ids,
    );
    expect(found).toEqual({ count: 600, least: 10, most: 10 });
    expect(first.tallies['orderbook-top10-1s-binance-spot-btcusdt-2024-08-08.csv']).toMatchObject({
      stored: 286,
      known: 61,
    });
    expect(await one(`select count(*)::int from order_book_snapshots`)).toEqual({ count: 600 + 286 + 347 });
  });

  it('instruments.csv: every row is the terms of an instrument on a venue', async () => {
    const listings = read('instruments.csv').map((row) => {
      const symbol = `${row.base}-${row.quote}${row.kind === 'PERPETUAL' ? '-PERP' : ''}`;
      const steps = ['tick_size', 'lot_size', 'min_order_size'].map((name) => units(row[name] ?? ''));
      return [symbol, row.venue, row.venue_symbol, ...steps].join(' ');
    });
    const stored = await graph.sql(
      'market-data',
      `select concat_ws(' ', symbol, venue_id, venue_symbol, ${inUnits('tick_size')}, ${inUnits('lot_size')},
                        ${inUnits('min_order_size')}) as listing from instrument_venues`,
    );
    expect(stored.map(({ listing }) => listing).sort()).toEqual(listings.sort());
    const symbols = new Set(listings.map((listing) => listing.split(' ')[0]));
    expect(await one('select count(*)::int from symbols')).toEqual({ count: symbols.size });
  });

  it('loaded again, all of it is there already', async () => {
    const again = await load(client, [DATA]);
    for (const [name, tally] of Object.entries(again.tallies)) {
      const { stored = 0, known = 0 } = first.tallies[name] ?? {};
      expect(tally, name).toMatchObject({ stored: 0, known: stored + known, refused: 0 });
    }
  });

  it('loaded in the other order, the raw messages fill in between the books of the top-10 file', async () => {
    const other = await startGraph();
    try {
      const top10 = join(DATA, 'orderbook-top10-1s-binance-spot-btcusdt-2024-08-08.csv');
      await load(clientOf(other), [top10]);
      const { tallies } = await load(clientOf(other), [join(DATA, RAW)]);
      expect(tallies[RAW]).toMatchObject({ stored: 539, known: 61, refused: 0 });
    } finally {
      await other.close();
    }
  });
});
