/** Figures derived from a quote or from two prices (domain.md §12.3). Results are rounded half-even to 8 places. */
import { type Decimal, dec, round8 } from '../../../platform/decimal.ts';

const BASIS_POINTS = 10_000;

/** ask − bid, in units of the quote asset; null unless both are known. */
export function spreadOf(bid: Decimal.Value | null, ask: Decimal.Value | null): Decimal | null {
  return bid === null || ask === null ? null : dec(ask).minus(bid);
}

/** The middle of bid and ask; null unless both are known. */
export function midOf(bid: Decimal.Value | null, ask: Decimal.Value | null): Decimal | null {
  return bid === null || ask === null ? null : round8(dec(bid).plus(ask).dividedBy(2));
}

/** Spread in hundredths of a percent of the middle; null unless bid and ask are known. */
export function spreadBpsOf(bid: Decimal.Value | null, ask: Decimal.Value | null): Decimal | null {
  if (bid === null || ask === null) return null;
  const middle = dec(bid).plus(ask).dividedBy(2);
  return round8(dec(ask).minus(bid).dividedBy(middle).times(BASIS_POINTS));
}

/** A price change of 24 hours: in units of the quote asset, and in percent of the price before it. */
export interface Change24h {
  change: Decimal;
  percent: Decimal;
}

/** The change from the price 24 hours before; null when that is not known. */
export function change24h(last: Decimal.Value, before: Decimal.Value | null): Change24h | null {
  if (before === null) return null;
  const change = dec(last).minus(before);
  return { change, percent: round8(change.dividedBy(before).times(100)) };
}
