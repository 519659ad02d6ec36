import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Decimal, dec, round8 } from '../../../platform/decimal.ts';
import type { Bar } from '../../../subgraphs/market-data/rules/candle-bar.ts';
import {
  barStart,
  durationMs,
  INTERVALS,
  type Interval,
} from '../../../subgraphs/market-data/rules/candle-intervals.ts';
import { applyReports } from '../../../subgraphs/market-data/rules/candle-reports.ts';
import { combineBars, rollUp } from '../../../subgraphs/market-data/rules/candle-roll-up.ts';
import { CandleSeries, neededPeriods } from '../../../subgraphs/market-data/rules/candle-series.ts';
import { bar, DAY, NOW, shown } from './bars.ts';

const MINUTE = 60_000;

describe('one bar from its parts', () => {
  it('opens with the first, closes with the last, spans and sums all', () => {
    const parts = [
      bar(0, [100, 105, 99, 101], { volume: '1', vwap: '100', numTrades: 2 }),
      bar(1, [101, 120, 100, 119], { volume: '2', vwap: '110', numTrades: 3 }),
      bar(4, [119, 119, 80, 90], { volume: '1', vwap: '95', numTrades: 1 }),
    ];
    const combined = combineBars(parts, '5m', NOW);
    expect(shown(combined)).toBe('100 120 80 90 4 103.75');
    expect(combined).toMatchObject({ numTrades: 6, coveredMinutes: 3, isClosed: true, origin: 'ROLLED_UP' });
    expect(combined).toMatchObject({ startMs: DAY, source: 'test' });
  });

  it('rounds the vwap half-even, once', () => {
    const vwapOf = (first: string, second: string) =>
      combineBars([bar(0, [1, 2, 1, 1], { vwap: first }), bar(1, [1, 2, 1, 1], { vwap: second })], '5m', NOW).vwap;
    expect(vwapOf('1.00000001', '1.00000002')).toBe(100_000_002n);
    expect(vwapOf('1.00000002', '1.00000003')).toBe(100_000_002n);
  });

  it('knows no vwap and no count of trades when a part does not', () => {
    const parts = [bar(0, [1, 2, 1, 1], { vwap: '1', numTrades: 1 }), bar(1, [1, 2, 1, 1])];
    expect(combineBars(parts, '5m', NOW)).toMatchObject({ vwap: null, turnover: null, numTrades: null });
  });

  it('needs no vwap of a part in which nothing was traded', () => {
    const parts = [bar(0, [1, 2, 1, 1], { vwap: '1.5', volume: '2' }), bar(1, [1, 1, 1, 1], { volume: '0' })];
    expect(shown(combineBars(parts, '5m', NOW))).toBe('1 2 1 1 2 1.5');
  });

  it('has no vwap when nothing was traded at all', () => {
    expect(combineBars([bar(0, [1, 1, 1, 1], { volume: '0' })], '5m', NOW).vwap).toBeNull();
  });

  it('names a source only when all parts share it', () => {
    const parts = [bar(0, [1, 1, 1, 1], { source: 'a' }), bar(1, [1, 1, 1, 1], { source: 'b' })];
    expect(combineBars(parts, '5m', NOW).source).toBeNull();
  });

  it('is open until its period is over', () => {
    const parts = [bar(0, [1, 1, 1, 1])];
    expect(combineBars(parts, '5m', DAY + 5 * MINUTE - 1).isClosed).toBe(false);
    expect(combineBars(parts, '5m', DAY + 5 * MINUTE).isClosed).toBe(true);
  });

  it('cannot be made of nothing', () => {
    expect(() => combineBars([], '5m', NOW)).toThrow('at least one part');
  });
});

/** Stores the batch as the command does, against a store that it reads only where `neededPeriods` says. */
function ingest(store: CandleSeries, batch: readonly Bar[], nowMs = NOW) {
  const known = new CandleSeries(
    neededPeriods(batch).flatMap(({ symbol, interval, fromMs, toMs }) => store.within(symbol, interval, fromMs, toMs)),
  );
  const applied = applyReports(
    known,
    batch.map((reported, index) => ({ index, bar: reported })),
  );
  const rolledUp = rollUp(known, applied.changed, nowMs);
  for (const written of [...applied.changed, ...rolledUp]) store.put(written);
  return { ...applied, rolledUp };
}

function whole(store: CandleSeries, interval: Interval, days = 2, symbol = 'BTC-USD'): Bar[] {
  return store.within(symbol, interval, DAY, DAY + days * durationMs('1d'));
}

