import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BarReport, isSameBar, mergeBar, readBar } from '../../../subgraphs/market-data/rules/candle-bar.ts';
import { isFault } from '../../../subgraphs/market-data/rules/limits.ts';
import { bar, DAY, NOW, report, shown } from './bars.ts';

describe('reading a reported bar', () => {
  it('keeps what the source says', () => {
    const read = readBar(report({ vwap: '101.5', numTrades: 7 }), NOW);
    expect(read).toMatchObject({ symbol: 'BTC-USD', interval: '1m', startMs: DAY, numTrades: 7, isClosed: true });
    expect(read).toMatchObject({ origin: 'REPORTED', coveredMinutes: 1, source: 'test', version: 0 });
    expect(isFault(read) ? read : shown(read)).toBe('100 110 90 105 2 101.5');
    expect(isFault(read) ? read : read.turnover).toBe(203n * 10n ** 16n);
  });

  it.each<[string, Partial<BarReport>, string]>([
    ['low above open', { low: '101', high: '110' }, 'low'],
    ['low above close', { close: '89' }, 'low'],
    ['high below close', { close: '111' }, 'high'],
    ['high below open', { open: '111', close: '100' }, 'high'],
    ['low of zero', { low: '0' }, 'low'],
    ['negative low', { low: '-1' }, 'low'],
    ['high above a trillion', { high: '1000000000000.00000001' }, 'high'],
    ['negative volume', { volume: '-0.00000001' }, 'volume'],
    ['volume above what a day can sum up', { volume: '5000000000000.00000001' }, 'volume'],
    ['vwap below low', { vwap: '89.99999999' }, 'vwap'],
    ['vwap above high', { vwap: '110.00000001' }, 'vwap'],
    ['negative number of trades', { numTrades: -1 }, 'numTrades'],
    ['too many trades', { numTrades: 1_000_001 }, 'numTrades'],
    ['empty source', { source: '' }, 'source'],
    ['source longer than 100', { source: 'x'.repeat(101) }, 'source'],
    ['NUL in metadata', { metadata: { note: ['a\0b'] } }, 'metadata'],
    ['NUL in a key of metadata', { metadata: { 'a\0': 1 } }, 'metadata'],
    ['start within the minute', { startTime: '2026-01-01T00:00:30Z' }, 'startTime'],
    ['start with a fraction', { startTime: '2026-01-01T00:00:00.000001Z' }, 'startTime'],
    ['start off the hour', { interval: '1h', startTime: '2026-01-01T00:30:00Z' }, 'startTime'],
    ['start off the four hours', { interval: '4h', startTime: '2026-01-01T02:00:00Z' }, 'startTime'],
    ['start off the day', { interval: '1d', startTime: '2026-01-01T12:00:00Z' }, 'startTime'],
    ['start before 2009', { startTime: '2008-12-31T23:59:00Z' }, 'startTime'],
    ['start in the future', { startTime: '2026-06-01T00:01:00Z' }, 'startTime'],
    ['closed before its end', { startTime: '2026-06-01T00:00:00Z', isClosed: true }, 'isClosed'],
  ])('refuses a %s', (_, change, field) => {
    expect(readBar(report(change), NOW)).toMatchObject({ field, message: expect.any(String) });
  });

  it('takes a bar of the running period as open', () => {
    expect(readBar(report({ startTime: '2026-06-01T00:00:00Z' }), NOW)).toMatchObject({ isClosed: false });
  });

  it('takes a bar whose period just ended as closed, unless told otherwise', () => {
    const justEnded = { startTime: '2026-05-31T23:59:00Z' };
    expect(readBar(report(justEnded), NOW)).toMatchObject({ isClosed: true });
    expect(readBar(report({ ...justEnded, isClosed: false }), NOW)).toMatchObject({ isClosed: false });
  });

  it('takes a start up to five seconds ahead of the clock', () => {
    expect(readBar(report({ startTime: '2026-06-01T00:01:00Z' }), NOW + 55_000)).toMatchObject({ isClosed: false });
    expect(readBar(report({ startTime: '2026-06-01T00:01:00Z' }), NOW + 54_999)).toMatchObject({ field: 'startTime' });
  });

  it('takes a motionless bar without volume', () => {
    const still = report({ open: '100', high: '100', low: '100', close: '100', volume: '0' });
    expect(isFault(readBar(still, NOW))).toBe(false);
  });

  it('takes a day with a day of volume', () => {
    expect(isFault(readBar(report({ interval: '1d', volume: '7200000000000000' }), NOW))).toBe(false);
  });
});

