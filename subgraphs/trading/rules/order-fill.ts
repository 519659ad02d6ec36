/** How an execution fills an order. */
import { type Decimal, round8, toWire } from '../../../platform/decimal.ts';
import { refuse } from '../../../platform/errors.ts';
import { moveOrder, ORDER_TRANSITIONS, type OrderStatus } from './order-lifecycle.ts';

/** An order as far as filling goes. */
export interface FillState {
  status: OrderStatus;
  quantity: Decimal;
  /** Sum of its trades' quantities. */
  filledQuantity: Decimal;
  /** Exact sum of its trades' quantity × price, up to 16 fractional digits. */
  filledNotional: Decimal;
}

export type FilledState = FillState & { averageFillPrice: Decimal };

/**
 * The order after one more execution: cumulative quantity, quantity-weighted average (rounded once, from the exact
 * sum, so that it does not depend on the order of the executions) and status.
 * @throws Refusal (invalid transition) when the order is pending or has ended; (validation) above its quantity
 */
export function applyFill(order: FillState, execution: Amounts): FilledState {
  return fill(order, execution, (isComplete) => moveOrder(order.status, isComplete ? 'filled' : 'partially_filled'));
}

/**
 * The order after an execution of which nobody had known when it ended: it has still ended, but is FILLED when that
 * completes it, and CANCELLED when it was thought to be rejected. One that has not ended is filled as any other.
 * @throws Refusal (invalid transition) when the order is pending; (validation) above its quantity
 */
export function applyLateFill(order: FillState, execution: Amounts): FilledState {
  const { status } = order;
  if (status === 'filled' || ORDER_TRANSITIONS[status].length > 0) return applyFill(order, execution);
  return fill(order, execution, (isComplete) => {
    if (isComplete) return 'filled';
    return status === 'rejected' ? 'cancelled' : status;
  });
}

interface Amounts {
  quantity: Decimal;
  price: Decimal;
}

function fill(order: FillState, execution: Amounts, statusAfter: (isComplete: boolean) => OrderStatus): FilledState {
  const filledQuantity = order.filledQuantity.plus(execution.quantity);
  const filledNotional = order.filledNotional.plus(execution.quantity.times(execution.price));
  const status = statusAfter(filledQuantity.gte(order.quantity));
  if (filledQuantity.gt(order.quantity)) {
    throw refuse.validation(
      `quantity must be at most what is left of the order, ${toWire(order.quantity.minus(order.filledQuantity))}, ` +
        `but got ${toWire(execution.quantity)}.`,
      ['input', 'quantity'],
    );
  }
  return {
    status,
    quantity: order.quantity,
    filledQuantity,
    filledNotional,
    averageFillPrice: round8(filledNotional.div(filledQuantity)),
  };
}
