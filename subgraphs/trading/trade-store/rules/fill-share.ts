/** How an execution is shared among the managed trades of its strategy and instrument. */
import { Decimal, dec, round8 } from '../../../../platform/decimal.ts';
import type { ManagedTrade } from './managed-trade.ts';

/** An execution as far as sharing goes. */
export interface SharedFill {
  /** Signed: a buy is positive, a sell negative. */
  change: Decimal;
  commission: Decimal;
}

export interface Share {
  quantity: Decimal;
  /** The part of the commission that goes with the quantity. */
  fee: Decimal;
}

export interface FillShares {
  /** What each open trade gives up, oldest first. */
  exits: (Share & { trade: ManagedTrade })[];
  /** What opens, or adds to, the trade of the execution's own order; null when all of it closes. */
  entry: Share | null;
}

/**
 * A fill against the position closes open trades, oldest first; what goes beyond the position opens one the other way.
 * What of the position belongs to no open trade (it was there before, or its trade was ended by hand) goes first. So
 * what is open never exceeds the position, and is all of it when nothing was done by hand.
 * @param held signed quantity of the position before the fill
 * @param open trades of the strategy and instrument that fills have opened, oldest first
 */
export function shareFill(
  held: Decimal,
  open: readonly ManagedTrade[],
  { change, commission }: SharedFill,
): FillShares {
  const whole = change.abs();
  const isAgainst = !held.isZero() && held.isPositive() !== change.isPositive();
  const closing = isAgainst ? Decimal.min(whole, held.abs()) : dec(0);
  const entering = whole.minus(closing);
  const managed = open.reduce((sum, { quantity }) => sum.plus(quantity), dec(0));
  const unmanaged = Decimal.min(closing, Decimal.max(0, held.abs().minus(managed)));

  let left = closing.minus(unmanaged);
  const parts: { trade: ManagedTrade; quantity: Decimal }[] = [];
  for (const trade of open) {
    const quantity = Decimal.min(left, trade.quantity);
    if (quantity.lte(0)) break;
    parts.push({ trade, quantity });
    left = left.minus(quantity);
  }

  const feeOf = splitter(whole, commission, unmanaged);
  return {
    exits: parts.map((part) => ({ ...part, fee: feeOf(part.quantity) })),
    entry: entering.isZero() ? null : { quantity: entering, fee: feeOf(entering) },
  };
}

/** Gives each part its share of the commission, by what of it the parts so far should have had: nothing is lost to rounding. */
function splitter(whole: Decimal, commission: Decimal, before: Decimal): (quantity: Decimal) => Decimal {
  let reached = before;
  const upTo = (quantity: Decimal) => round8(commission.times(quantity).div(whole));
  return (quantity) => {
    const from = upTo(reached);
    reached = reached.plus(quantity);
    return upTo(reached).minus(from);
  };
}
