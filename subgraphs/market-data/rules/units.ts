/**
 * Prices and quantities of bars as whole hundred-millionths ("7424.91" is 742491000000n): exact like decimals, and fast
 * enough to compare and add the hundred thousand values of a bulk load.
 */
import { DECIMAL_PLACES } from '../../../platform/decimal.ts';

const PRODUCT_PLACES = 2 * DECIMAL_PLACES;

/** Units of a canonical decimal text, which has at most 8 places. */
export function unitsOf(text: string): bigint {
  return scaled(text, DECIMAL_PLACES);
}

/** A product of two values in units, from its decimal text, which has at most 16 places. */
export function productOf(text: string): bigint {
  return scaled(text, PRODUCT_PLACES);
}

function scaled(text: string, places: number): bigint {
  const point = text.indexOf('.');
  if (point < 0) return BigInt(text + '0'.repeat(places));
  const missing = places - (text.length - point - 1);
  if (missing < 0) throw new Error(`Expected at most ${places} fractional digits, but got ${text}.`);
  return BigInt(text.slice(0, point) + text.slice(point + 1) + '0'.repeat(missing));
}

/** The decimal text of a value in units, with all 8 places. */
export function unitsText(units: bigint): string {
  return unscaled(units, DECIMAL_PLACES);
}

/** The decimal text of a product of two values in units, with all 16 places. */
export function productText(product: bigint): string {
  return unscaled(product, PRODUCT_PLACES);
}

function unscaled(value: bigint, places: number): string {
  const digits = String(value < 0n ? -value : value).padStart(places + 1, '0');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

export function higher(a: bigint, b: bigint): bigint {
  if (a > b) return a;
  return b;
}

export function lower(a: bigint, b: bigint): bigint {
  if (a < b) return a;
  return b;
}

/** A product divided by a value above 0, in units, rounded half-even. */
export function divideHalfEven(product: bigint, divisor: bigint): bigint {
  const quotient = product / divisor;
  const twice = (product % divisor) * 2n;
  const isUp = twice > divisor || (twice === divisor && quotient % 2n === 1n);
  return isUp ? quotient + 1n : quotient;
}
