/** Bounds of the amounts a caller gives: numeric(20,8) holds twelve digits before the point. */
import { type Decimal, dec, toWire } from '../../../platform/decimal.ts';
import { refuse } from '../../../platform/errors.ts';

/** Quantities, prices and commissions stay below this. */
export const AMOUNT_LIMIT = dec('1000000000000'); // 10^12

/**
 * The amount as a decimal above zero and below 10^12.
 * @param text canonical decimal text with at most 8 fractional digits
 * @throws Refusal (validation) outside those bounds
 */
export function positiveAmount(text: string, path: readonly string[]): Decimal {
  const amount = dec(text);
  if (amount.lte(0)) throw refuse.validation(`${path.at(-1)} must be above zero, but got ${text}.`, path);
  return belowLimit(amount, path);
}

/**
 * The amount as a decimal from zero to below 10^12.
 * @throws Refusal (validation) outside those bounds
 */
export function amountFromZero(text: string, path: readonly string[]): Decimal {
  const amount = dec(text);
  if (amount.lt(0)) throw refuse.validation(`${path.at(-1)} must be zero or more, but got ${text}.`, path);
  return belowLimit(amount, path);
}

function belowLimit(amount: Decimal, path: readonly string[]): Decimal {
  if (amount.gte(AMOUNT_LIMIT)) {
    throw refuse.validation(`${path.at(-1)} must be below ${toWire(AMOUNT_LIMIT)}, but got ${toWire(amount)}.`, path);
  }
  return amount;
}
