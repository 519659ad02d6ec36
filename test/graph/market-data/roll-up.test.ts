/** Minutes as a recording has them (gaps, several instruments, over the end of a month), loaded by many at once. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Decimal } from '../../../platform/decimal.ts';
import { startGraph, type TestGraph } from '../../support/graph.ts';
import { bars, candle, createInstruments, line, NOW, send } from './market.ts';

const SYMBOLS = ['BTC-USD', 'ETH-USD'];
const DAYS = 2;
const START = Date.UTC(2026, 0, 31);

/** A pseudo-random number below `limit`; the seed is fixed. */
function randomNumbers(seed: number) {
  let state = seed;
  return (limit: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

/** Values of a minute in hundredths, thousandths of volume. */
interface Minute {
  startMs: number;
  values: { open: number; high: number; low: number; close: number; volume: number; vwap: number; trades: number };
}

function recordMinutes(seed: number): Minute[] {
  const below = randomNumbers(seed);
  let price = 5_000_000;
  const minutes: Minute[] = [];
  for (let minute = 0; minute < DAYS * 1_440; minute++) {
    if (below(4) === 0) continue;
    const open = price;
    const close = open + below(2_001) - 1_000;
    const [high, low] = [Math.max(open, close) + below(500), Math.min(open, close) - below(500)];
    const values = {
      open,
      high,
      low,
      close,
      volume: below(9_000),
      vwap: low + below(high - low + 1),
      trades: below(40),
    };
    minutes.push({ startMs: START + minute * 60_000, values });
    price = close;
  }
  return minutes;
}

const cents = (value: number) => new Decimal(value).dividedBy(100);

/** The expected bar of a bucket, computed straight from its minutes. */
function expectedLine(startMs: number, minutes: readonly Minute[]): string {
  const all = minutes.map(({ values }) => values);
  const volume = Decimal.sum(...all.map((v) => v.volume)).dividedBy(1_000);
  const turnover = Decimal.sum(...all.map((v) => cents(v.vwap).times(v.volume).dividedBy(1_000)));
  return [
    new Date(startMs).toISOString().replace('.000', ''),
    cents(all[0]?.open ?? 0),
    cents(Math.max(...all.map((v) => v.high))),
    cents(Math.min(...all.map((v) => v.low))),
    cents(all.at(-1)?.close ?? 0),
    volume,
    volume.isZero() ? '-' : turnover.dividedBy(volume).toDecimalPlaces(8, Decimal.ROUND_HALF_EVEN),
  ].join(' ');
}

const MINUTES = { M5: 5, M15: 15, H1: 60, H4: 240, D1: 1_440 };

let graph: TestGraph;
const recorded = new Map(SYMBOLS.map((symbol, seed) => [symbol, recordMinutes(seed + 1)]));

function rowsOf(symbol: string) {
  return (recorded.get(symbol) ?? []).map(({ startMs, values: v }) =>
    candle(new Date(startMs).toISOString(), [v.open, v.high, v.low, v.close].map(cents).join(' '), {
      symbol,
      volume: String(v.volume / 1_000),
      vwap: String(cents(v.vwap)),
      numTrades: v.trades,
    }),
  );
}

beforeAll(async () => {
  graph = await startGraph({ now: () => new Date(NOW) });
  await createInstruments(graph, ...SYMBOLS);
});
afterAll(() => graph.close());

describe('minutes loaded in pieces, out of order, by many at once, some of them twice', () => {
  beforeAll(async () => {
    const below = randomNumbers(99);
    const rows = SYMBOLS.flatMap(rowsOf).map((row) => ({ row, place: below(1_000_000) }));
    const shuffled = rows.sort((a, b) => a.place - b.place).map(({ row }) => row);
    const pieces = Array.from({ length: 24 }, (_, i) => shuffled.filter((_row, place) => place % 24 === i));
    const payloads = await Promise.all(
      [...pieces, ...pieces.slice(0, 6)].map((candles) => send(graph, 'ingestCandles', { candles })),
    );
    expect(payloads.map(({ errors, refused }) => [errors, refused])).toEqual(payloads.map(() => [[], []]));
    expect(payloads.reduce((sum, { inserted }) => sum + inserted, 0)).toBe(rows.length);
  });

  it.each(
    SYMBOLS.flatMap((symbol) =>
      Object.entries(MINUTES).map(([interval, length]) => [symbol, interval, length] as const),
    ),
  )('of %s roll up to exact %s bars', async (symbol, interval, length) => {
    const lengthMs = length * 60_000;
    const buckets = Map.groupBy(recorded.get(symbol) ?? [], ({ startMs }) => startMs - (startMs % lengthMs));
    const expected = [...buckets].map(([startMs, minutes]) => expectedLine(startMs, minutes));
    const stored = await bars(graph, interval, symbol);
    expect(stored.map(line)).toEqual(expected.slice(0, 500));
    const trades = [...buckets.values()].map((minutes) => minutes.reduce((sum, { values }) => sum + values.trades, 0));
    expect(stored.map(({ numTrades }) => numTrades)).toEqual(trades.slice(0, 500));
    expect(stored.map(({ coveredMinutes }) => coveredMinutes)).toEqual(
      [...buckets.values()].map((minutes) => minutes.length).slice(0, 500),
    );
  });

  it('sum up to the same volume at every interval', async () => {
    const sums = await graph.sql(
      'market-data',
      'select symbol, array_agg(distinct volume::text) as volumes from (select symbol, "interval", sum(volume) as volume from candles group by 1, 2) s group by 1 order by 1',
    );
    const expected = SYMBOLS.map((symbol) =>
      Decimal.sum(...(recorded.get(symbol) ?? []).map(({ values }) => values.volume))
        .dividedBy(1_000)
        .toFixed(8),
    );
    expect(sums.map(({ volumes }) => volumes)).toEqual(expected.map((volume) => [volume]));
  });
});
