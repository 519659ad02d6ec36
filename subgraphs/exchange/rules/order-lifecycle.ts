/** The states of an exchange order (domain.md §3.3), as they are stored. */
import { refuse } from '../../../platform/errors.ts';

export type OrderStatus = 'PENDING' | 'OPEN' | 'PARTIAL' | 'FILLED' | 'CANCELLED' | 'REJECTED' | 'EXPIRED';

/** Where an order can go from each state; the empty ones are final. */
export const ORDER_TRANSITIONS: Record<OrderStatus, readonly OrderStatus[]> = {
  PENDING: ['OPEN', 'REJECTED', 'PARTIAL', 'FILLED', 'CANCELLED', 'EXPIRED'],
  OPEN: ['PARTIAL', 'FILLED', 'CANCELLED', 'EXPIRED'],
  PARTIAL: ['PARTIAL', 'FILLED', 'CANCELLED', 'EXPIRED'],
  FILLED: [],
  CANCELLED: [],
  REJECTED: [],
  EXPIRED: [],
};

/** The states in which an order may still be executed or cancelled. */
export const LIVE_ORDER_STATUSES = (Object.keys(ORDER_TRANSITIONS) as OrderStatus[]).filter(
  (status) => ORDER_TRANSITIONS[status].length > 0,
);

/** A state as the graph names it: what is stored as PARTIAL is PARTIALLY_FILLED there. */
export type ShownOrderStatus = Exclude<OrderStatus, 'PARTIAL'> | 'PARTIALLY_FILLED';

/** The graph's name of a stored state. */
export function shownOrderStatus(status: OrderStatus): ShownOrderStatus {
  return status === 'PARTIAL' ? 'PARTIALLY_FILLED' : status;
}

/** The stored form of a state that the graph names. */
export function storedOrderStatus(status: ShownOrderStatus): OrderStatus {
  return status === 'PARTIALLY_FILLED' ? 'PARTIAL' : status;
}

/**
 * `to`, when an order can go there.
 * @throws Refusal (invalid transition) when it cannot
 */
export function moveOrder(from: OrderStatus, to: OrderStatus): OrderStatus {
  const allowed = ORDER_TRANSITIONS[from];
  if (!allowed.includes(to)) {
    const path = ['input', 'orderId'];
    throw refuse.invalidTransition(shownOrderStatus(from), shownOrderStatus(to), allowed.map(shownOrderStatus), path);
  }
  return to;
}
