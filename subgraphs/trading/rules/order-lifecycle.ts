/** The states of a trading order (domain.md §6.4). */
import { refuse } from '../../../platform/errors.ts';

export type OrderStatus =
  | 'pending'
  | 'submitted'
  | 'accepted'
  | 'partially_filled'
  | 'filled'
  | 'cancelled'
  | 'rejected'
  | 'expired';

/** Where an order can go from each state; the empty ones are final. */
export const ORDER_TRANSITIONS: Record<OrderStatus, readonly OrderStatus[]> = {
  pending: ['submitted', 'cancelled', 'rejected'],
  submitted: ['accepted', 'partially_filled', 'filled', 'rejected', 'cancelled', 'expired'],
  accepted: ['partially_filled', 'filled', 'cancelled', 'expired'],
  partially_filled: ['partially_filled', 'filled', 'cancelled', 'expired'],
  filled: [],
  cancelled: [],
  rejected: [],
  expired: [],
};

/** The states in which an order may still be executed. */
export const ACTIVE_ORDER_STATUSES = (Object.keys(ORDER_TRANSITIONS) as OrderStatus[]).filter(
  (status) => ORDER_TRANSITIONS[status].length > 0,
);

/**
 * `to`, when an order can go there.
 * @throws Refusal (invalid transition) when it cannot
 */
export function moveOrder(from: OrderStatus, to: OrderStatus): OrderStatus {
  const allowed = ORDER_TRANSITIONS[from];
  if (!allowed.includes(to)) {
    const names = allowed.map((status) => status.toUpperCase());
    throw refuse.invalidTransition(from.toUpperCase(), to.toUpperCase(), names, ['input', 'orderId']);
  }
  return to;
}
