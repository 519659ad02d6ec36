/** What an order must satisfy before it is placed. */
import { type Decimal, dec, toWire } from '../../../platform/decimal.ts';
import { refuse } from '../../../platform/errors.ts';

export type Side = 'buy' | 'sell';
export type OrderType = 'market' | 'limit' | 'stop' | 'stop_limit' | 'trailing_stop';
export type TimeInForce = 'gtc' | 'ioc' | 'fok' | 'day';

/** Which prices an order of each type has. */
export const ORDER_PRICES: Record<OrderType, { price: boolean; stopPrice: boolean }> = {
  market: { price: false, stopPrice: false },
  limit: { price: true, stopPrice: false },
  stop: { price: false, stopPrice: true },
  stop_limit: { price: true, stopPrice: true },
  trailing_stop: { price: false, stopPrice: true },
};

/**
 * Passes when the order has exactly the prices of its type.
 * @throws Refusal (validation) when one is missing or one too many
 */
export function checkPrices(type: OrderType, given: { price: Decimal | null; stopPrice: Decimal | null }): void {
  const wanted = ORDER_PRICES[type];
  for (const field of ['price', 'stopPrice'] as const) {
    if (wanted[field] === (given[field] !== null)) continue;
    const rule = wanted[field] ? 'needs' : 'takes no';
    throw refuse.validation(`A ${type.toUpperCase()} order ${rule} ${field}.`, ['input', field]);
  }
}

/**
 * Passes when the position stays within the strategy's limit even if every open order of the same side is filled and
 * none of the other side is. An order that brings a position nearer to zero therefore always passes on its own.
 * @param position signed quantity held now
 * @param openOnSide sum of what the active orders of the same side and instrument have still to fill
 * @param limit largest size of a position either way; null when there is none
 * @throws Refusal (validation) when the limit would be passed
 */
export function checkPositionLimit(order: {
  side: Side;
  quantity: Decimal;
  position: Decimal;
  openOnSide: Decimal;
  limit: Decimal | null;
}): void {
  if (order.limit === null) return;
  const direction = order.side === 'buy' ? dec(1) : dec(-1);
  const reached = order.position.times(direction).plus(order.openOnSide).plus(order.quantity);
  if (reached.lte(order.limit)) return;
  throw refuse.validation(
    `The position could reach ${toWire(reached.times(direction))} with this order and those that are open, ` +
      `but the strategy's maxPositionSize is ${toWire(order.limit)}.`,
    ['input', 'quantity'],
  );
}

/**
 * Whether the order can only bring the position nearer to zero, even if every open order of its side is filled before it.
 * @param position signed quantity held now
 * @param openOnSide sum of what the active orders of the same side and instrument have still to fill
 */
export function onlyReduces(order: { side: Side; quantity: Decimal; position: Decimal; openOnSide: Decimal }): boolean {
  const held = order.position.times(order.side === 'buy' ? -1 : 1);
  return order.openOnSide.plus(order.quantity).lte(held);
}

/**
 * Passes while the strategy has lost less today than it may. What only reduces a position is not asked.
 * @param today what the strategy's executions of the UTC day have realised
 * @param limit largest loss; null when there is none
 * @throws Refusal (limit breached) otherwise
 */
export function checkDailyLoss(today: Decimal, limit: Decimal | null): void {
  if (limit === null || !today.isNegative() || today.negated().lt(limit)) return;
  throw refuse.limitBreached(
    null,
    `The strategy has lost ${toWire(today.negated())} today, and its maxDailyLoss is ${toWire(limit)}: until the next UTC ` +
      'day it may only reduce positions.',
  );
}
