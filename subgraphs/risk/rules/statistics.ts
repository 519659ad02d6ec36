/** Sums, means and deviations of exact numbers. */
import { type Decimal, dec } from '../../../platform/decimal.ts';

export const ZERO = dec(0);

export function sum(values: readonly Decimal[]): Decimal {
  return values.reduce((total, value) => total.plus(value), ZERO);
}

/** The mean; null of no values. */
export function mean(values: readonly Decimal[]): Decimal | null {
  return values.length === 0 ? null : sum(values).div(values.length);
}

/** The sample deviation (n − 1); null of fewer than two values. */
export function deviation(values: readonly Decimal[]): Decimal | null {
  const middle = mean(values);
  if (middle === null || values.length < 2) return null;
  const squares = values.map((value) => {
    const distance = value.minus(middle);
    return distance.times(distance); // pow() takes ten times as long
  });
  return sum(squares)
    .div(values.length - 1)
    .sqrt();
}

export function largest(values: readonly Decimal[]): Decimal | null {
  return values.reduce<Decimal | null>((most, value) => (most === null || value.gt(most) ? value : most), null);
}
