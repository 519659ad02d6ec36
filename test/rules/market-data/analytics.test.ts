import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { similarityOf, simulate } from '../../../subgraphs/market-data/analytics/rules/simulation.ts';
import {
  correlationOf,
  deviation,
  distributionDistance,
  logReturns,
  pearson,
} from '../../../subgraphs/market-data/analytics/rules/statistics.ts';

describe('statistics', () => {
  it('deviation is that of a sample', () => {
    expect(deviation([2, 4, 4, 4, 5, 5, 7, 9])).toBeCloseTo(2.138089935, 8);
    expect(deviation([1])).toBe(0);
  });

  it.each([
    [[1, 2, 3], [2, 4, 6], 1],
    [[1, 2, 3], [3, 2, 1], -1],
    [[1, 2, 3, 4, 5], [2, 1, 4, 3, 5], 0.8],
    [[1, 2, 3], [5, 5, 5], null],
    [[1, 2], [1, 2], null],
  ])('pearson of %o and %o is %s', (a, b, expected) => {
    const found = pearson(a, b);
    if (expected === null) expect(found).toBeNull();
    else expect(found).toBeCloseTo(expected, 12);
  });

  it('the distance of distributions is 0 of the same, 1 of those apart', () => {
    expect(distributionDistance([1, 2, 3], [3, 1, 2])).toBe(0);
    expect(distributionDistance([1, 2, 3], [4, 5, 6])).toBe(1);
    expect(distributionDistance([1, 2, 3, 4], [3, 4, 5, 6])).toBe(0.5);
  });

  it('returns need neighbours, and correlate over common bars', () => {
    const closes = [0, 1, 2, 4, 5].map((n) => ({ startMs: n * 60_000, price: 2 ** n }));
    const returns = logReturns(closes, 60_000);
    expect([...returns.keys()]).toEqual([60_000, 120_000, 300_000]);
    expect(returns.get(60_000)).toBeCloseTo(Math.LN2, 12);
    expect(correlationOf(returns, new Map([[60_000, 1]]))).toEqual({ correlation: null, samples: 1 });
  });
});

describe('a simulation', () => {
  const closes = Array.from({ length: 50 }, (_, n) => 100 + Math.sin(n) * 5 + n * 0.2);
  const types = fc.constantFrom(
    'STATISTICAL_SIMILARITY' as const,
    'MONTE_CARLO' as const,
    'BROWNIAN_MOTION' as const,
    'MEAN_REVERSION' as const,
    'TREND_FOLLOWING' as const,
  );

  it('draws positive, finite prices, the same of the same seed', () => {
    const plans = fc.record({
      type: types,
      count: fc.integer({ min: 10, max: 60 }),
      volatilityFactor: fc.double({ min: 0, max: 5, noNaN: true }),
      trendFactor: fc.double({ min: -5, max: 5, noNaN: true }),
      noiseLevel: fc.double({ min: 0, max: 1, noNaN: true }),
      seed: fc.integer(),
    });
    fc.assert(
      fc.property(plans, (plan) => {
        const drawn = simulate(closes, plan);
        expect(drawn).toHaveLength(plan.count);
        expect(drawn.every((price) => price > 0 && Number.isFinite(price))).toBe(true);
        expect(simulate(closes, plan)).toEqual(drawn);
        const { correlation, ...shares } = similarityOf(closes, drawn);
        expect(Math.abs(correlation ?? 0)).toBeLessThanOrEqual(1);
        for (const share of Object.values(shares)) expect(share >= 0 && share <= 1).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it('is wholly like itself', () => {
    const { correlation, volatility, returnDistribution, trend, confidence } = similarityOf(closes, closes);
    expect(correlation).toBeCloseTo(1, 12);
    expect([volatility, returnDistribution, trend]).toEqual([1, 1, 1]);
    expect(confidence).toBeCloseTo(1, 12);
  });

  it('without moves and trend stands still', () => {
    const plan = { count: 5, volatilityFactor: 0, trendFactor: 0, noiseLevel: 0, seed: 1 };
    for (const price of simulate(closes, { type: 'BROWNIAN_MOTION', ...plan })) expect(price).toBe(closes.at(-1));
  });

  it('moves as widely as the bars did', () => {
    const plan = { count: 500, volatilityFactor: 1, trendFactor: 1, noiseLevel: 0, seed: 3 };
    for (const type of ['STATISTICAL_SIMILARITY', 'BROWNIAN_MOTION'] as const) {
      expect(similarityOf(closes, simulate(closes, { type, ...plan })).volatility).toBeGreaterThan(0.9);
    }
  });
});
