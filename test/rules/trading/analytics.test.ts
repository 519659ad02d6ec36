import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Decimal, dec, mean, round8, sampleDeviation } from '../../../platform/decimal.ts';
import { slippageBps, volumeWeightedPrice } from '../../../subgraphs/trading/analytics/rules/execution-quality.ts';
import { dayEndingAt, instantsOf } from '../../../subgraphs/trading/analytics/rules/periods.ts';
import {
  maxDrawdown,
  returnsOf,
  sharpeRatio,
  sortinoRatio,
} from '../../../subgraphs/trading/analytics/rules/returns.ts';
import { figuresOf } from '../../../subgraphs/trading/analytics/rules/round-trips.ts';
import { SEED } from './arbitraries.ts';

const decimals = (text: string) => text.split(' ').map(dec);
const wire = (value: Decimal | null) => value && round8(value).toFixed();

/** Vector R1 of domain.md §12.5. */
const R1 = decimals(
  '0.010 -0.020 0.005 -0.035 0.012 -0.004 0.007 -0.011 0.003 -0.050 0.009 -0.015 0.001 0.020 -0.008 0.006 -0.002 0.004 -0.027 0.011',
);

describe('returns', () => {
  it('follow the vector R1: mean, deviation and Sharpe for 365 and 252 periods a year', () => {
    const terms = { riskFree: dec(0), periodsPerYear: 365 };
    expect(wire(mean(R1))).toBe('-0.0042');
    expect(sampleDeviation(R1)?.toFixed(10)).toBe('0.0176414583');
    expect(sharpeRatio(R1, terms)?.toFixed(4)).toBe('-4.5484');
    expect(sharpeRatio(R1, { ...terms, periodsPerYear: 252 })?.toFixed(4)).toBe('-3.7793');
  });

  it('fall at most as the vector R2', () => {
    const { ratio, amount } = maxDrawdown(decimals('100 110 105 120 90 96 130 117'));
    expect([wire(ratio), amount.toFixed()]).toEqual(['0.25', '30']);
  });

  it('are each period’s equity over the one before, less one', () => {
    expect(returnsOf(decimals('100 110 99'))?.map(wire)).toEqual(['0.1', '-0.1']);
    expect(returnsOf(decimals('100'))).toEqual([]);
    expect(returnsOf(decimals('0 10'))).toBeNull();
    expect(returnsOf(decimals('-5 10'))).toBeNull();
    expect(returnsOf(decimals('10 -5'))?.map(wire)).toEqual(['-1.5']); // the last may be anything
  });

  it('take the risk-free return off before the ratio', () => {
    const terms = { riskFree: dec('0.01'), periodsPerYear: 4 };
    // mean 0.02, sample deviation 0.01: (0.02 − 0.01) ÷ 0.01 × √4
    expect(wire(sharpeRatio(decimals('0.01 0.02 0.03'), terms))).toBe('2');
    // shortfalls 0, 0.04 and 0: √(0.0016 ÷ 3) = 0.02309401…; mean 0.01
    expect(wire(sortinoRatio(decimals('0.03 -0.03 0.03'), { ...terms, riskFree: dec('0') }))).toBe('1.15470054');
  });

  it('have no ratio where its formula has none', () => {
    const terms = { riskFree: dec(0), periodsPerYear: 365 };
    expect(sharpeRatio([], terms)).toBeNull();
    expect(sharpeRatio(decimals('0.01'), terms)).toBeNull();
    expect(sharpeRatio(decimals('0.01 0.01'), terms)).toBeNull();
    expect(sortinoRatio(decimals('0.01'), terms)).toBeNull();
    expect(sortinoRatio(decimals('0.01 0.02'), terms)).toBeNull();
    expect([mean([]), sampleDeviation(decimals('1'))]).toEqual([null, null]);
    expect(maxDrawdown([])).toMatchObject({ ratio: null });
    expect(maxDrawdown(decimals('-1 -3'))).toMatchObject({ ratio: null, amount: dec(2) });
  });

  it('fall by no more than the peak, and not at all while equity only rises', () => {
    const equity = fc.array(fc.integer({ min: 1, max: 1_000_000 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(equity, (values) => {
        const { ratio } = maxDrawdown(values.map(dec));
        expect(ratio?.gte(0) && ratio.lt(1)).toBe(true);
        const rising = [...values].sort((a, b) => a - b);
        expect(maxDrawdown(rising.map(dec)).ratio?.isZero()).toBe(true);
      }),
      { seed: SEED },
    );
  });
});

describe('round trips', () => {
  it('say how often and how much was won', () => {
    const figures = figuresOf({ closed: 4, winners: 2, losers: 1, gains: dec(300), losses: dec(-100) });
    expect(Object.values(figures).map(wire)).toEqual(['0.5', '3', '50', '150', '-100']);
  });

  it('have no profit factor without a loss, and nothing of nothing', () => {
    const none = { closed: 0, winners: 0, losers: 0, gains: dec(0), losses: dec(0) };
    expect(Object.values(figuresOf(none))).toEqual([null, null, null, null, null]);
    expect(figuresOf({ ...none, closed: 1, winners: 1, gains: dec(5) }).profitFactor).toBeNull();
  });
});

describe('execution', () => {
  it('averages the fills of domain.md §12.3 to 50020', () => {
    const fills = [
      ['0.5', '50000'],
      ['0.3', '50100'],
      ['0.2', '49950'],
    ].map(([quantity, price]) => ({ quantity: dec(quantity as string), price: dec(price as string) }));
    const notional = fills.reduce((sum, { quantity, price }) => sum.plus(quantity.times(price)), dec(0));
    expect(wire(volumeWeightedPrice(notional, dec(1)))).toBe('50020');
    expect(volumeWeightedPrice(dec(0), dec(0))).toBeNull();
  });

  it('slips by what it cost more, bought or sold', () => {
    expect(wire(slippageBps('buy', dec('50020'), dec('50000')))).toBe('4');
    expect(wire(slippageBps('sell', dec('50020'), dec('50000')))).toBe('-4');
    expect(wire(slippageBps('sell', dec('49999'), dec('50000')))).toBe('0.2');
  });
});

describe('the instants of a curve', () => {
  it('are its ends and every full step between', () => {
    expect(instantsOf('2026-01-01T22:30:00Z', '2026-01-03T00:00:00Z', 'DAY')).toEqual([
      '2026-01-01T22:30:00Z',
      '2026-01-02T00:00:00.000Z',
      '2026-01-03T00:00:00Z',
    ]);
    expect(instantsOf('2026-01-01T00:00:00Z', '2026-01-01T00:00:30Z', 'MINUTE')).toHaveLength(2);
    expect(instantsOf('2026-01-01T00:00:00.000001Z', '2026-01-01T02:00:00.5Z', 'HOUR')).toHaveLength(4);
  });

  it('are refused when there are too many, or none', () => {
    expect(() => instantsOf('2026-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'DAY')).toThrow('from must be before to');
    expect(() => instantsOf('2000-01-01T00:00:00Z', '2026-01-01T00:00:00Z', 'MINUTE')).toThrow('at most 1500');
    expect(() => instantsOf('0001-01-01T00:00:00Z', '9999-12-31T00:00:00Z', 'MINUTE')).toThrow('at most 1500');
  });

  it('end days: midnight ends the day before', () => {
    expect(dayEndingAt('2026-01-02T00:00:00Z')).toBe('2026-01-01');
    expect(dayEndingAt('2026-01-02T00:00:00.001Z')).toBe('2026-01-02');
  });
});
