import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dec, round8 } from '../../../platform/decimal.ts';
import {
  divideHalfEven,
  higher,
  lower,
  productOf,
  productText,
  unitsOf,
  unitsText,
} from '../../../subgraphs/market-data/rules/units.ts';

describe('values in hundred-millionths', () => {
  it.each([
    ['7424.91', 742_491_000_000n],
    ['0.00000001', 1n],
    ['9999999999999999.99999999', 999_999_999_999_999_999_999_999n],
    ['100', 10_000_000_000n],
    ['-0.5', -50_000_000n],
    ['0', 0n],
  ])('reads %s', (text, units) => {
    expect(unitsOf(text)).toBe(units);
  });

  it('writes all places', () => {
    expect([1n, -50_000_000n, 0n, 742_491_000_000n].map(unitsText)).toEqual([
      '0.00000001',
      '-0.50000000',
      '0.00000000',
      '7424.91000000',
    ]);
    expect(productText(productOf('1.5') + 1n)).toBe('1.5000000000000001');
  });

  it('does not round what it cannot hold', () => {
    expect(() => unitsOf('0.000000001')).toThrow('at most 8 fractional digits');
  });

  it('writes what it has read, and orders as decimals do', () => {
    const units = fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n });
    fc.assert(
      fc.property(units, units, (a, b) => {
        expect(unitsOf(unitsText(a))).toBe(a);
        expect(productOf(productText(a))).toBe(a);
        expect(higher(a, b) + lower(a, b)).toBe(a + b);
        expect(higher(a, b) >= lower(a, b)).toBe(true);
      }),
      { seed: 3 },
    );
  });

  it('divides as decimals rounded half-even do', () => {
    const product = fc.bigInt({ min: 0n, max: 10n ** 40n });
    const divisor = fc.bigInt({ min: 1n, max: 10n ** 24n });
    fc.assert(
      fc.property(fc.oneof(product, fc.bigInt({ min: 0n, max: 40n })), fc.oneof(divisor, fc.constant(2n)), (a, b) => {
        const exact = round8(dec(productText(a)).dividedBy(unitsText(b)));
        expect(unitsText(divideHalfEven(a, b))).toBe(exact.toFixed(8));
      }),
      { seed: 3, numRuns: 500 },
    );
  });
});
