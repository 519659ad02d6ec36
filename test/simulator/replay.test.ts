/** Recordings played as if they happened now. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { findRecordings, type Recorded } from '../../clients/simulator/recordings.ts';
import { type Replay, startReplay } from '../../clients/simulator/replay.ts';
import { timelineOf } from '../../clients/simulator/timeline.ts';
import type { GraphClient } from '../../platform/graph-client.ts';
import { startGraph, type TestGraph } from '../support/graph.ts';
import { silent } from './support.ts';

const DATA = join(import.meta.dirname, '../../../shared/data');
const TRADES = 'trades-binance-spot-btcusdt-2024-08-08.csv';
const BOOKS = 'orderbook-top10-1s-binance-spot-btcusdt-2024-08-08.csv';

let graph: TestGraph;
beforeAll(async () => {
  graph = await startGraph();
});
afterAll(() => graph.close());

/** A folder with these files that goes away with the test. */
function folder(files: Record<string, string[]>): string {
  const path = mkdtempSync(join(tmpdir(), 'replay-test-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  for (const [name, lines] of Object.entries(files)) writeFileSync(join(path, name), `${lines.join('\n')}\n`);
  return path;
}

/** A minute of trades and of books of one venue, recorded long ago. */
function recording(venue: string): string {
  const trades = ['time,trade_id,price,quantity,taker_side'];
  const books = ['time,sequence,side,level,price,quantity'];
  for (let second = 0; second < 60; second++) {
    const time = `2024-08-08T12:00:${String(second).padStart(2, '0')}.250Z`;
    trades.push(`${time},${1_000 + second},${60_000 + second},0.01,BUY`, `${time},${2_000 + second},60000,0.02,SELL`);
    books.push(`${time},${second},BID,1,59999,1`, `${time},${second},ASK,1,60100,2`);
  }
  return folder({
    [`trades-${venue}-btcusd-2024-08-08.csv`]: trades,
    [`orderbook-top10-1s-${venue}-btcusd-2024-08-08.csv`]: books,
  });
}

async function play(path: string, speed: number, client: GraphClient = graph.client, loop = false): Promise<Replay> {
  const recordings = await findRecordings([path]);
  return startReplay({ graph: client, log: silent, recordings, speed, loop });
}

const ticksOf = (source: string) =>
  graph.sql('market-data', 'select * from price_feeds where source = $1 order by timestamp, sequence', [source]);

describe('a replay', () => {
  it('happens now, at the speed that was asked for, under a name of its own', async () => {
    const beganMs = Date.now();
    const replay = await play(recording('kraken'), 20);
    await replay.done;
    const tookMs = Date.now() - beganMs;
    expect(replay.played).toEqual({ prices: 120, books: 60, refused: 0 });
    expect(tookMs).toBeGreaterThan(2_900);
    expect(tookMs).toBeLessThan(15_000);

    const ticks = await ticksOf('kraken-replay');
    const [first, last] = [ticks[0], ticks.at(-1)];
    expect(first.timestamp.getTime()).toBeGreaterThanOrEqual(beganMs);
    expect(last.timestamp - first.timestamp).toBe(59_000 / 20);
    expect([first.price, first.quantity, first.taker_side]).toEqual(['60000.00000000', '0.01000000', 'BUY']);
    const { data } = await graph.run('{ orderBookSnapshot(symbol: "BTC-USD", venueId: "kraken-replay") { mid } }');
    expect(data.orderBookSnapshot.mid).toBe('60049.5');
  });

  it('draws charts from its trades', async () => {
    const volume = async () => {
      const bars = await graph.sql(
        'market-data',
        `select coalesce(sum(volume), 0) as volume from candles where "interval" = '1m' and source = 'replay'`,
      );
      return Number(bars[0].volume);
    };
    const before = await volume();
    const replay = await play(recording('gemini'), 100);
    await replay.done;
    expect(await volume()).toBeCloseTo(before + 60 * 0.03, 8);
  });

  it('plays the same recording again', async () => {
    const path = recording('bitstamp');
    for (let time = 1; time <= 2; time++) {
      const replay = await play(path, 1_000);
      await replay.done;
      expect(replay.played).toEqual({ prices: 120, books: 60, refused: 0 });
    }
    expect(await ticksOf('bitstamp-replay')).toHaveLength(240);
  });

  it('begins again at its end until it is stopped, and stops at once', async () => {
    const replay = await play(recording('bitfinex'), 1_000, graph.client, true);
    while (replay.played.prices < 360) await new Promise((resolve) => setTimeout(resolve, 20));
    const beganMs = Date.now();
    await replay.stop();
    expect(Date.now() - beganMs).toBeLessThan(1_000);
    const { prices } = replay.played;
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(replay.played.prices).toBe(prices);
  });

  it('loses nothing while the graph is away', async () => {
    let calls = 0;
    const flaky: GraphClient = {
      ...graph.client,
      request: (document, variables) =>
        ++calls === 3 ? Promise.reject(new Error('away')) : graph.client.request(document, variables),
    };
    const replay = await play(recording('okx'), 100, flaky);
    await replay.done;
    expect(replay.played).toEqual({ prices: 120, books: 60, refused: 0 });
    expect(await ticksOf('okx-replay')).toHaveLength(120);
  });

  it('passes over rows that cannot be read', async () => {
    const rows = [
      'time,trade_id,price,quantity,taker_side',
      '2024-08-08T12:00:00Z,1,abc,1,BUY',
      '2024-08-08T12:00:00Z,2,5,1,BUY',
    ];
    const replay = await play(folder({ 'trades-huobi-ethusd-2024-08-08.csv': rows }), 1);
    await replay.done;
    expect(replay.played).toEqual({ prices: 1, books: 0, refused: 1 });
  });
});

describe('what can be replayed', () => {
  const bars = ['time,open,high,low,close,volume', '2024-08-08T12:00:00Z,1,1,1,1,1'];
  const book = ['time,sequence,side,level,price,quantity', '2024-08-08T12:00:00Z,1,BID,1,1,1'];

  it('is not bars', async () => {
    const path = folder({ 'bars-1m-kraken-btcusd-2024-08-08.csv': bars });
    await expect(findRecordings([path])).rejects.toThrow('holds bars, which are loaded, not replayed.');
  });

  it('is not two books of one market', async () => {
    const path = folder({ 'book-kraken-btcusd-2024.csv': book, 'orderbook-kraken-btcusd-2025.csv': book });
    await expect(findRecordings([path])).rejects.toThrow(
      'both hold the books of BTC-USD on kraken: replay one of them.',
    );
  });

  it('is there', async () => {
    await expect(findRecordings(['nowhere.csv'])).rejects.toThrow('There is no file nowhere.csv.');
  });
});

describe('the timeline', () => {
  it('keeps distances, divided by the speed, and its sequences rise into the next replay', () => {
    const tick = (timestamp: string): Recorded => ({ price: { symbol: 'A-B', source: 's', timestamp, sequence: '9' } });
    const first = timelineOf({ firstMs: Date.parse('2024-01-01T00:00:00Z'), startMs: 1_000_000, speed: 4 });
    expect(first.place(tick('2024-01-01T00:00:00Z'))).toEqual({
      price: { symbol: 'A-B', source: 's-replay', timestamp: '1970-01-01T00:16:40.000Z', sequence: '1000000000' },
    });
    expect(first.at(tick('2024-01-01T00:00:10Z'))).toBe(1_002_500);
    const next = timelineOf({ firstMs: 0, startMs: 1_000_001, speed: 1 });
    expect(next.place(tick('2024-01-01T00:00:00Z'))).toMatchObject({ price: { sequence: '1000001000' } });
  });
});

const present = [TRADES, BOOKS].every((name) => existsSync(join(DATA, name)));
it.skipIf(!present)(
  'plays what was really recorded (skipped where the recordings are not beside the project)',
  async () => {
    const recordings = await findRecordings([join(DATA, TRADES), join(DATA, BOOKS)]);
    const replay = startReplay({ graph: graph.client, log: silent, recordings, speed: 100, loop: false });
    await replay.done;
    expect(replay.played).toEqual({ prices: 9_757, books: 347, refused: 0 });
  },
);