/** The same roll-up computed another way: straight from the minutes, in decimals. */
function recompute(minutes: readonly Bar[], interval: Interval): string[] {
  const decimal = (units: bigint) => dec(String(units)).dividedBy(1e8);
  const buckets = Map.groupBy(minutes, ({ startMs }) => Math.floor(startMs / durationMs(interval)));
  return [...buckets]
    .sort(([a], [b]) => a - b)
    .map(([, parts]) => {
      const sorted = parts.toSorted((a, b) => a.startMs - b.startMs);
      const volume = Decimal.sum(...sorted.map((part) => decimal(part.volume)));
      const turnover = Decimal.sum(...sorted.map((part) => decimal(part.volume).times(decimal(part.vwap ?? 0n))));
      const [first, last] = [sorted[0], sorted.at(-1)];
      return [
        decimal(first?.open ?? 0n),
        Decimal.max(...sorted.map((part) => decimal(part.high))),
        Decimal.min(...sorted.map((part) => decimal(part.low))),
        decimal(last?.close ?? 0n),
        volume,
        volume.isZero() ? '-' : round8(turnover.dividedBy(volume)),
      ].join(' ');
    });
}

const anyMinute = fc
  .record({
    minute: fc.integer({ min: 0, max: 2 * 1_440 - 1 }),
    prices: fc.array(fc.integer({ min: 1, max: 20_000 }), { minLength: 5, maxLength: 5 }),
    volume: fc.integer({ min: 0, max: 50_000 }),
  })
  .map(({ minute, prices, volume }) => {
    const [low = 1, open = 1, vwap = 1, close = 1, high = 1] = prices.toSorted((a, b) => a - b).map((p) => p / 100);
    return bar(minute, [open, high, low, close], { volume: String(volume / 1_000), vwap: String(vwap) });
  });
const anyMinutes = fc.uniqueArray(anyMinute, { minLength: 1, maxLength: 120, selector: ({ startMs }) => startMs });