describe('a report about a bar that is stored', () => {
  const open = bar(0, [100, 110, 90, 105], { isClosed: false, version: 3 });
  const closed = bar(0, [100, 110, 90, 105], { vwap: '101', numTrades: 4, version: 3 });

  it('keeps the open, widens high and low, takes close and volume as given', () => {
    const merged = mergeBar(open, bar(0, [102, 109, 80, 81], { isClosed: false, volume: '5' }));
    expect(merged).toMatchObject({ isClosed: false, version: 3 });
    expect(typeof merged === 'string' ? merged : shown(merged)).toBe('100 110 80 81 5 -');
  });

  it('closes an open bar', () => {
    expect(mergeBar(open, bar(0, [100, 110, 90, 105]))).toMatchObject({ isClosed: true });
  });

  it('keeps source and metadata when the report says nothing of them', () => {
    const noted = { ...open, metadata: { a: 1 } };
    expect(mergeBar(noted, bar(0, [100, 120, 90, 105], { source: null }))).toMatchObject({
      source: 'test',
      metadata: { a: 1 },
    });
  });

  it('changes nothing when it repeats an open bar', () => {
    expect(mergeBar(open, bar(0, [100, 110, 90, 105], { isClosed: false }))).toBe('same');
  });

  it('is ignored when it repeats a closed bar, whatever it leaves out', () => {
    expect(mergeBar(closed, bar(0, [100, 110, 90, 105], { vwap: '101', numTrades: 4 }))).toBe('same');
    expect(mergeBar(closed, bar(0, [100, 110, 90, 105]))).toBe('same');
    expect(mergeBar(closed, bar(0, ['100.0', '110.00', 90, 105], { isClosed: false, source: 'other' }))).toBe('same');
  });

  it.each([
    ['close', bar(0, [100, 110, 90, 106])],
    ['volume', bar(0, [100, 110, 90, 105], { volume: '1.00000001' })],
    ['vwap', bar(0, [100, 110, 90, 105], { vwap: '102' })],
    ['number of trades', bar(0, [100, 110, 90, 105], { numTrades: 5 })],
  ])('is refused when it changes the %s of a closed bar', (_, contradicting) => {
    expect(mergeBar(closed, contradicting)).toBe('closed');
  });

  it('takes the place of a rolled-up bar, closed or not, and counts its version on', () => {
    const rolledUp = { ...closed, origin: 'ROLLED_UP' as const };
    const reported = bar(0, [1, 2, 1, 2]);
    expect(mergeBar(rolledUp, reported)).toEqual({ ...reported, version: 3 });
  });

  it('leaves a sound bar, whatever sound reports come in whatever order', () => {
    const price = fc.integer({ min: 1, max: 1_000 });
    const sound = fc.tuple(price, price, price, price).map((four) => {
      const [low = 1, open = 1, close = 1, high = 1] = [...four].sort((a, b) => a - b);
      return bar(0, [open, high, low, close], { isClosed: false });
    });
    fc.assert(
      fc.property(sound, fc.array(sound, { maxLength: 8 }), (first, reports) => {
        let stored = first;
        for (const next of reports) {
          const merged = mergeBar(stored, next);
          if (typeof merged !== 'string') stored = merged;
        }
        const all = [first, ...reports];
        expect(stored.open).toEqual(first.open);
        expect(stored.close).toEqual(all.at(-1)?.close);
        expect(Number(stored.high)).toBe(Math.max(...all.map(({ high }) => Number(high))));
        expect(Number(stored.low)).toBe(Math.min(...all.map(({ low }) => Number(low))));
      }),
      { seed: 1 },
    );
  });
});

it('tells bars apart by every stored value', () => {
  const one = bar(0, [100, 110, 90, 105], { vwap: '100' });
  expect(isSameBar(one, bar(0, ['100.00', 110, 90, 105], { vwap: '100.0' }))).toBe(true);
  expect(isSameBar(one, { ...one, version: 9 })).toBe(true);
  for (const change of [
    { isClosed: false },
    { origin: 'ROLLED_UP' as const },
    { coveredMinutes: 0 },
    { source: null },
    { metadata: {} },
    { numTrades: 0 },
    { vwap: null },
    { turnover: null },
  ]) {
    expect(isSameBar(one, { ...one, ...change })).toBe(false);
  }
});
