/** A quote whose bid and ask lie further apart about the same middle. */
import { Decimal, dec } from '../../../platform/decimal.ts';

/** A bid stays above nothing: half the spread is at most this share of the middle. */
const MOST = dec('0.99');
const PLACES = 8;

/** Bid and ask with their distance multiplied: the bid rounded down, the ask up, to 8 places. */
export function wideQuote(bid: Decimal, ask: Decimal, multiplier: string): { bid: Decimal; ask: Decimal } {
  const middle = bid.plus(ask).dividedBy(2);
  const wanted = ask.minus(bid).dividedBy(2).times(multiplier);
  const half = Decimal.min(wanted, middle.times(MOST));
  const low = middle.minus(half).toDecimalPlaces(PLACES, Decimal.ROUND_DOWN);
  return {
    bid: low.greaterThan(0) ? low : bid,
    ask: middle.plus(half).toDecimalPlaces(PLACES, Decimal.ROUND_UP),
  };
}
