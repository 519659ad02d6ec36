/** Random trades for properties of the trading rules. */
import fc from 'fast-check';
import { type Decimal, dec } from '../../../platform/decimal.ts';
import type { Execution } from '../../../subgraphs/trading/rules/average-cost.ts';

/** One seed for every property, so that a failure comes back. */
export const SEED = 20260101;

/** An amount of up to `integerDigits` digits before the point and exactly as many after it as storage keeps. */
export function amounts({ integerDigits, above }: { integerDigits: number; above: 0 | -1 }): fc.Arbitrary<Decimal> {
  const units = 10n ** BigInt(integerDigits + 8) - 1n;
  return fc.bigInt({ min: above === 0 ? 1n : 0n, max: units }).map((value) => dec(value.toString()).div(100_000_000));
}

export const trades: fc.Arbitrary<Execution> = fc.record({
  side: fc.constantFrom('buy' as const, 'sell' as const),
  quantity: amounts({ integerDigits: 4, above: 0 }),
  price: amounts({ integerDigits: 6, above: 0 }),
  commission: amounts({ integerDigits: 3, above: -1 }),
});

/** Trades whose quantities and prices are whole, so that flips and exact closings are frequent. */
export const coarseTrades: fc.Arbitrary<Execution> = fc.record({
  side: fc.constantFrom('buy' as const, 'sell' as const),
  quantity: fc.integer({ min: 1, max: 4 }).map(dec),
  price: fc.integer({ min: 90, max: 110 }).map(dec),
  commission: fc.integer({ min: 0, max: 3 }).map(dec),
});

/** +quantity for a buy, −quantity for a sell. */
export function signed({ side, quantity }: Execution): Decimal {
  return side === 'buy' ? quantity : quantity.negated();
}
