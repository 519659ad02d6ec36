/** Returns and what may be lost: vectors R1 and R2 of domain.md §12.5, and a naive twin in floats on recorded bars. */
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Decimal, dec, mean, sampleDeviation, sum } from '../../../platform/decimal.ts';
import { dailyChanges, dailyReturns } from '../../../subgraphs/risk/rules/daily-changes.ts';
import {
  growthOf,
  maximumDrawdown,
  returnsOnCapital,
  sharpeRatio,
  sortinoRatio,
} from '../../../subgraphs/risk/rules/returns.ts';
import { historicalRisk, parametricRisk } from '../../../subgraphs/risk/rules/value-at-risk.ts';

const R1 =
  '0.010 −0.020 0.005 −0.035 0.012 −0.004 0.007 −0.011 0.003 −0.050 0.009 −0.015 0.001 0.020 −0.008 0.006 −0.002 0.004 −0.027 0.011'
    .replaceAll('−', '-')
    .split(' ')
    .map(dec);
const VALUE = dec(1_000_000);
const to = (places: number, value: Decimal | null) => value?.toFixed(places);

/** Of an account into which nothing is paid: all its gains are P&L. */
const returnsOnEquity = (series: readonly Decimal[]) =>
  returnsOnCapital(series.map((equity) => ({ equity, totalPnl: equity })));

describe('vector R1', () => {
  it('has the value at risk and expected shortfall of its tail', () => {
    const at95 = historicalRisk(R1, VALUE, dec('0.95'));
    expect(at95?.valueAtRisk.toFixed()).toBe('35000');
    expect(at95?.expectedShortfall.toFixed()).toBe('42500');
    expect(at95?.isLowConfidence).toBe(false);
    const at99 = historicalRisk(R1, VALUE, dec('0.99'));
    expect(at99?.valueAtRisk.toFixed()).toBe('50000');
    expect(at99?.isLowConfidence).toBe(true);
  });

  it('has its mean, deviation, parametric value at risk and Sharpe ratios', () => {
    expect(to(10, mean(R1))).toBe('-0.0042000000');
    expect(to(10, sampleDeviation(R1))).toBe('0.0176414583');
    expect(to(2, parametricRisk(R1, VALUE, '0.95'))).toBe('29020.20');
    expect(to(2, parametricRisk(R1, VALUE, '0.99'))).toBe('41034.03');
    expect(to(4, sharpeRatio(R1))).toBe('-4.5484');
    expect(to(4, sharpeRatio(R1, 252))).toBe('-3.7793');
  });
});

describe('vector R2', () => {
  it('has a maximum drawdown of a quarter', () => {
    const equity = [100, 110, 105, 120, 90, 96, 130, 117].map(dec);
    expect(maximumDrawdown(equity).toFixed()).toBe('0.25');
    const growth = growthOf(returnsOnEquity(equity));
    expect(maximumDrawdown(growth).toFixed(20)).toBe('0.25000000000000000000');
    expect(growth.at(-1)?.toFixed(20)).toBe('1.17000000000000000000');
  });
});

describe('what positions would have gained on earlier days', () => {
  const bars = (closes: readonly string[]) =>
    closes.map((close, ago) => ({ startTime: new Date(Date.UTC(2026, 0, 31 - ago)).toISOString(), close }));

  it('is the sum over them of value times return, to the last of the digits that are kept', () => {
    const close = fc.integer({ min: 1, max: 10 ** 9 }).map((units) => dec(units).div(100).toFixed());
    const value = fc.bigInt({ min: -(10n ** 22n), max: 10n ** 22n }).map((units) => dec(`${units}e-8`));
    const instrument = fc.tuple(value, fc.array(close, { minLength: 6, maxLength: 6 }));
    fc.assert(
      fc.property(fc.array(instrument, { minLength: 1, maxLength: 5 }), (instruments) => {
        const values = instruments.map(([worth], i) => ({ symbol: `A${i}`, value: worth }));
        const bySymbol = new Map(instruments.map(([, closes], i) => [`A${i}`, dailyReturns(bars(closes))]));
        const { changes, isPartial } = dailyChanges(values, bySymbol, 4);
        const naive = [3, 2, 1, 0].map((ago) =>
          sum(
            instruments.map(([worth, closes]) =>
              worth.times(
                dec(closes[ago] as string)
                  .div(closes[ago + 1] as string)
                  .minus(1),
              ),
            ),
          ),
        );
        expect(changes.map((change) => change.toFixed(10))).toEqual(naive.map((change) => change.toFixed(10)));
        expect(isPartial).toBe(false);
      }),
      { numRuns: 50 },
    );
  });

  it('counts the days that every instrument has, and leaves out one that has none', () => {
    const bySymbol = new Map([
      ['A', dailyReturns(bars(['110', '100', '80', '100']))],
      ['B', dailyReturns(bars(['50', '100']))],
    ]);
    const values = ['A', 'B', 'C'].map((symbol) => ({ symbol, value: dec(100) }));
    expect(dailyChanges(values, bySymbol, 30)).toEqual({ changes: [dec(-40)], isPartial: true });
    expect(dailyChanges(values.slice(2), bySymbol, 30)).toEqual({ changes: [], isPartial: true });
    expect(dailyChanges([], bySymbol, 30)).toEqual({ changes: [], isPartial: false });
  });
});

