/**
 * Exact decimal numbers. One class everywhere: Prisma's own decimal.js, so that a value read by Prisma and a value
 * computed by a rule can meet in one expression. Its default precision would silently round to 20 digits; the
 * product of two numeric(24,8) needs 48.
 */
import { Decimal } from '@prisma/client/runtime/client';

Decimal.set({ precision: 60, rounding: Decimal.ROUND_HALF_EVEN, toExpNeg: -60, toExpPos: 60 });

export { Decimal };

/** Fractional digits kept by storage and accepted on input. */
export const DECIMAL_PLACES = 8;

/** A decimal from a string, an integer or another decimal. Throws on anything that is not a number. */
export function dec(value: Decimal.Value): Decimal {
  return new Decimal(value);
}

export const ZERO = dec(0);

/** Rounds half-even to the 8 places that storage keeps. */
export function round8(value: Decimal): Decimal {
  return value.toDecimalPlaces(DECIMAL_PLACES, Decimal.ROUND_HALF_EVEN);
}

/** The plain text of a decimal as clients see it: no exponent, no trailing zeros ("48000.00000000" → "48000"). */
export function toWire(value: Decimal | string): string {
  const text = typeof value === 'string' ? value : value.toFixed();
  if (!text.includes('.')) return text === '-0' ? '0' : text;
  const trimmed = text.replace(/\.?0+$/, '');
  return trimmed === '-0' || trimmed === '' ? '0' : trimmed;
}

export function sum(values: readonly Decimal[]): Decimal {
  return values.reduce((total, value) => total.plus(value), ZERO);
}

/** Arithmetic mean; null of nothing. */
export function mean(values: readonly Decimal[]): Decimal | null {
  return values.length === 0 ? null : sum(values).div(values.length);
}

/** Sample standard deviation (divided by n − 1); null of fewer than two values. */
export function sampleDeviation(values: readonly Decimal[]): Decimal | null {
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
