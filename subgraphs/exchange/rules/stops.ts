/** When a STOP order is triggered: the exchange's last price has reached its stop price (domain.md §3.3). */
import type { Decimal } from '../../../platform/decimal.ts';
import type { OrderSide } from './order-entry.ts';

/** A buy waits for the price to rise to its stop, a sell for it to fall there. */
export function isTriggered(stop: { side: OrderSide; stopPrice: Decimal }, lastPrice: Decimal | null): boolean {
  if (lastPrice === null) return false;
  return stop.side === 'BUY' ? lastPrice.gte(stop.stopPrice) : lastPrice.lte(stop.stopPrice);
}
