/** Amounts: what a caller may give, what an execution is worth, and the fee on it (domain.md §3.5). */
import { type Decimal, dec, round8, toWire } from '../../../platform/decimal.ts';
import { refuse } from '../../../platform/errors.ts';

export const ZERO = dec(0);

/** Amounts of one order or posting stay below this: numeric(24,8) holds sixteen digits before the point. */
export const AMOUNT_LIMIT = dec('10000000000000000'); // 10^16

export function smaller(a: Decimal, b: Decimal): Decimal {
  return a.lt(b) ? a : b;
}

export function larger(a: Decimal, b: Decimal): Decimal {
  return a.gt(b) ? a : b;
}

/**
 * The amount as a decimal above zero.
 * @param text canonical decimal text with at most 8 fractional and 16 other digits, as the Decimal scalar leaves it
 * @throws Refusal (validation) when it is zero or negative
 */
export function positiveAmount(text: string, path: readonly string[]): Decimal {
  const amount = dec(text);
  if (amount.lte(0)) throw refuse.validation(`${path.at(-1)} must be above zero, but got ${toWire(text)}.`, path);
  return amount;
}

/**
 * The amount as a decimal, zero or more.
 * @throws Refusal (validation) when it is negative
 */
export function amountOf(text: string, path: readonly string[]): Decimal {
  const amount = dec(text);
  if (amount.isNegative())
    throw refuse.validation(`${path.at(-1)} must not be negative, but got ${toWire(text)}.`, path);
  return amount;
}

/** Fee on an execution in units of the quote asset: quantity × price × rate, rounded half-even to 8 places. */
export function feeOn(value: Decimal, rate: Decimal): Decimal {
  return round8(value.times(rate));
}

/** Quantity-weighted mean price of executions, or null when there are none. `notional` is their exact Σ quantity × price. */
export function averagePrice(notional: Decimal, filledQuantity: Decimal): Decimal | null {
  return filledQuantity.isZero() ? null : round8(notional.div(filledQuantity));
}