describe('rolling up', () => {
  it('answers every longer interval from minutes', () => {
    const store = new CandleSeries();
    const minutes = Array.from({ length: 1_440 }, (_, minute) =>
      bar(minute, [minute + 1, minute + 3, minute + 1, minute + 2], { vwap: String(minute + 2) }),
    );
    const { inserted, rolledUp } = ingest(store, minutes);
    expect(inserted).toBe(1_440);
    expect(rolledUp.length).toBe(288 + 96 + 24 + 6 + 1);
    expect(whole(store, '1d').map(shown)).toEqual(['1 1442 1 1441 1440 721.5']);
    expect(whole(store, '4h').map(shown)[1]).toBe('241 482 241 481 240 361.5');
    expect(whole(store, '1d')[0]).toMatchObject({ coveredMinutes: 1_440, isClosed: true, origin: 'ROLLED_UP' });
  });

  it('equals a recomputation straight from the minutes, however they are split into calls', () => {
    fc.assert(
      fc.property(anyMinutes, fc.array(fc.nat(119), { maxLength: 6 }), (minutes, cuts) => {
        const store = new CandleSeries();
        const ends = [...cuts, minutes.length].sort((a, b) => a - b);
        ends.forEach((end, i) => {
          ingest(store, minutes.slice(ends[i - 1] ?? 0, end));
        });
        for (const interval of INTERVALS.slice(1)) {
          expect(whole(store, interval).map(shown)).toEqual(recompute(minutes, interval));
        }
      }),
      { seed: 7, numRuns: 150 },
    );
  });

  it('writes nothing when the same bars come again', () => {
    fc.assert(
      fc.property(anyMinutes, (minutes) => {
        const store = new CandleSeries();
        ingest(store, minutes);
        expect(ingest(store, minutes)).toMatchObject({
          inserted: 0,
          updated: 0,
          ignored: minutes.length,
          rolledUp: [],
        });
      }),
      { seed: 7, numRuns: 50 },
    );
  });

  it('rolls reported hours up into four hours and days', () => {
    const store = new CandleSeries();
    ingest(store, [bar(0, [1, 4, 1, 3], { interval: '1h' }), bar(60, [3, 9, 2, 5], { interval: '1h' })]);
    expect(whole(store, '4h').map(shown)).toEqual(['1 9 1 5 2 -']);
    expect(whole(store, '1d')[0]).toMatchObject({ coveredMinutes: 120 });
    expect(whole(store, '15m')).toEqual([]);
  });

  it('never lets a partial roll-up take the place of a reported bar', () => {
    const store = new CandleSeries();
    ingest(store, [bar(0, [1, 100, 1, 50], { interval: '1d', volume: '999' })]);
    ingest(store, [bar(5, [10, 11, 10, 11])]);
    expect(whole(store, '1d').map(shown)).toEqual(['1 100 1 50 999 -']);
    expect(whole(store, '4h').map(shown)).toEqual(['10 11 10 11 1 -']);
  });

  it('lets a reported bar take the place of a rolled-up one, and the longer bars follow it', () => {
    const store = new CandleSeries();
    ingest(store, [bar(5, [10, 11, 10, 11])]);
    const { updated } = ingest(store, [bar(0, [9, 20, 9, 12], { interval: '1h', volume: '7' })]);
    expect(updated).toBe(1);
    expect(whole(store, '1h')[0]).toMatchObject({ origin: 'REPORTED', coveredMinutes: 60 });
    expect(whole(store, '1d').map(shown)).toEqual(['9 20 9 12 7 -']);
    expect(whole(store, '15m').map(shown)).toEqual(['10 11 10 11 1 -']);
  });

  it('corrects a closed rolled-up bar when a late part arrives', () => {
    const store = new CandleSeries();
    ingest(store, [bar(1, [10, 11, 10, 11])]);
    ingest(store, [bar(0, [8, 12, 8, 10])]);
    expect(whole(store, '1d').map(shown)).toEqual(['8 12 8 11 2 -']);
  });

  it('takes several reports of one open bar in the order given', () => {
    const store = new CandleSeries();
    const open = { isClosed: false };
    const { inserted, updated, changed } = ingest(store, [
      bar(0, [10, 10, 10, 10], open),
      bar(0, [10, 12, 10, 12], { ...open, volume: '2' }),
      bar(0, [10, 12, 9, 9], { volume: '3' }),
    ]);
    expect([inserted, updated, changed.length]).toEqual([1, 2, 1]);
    expect(whole(store, '1m').map(shown)).toEqual(['10 12 9 9 3 -']);
  });

  it('names the report that contradicts a closed bar and stores the others', () => {
    const store = new CandleSeries();
    ingest(store, [bar(0, [1, 1, 1, 1])]);
    const { contradicted, inserted } = ingest(store, [bar(1, [2, 2, 2, 2]), bar(0, [3, 3, 3, 3])]);
    expect([inserted, contradicted.map(({ index }) => index)]).toEqual([1, [1]]);
    expect(whole(store, '5m').map(shown)).toEqual(['1 2 1 2 2 -']);
  });

  it('keeps symbols apart', () => {
    const store = new CandleSeries();
    ingest(store, [bar(0, [1, 1, 1, 1]), bar(1, [5, 5, 5, 5], { symbol: 'ETH-USD' })]);
    expect(whole(store, '1d').map(shown)).toEqual(['1 1 1 1 1 -']);
    expect(whole(store, '1d', 2, 'ETH-USD').map(shown)).toEqual(['5 5 5 5 1 -']);
  });
});

describe('the periods a batch needs', () => {
  it('are the siblings at each interval upwards', () => {
    const at = (minute: number) => DAY + minute * MINUTE;
    expect(
      neededPeriods([bar(61, [1, 1, 1, 1])]).map(({ interval, fromMs, toMs }) => [interval, fromMs, toMs]),
    ).toEqual([
      ['1m', at(60), at(65)],
      ['5m', at(60), at(75)],
      ['15m', at(60), at(120)],
      ['1h', at(0), at(240)],
      ['4h', at(0), at(1_440)],
      ['1d', at(0), at(1_440)],
    ]);
  });

  it('are joined where they touch', () => {
    const minutes = Array.from({ length: 2_880 }, (_, minute) => bar(minute, [1, 1, 1, 1]));
    expect(neededPeriods(minutes)).toHaveLength(6);
  });

  it('begin at the interval of the bar', () => {
    expect(neededPeriods([bar(0, [1, 1, 1, 1], { interval: '4h' })]).map(({ interval }) => interval)).toEqual([
      '4h',
      '1d',
    ]);
  });
});

it('bars are aligned in UTC', () => {
  const instant = Date.UTC(2026, 0, 1, 23, 59, 59, 999);
  expect(INTERVALS.map((interval) => new Date(barStart(instant, interval)).toISOString().slice(11, 16))).toEqual([
    '23:59',
    '23:55',
    '23:45',
    '23:00',
    '20:00',
    '00:00',
  ]);
});
