/** How well orders were executed (domain.md §12.3). */
import { type Decimal, dec } from '../../../../platform/decimal.ts';
import type { Side } from '../../rules/order-entry.ts';

/** Mean price weighted by quantity: Σ price × quantity ÷ Σ quantity; null of nothing. */
export function volumeWeightedPrice(notional: Decimal, quantity: Decimal): Decimal | null {
  return quantity.isZero() ? null : notional.div(quantity);
}

const BASIS_POINTS = dec(10_000);

/**
 * How much worse than the reference the order was executed, in basis points of the reference: above zero is a cost, for
 * buys and sells alike.
 */
export function slippageBps(side: Side, averageFillPrice: Decimal, referencePrice: Decimal): Decimal {
  const worse = averageFillPrice.minus(referencePrice).times(side === 'buy' ? 1 : -1);
  return worse.div(referencePrice).times(BASIS_POINTS);
}