describe('what cannot be said', () => {
  it('is null, not zero', () => {
    expect(historicalRisk([], VALUE, dec('0.95'))).toBeNull();
    expect(parametricRisk([dec('0.1')], VALUE, '0.95')).toBeNull();
    expect(sharpeRatio([dec('0.1'), dec('0.1')])).toBeNull();
    expect(sortinoRatio([dec('0.1'), dec('0.2')])).toBeNull();
    expect(returnsOnEquity([0, 100, 50].map(dec)).map((value) => value.toFixed())).toEqual(['-0.5']);
  });

  it('is no loss where the tail gained', () => {
    const risk = historicalRisk([dec('0.01'), dec('0.02')], VALUE, dec('0.95'));
    expect(risk?.valueAtRisk.toFixed()).toBe('0');
    expect(risk?.expectedShortfall.toFixed()).toBe('0');
  });
});

describe('money that is paid in or out', () => {
  it('earns nothing, and is worked with from the next day on', () => {
    const points = [
      [1_000, 0],
      [5_100, 100], // 4,000 were paid in
      [100, 100], // 5,000 were paid out
      [90, 90],
    ].map(([equity, totalPnl]) => ({ equity: dec(equity ?? 0), totalPnl: dec(totalPnl ?? 0) }));
    expect(returnsOnCapital(points).map((rate) => rate.toFixed())).toEqual(['0.1', '0', '-0.1']);
  });
});

describe('any returns', () => {
  const returns = fc.array(
    fc.integer({ min: -9_999, max: 20_000 }).map((units) => dec(units).div(10_000)),
    {
      minLength: 1,
      maxLength: 120,
    },
  );

  it('give var99 ≥ var95 ≥ 0, and an expected shortfall not below the value at risk', () => {
    fc.assert(
      fc.property(returns, (series) => {
        const [at95, at99] = ['0.95', '0.99'].map((level) => historicalRisk(series, VALUE, dec(level)));
        expect(at95?.valueAtRisk.gte(0)).toBe(true);
        expect(at99?.valueAtRisk.gte(at95?.valueAtRisk ?? 0)).toBe(true);
        for (const risk of [at95, at99]) expect(risk?.expectedShortfall.gte(risk.valueAtRisk)).toBe(true);
      }),
    );
  });

  it('give a drawdown between 0 and 1 that no end of the series deepens by being cut off', () => {
    const equity = fc.array(fc.integer({ min: 1, max: 1_000_000 }).map(dec), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(equity, (series) => {
        const drawdown = maximumDrawdown(series);
        expect(drawdown.gte(0) && drawdown.lt(1)).toBe(true);
        expect(maximumDrawdown(series.slice(0, -1)).lte(drawdown)).toBe(true);
      }),
    );
  });
});

const BARS = join(resolve(import.meta.dirname, '../../../../shared/data'), 'bars-1d-coinbase-btcusd-2014-2018.csv');
const isThere = existsSync(BARS);
if (!isThere) process.stderr.write(`\n*** ${BARS} is not there: risk is NOT compared on recorded bars. ***\n\n`);

describe.skipIf(!isThere)('recorded daily bars', () => {
  const rows = isThere ? readFileSync(BARS, 'utf8').trim().split('\n').slice(1) : [];
  const closes = rows.map((row) => row.split(',')[4] ?? '');
  const windows = [closes, closes.slice(0, 31), closes.slice(200, 566), closes.slice(-91)];

  it.each(windows.map((window) => ({ days: window.length, window })))(
    'of $days days agree with a reading in floats',
    ({ window }) => {
      const equity = window.map(dec);
      const returns = returnsOnEquity(equity);
      const floats = window.map(Number);
      const changes = floats.slice(1).map((close, i) => close / (floats[i] as number) - 1);
      const average = changes.reduce((a, b) => a + b, 0) / changes.length;
      const spread = Math.sqrt(changes.reduce((a, b) => a + (b - average) ** 2, 0) / (changes.length - 1));
      const rising = changes.toSorted((a, b) => a - b);
      const k = Math.floor(changes.length * 0.05 + 1e-9);
      const shortfall = -rising.slice(0, k + 1).reduce((a, b) => a + b, 0) / (k + 1);
      let peak = 0;
      const falls = floats.map((close) => {
        peak = Math.max(peak, close);
        return 1 - close / peak;
      });
      const downside = Math.sqrt(changes.reduce((a, b) => a + Math.min(b, 0) ** 2, 0) / changes.length);
      const pairs: [Decimal | null | undefined, number][] = [
        [sampleDeviation(returns), spread],
        [sharpeRatio(returns), (average / spread) * Math.sqrt(365)],
        [sortinoRatio(returns), (average / downside) * Math.sqrt(365)],
        [maximumDrawdown(equity), Math.max(...falls)],
        [historicalRisk(returns, VALUE, dec('0.95'))?.valueAtRisk, Math.max(0, -(rising[k] as number)) * 1e6],
        [historicalRisk(returns, VALUE, dec('0.95'))?.expectedShortfall, Math.max(0, shortfall) * 1e6],
        [parametricRisk(returns, VALUE, '0.99', 10), 2.326 * spread * 1e6 * Math.sqrt(10)],
      ];
      for (const [exact, naive] of pairs) expect(exact?.toNumber()).toBeCloseTo(naive, naive > 1_000 ? 3 : 9);
    },
  );
});
