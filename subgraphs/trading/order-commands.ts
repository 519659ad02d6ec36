/** Moving orders between their states, as those say who carry them out. Fills are in fills.ts. */
import { command } from '../../platform/command.ts';
import { isUniqueViolation } from '../../platform/database/database-error.ts';
import { join, type Sql, sql } from '../../platform/database/sql.ts';
import { refuse } from '../../platform/errors.ts';
import { boundedText } from '../../platform/texts.ts';
import type { Context, Tx } from './context.ts';
import { type LockedOrder, lockOrder } from './locks.ts';
import type { OrderPayload } from './placing.ts';
import { cancelLocked } from './routing/cancelling.ts';
import { checkManual } from './rules/order-execution.ts';
import { moveOrder, type OrderStatus } from './rules/order-lifecycle.ts';
import { checkVenue } from './rules/strategy-settings.ts';
import { NAME_LENGTH, NOTE_LENGTH } from './rules/texts.ts';
import { venueId } from './rules/venue-ids.ts';

type Optional = string | null | undefined;

interface OrderInput {
  orderId: string;
  idempotencyKey?: string | null | undefined;
}

/** Pending → submitted. The venue is the one the order was meant for, or any of the strategy's. */
export function submitOrder(
  context: Context,
  input: OrderInput & { venue?: Optional; exchangeOrderId?: Optional },
): Promise<OrderPayload> {
  return moveTo(context, 'submitOrder', input, 'submitted', async (order, tx) => {
    const executionVenue = await submissionVenue(tx, order, input.venue);
    return [
      sql`submitted_at = now()`,
      sql`execution_venue = ${executionVenue}`,
      ...exchangeOrderId(order, input.exchangeOrderId),
    ];
  });
}

/** Submitted → accepted. */
export function acceptOrder(
  context: Context,
  input: OrderInput & { exchangeOrderId?: Optional },
): Promise<OrderPayload> {
  return moveTo(context, 'acceptOrder', input, 'accepted', (order) => exchangeOrderId(order, input.exchangeOrderId));
}

/** Pending or submitted → rejected. */
export function rejectOrder(context: Context, input: OrderInput & { reason: string }): Promise<OrderPayload> {
  return moveTo(context, 'rejectOrder', input, 'rejected', () => reasonGiven(input.reason));
}

/** Submitted, accepted or partially filled → expired. */
export function expireOrder(context: Context, input: OrderInput & { reason?: Optional }): Promise<OrderPayload> {
  return moveTo(context, 'expireOrder', input, 'expired', () => reasonGiven(input.reason));
}

/**
 * Any active state → cancelled. Of a routed order that was sent the exchange is asked; the answer waits a little for what
 * comes of it.
 */
export async function cancelOrder(context: Context, input: OrderInput & { reason?: Optional }): Promise<OrderPayload> {
  const { router } = context.service;
  const settling = router.settlingOf(input.orderId);
  try {
    const payload = await command(context, 'cancelOrder', input, async (tx) => {
      const reason = reasonText(input.reason);
      const order = await lockOrder(tx, input.orderId);
      const isAsked = order.cancelRequestedAt !== null;
      moveOrder(order.status, 'cancelled');
      if (!isAsked) await cancelLocked(tx, [order.orderId], { traceId: context.traceId, reason });
      return { orderId: order.orderId };
    });
    router.wake();
    if (payload.errors.length === 0) await settling.wait();
    return payload;
  } finally {
    settling.leave();
  }
}

/** Assignments of the update, besides the status. */
type Changes = readonly Sql[];

/** One step of an order's life under its row lock. */
function moveTo(
  context: Context,
  operation: string,
  input: OrderInput,
  to: OrderStatus,
  changes: (order: LockedOrder, tx: Tx) => Changes | Promise<Changes>,
): Promise<OrderPayload> {
  return command(context, operation, input, async (tx) => {
    const order = await lockOrder(tx, input.orderId);
    checkManual(order);
    const status = moveOrder(order.status, to);
    const assignments = [sql`status = ${status}`, sql`trace_id = ${context.traceId}`, ...(await changes(order, tx))];
    try {
      await tx.$executeRaw(sql`update orders set ${join(assignments)} where order_id = ${order.orderId}`);
    } catch (error) {
      if (!isUniqueViolation(error)) throw error;
      throw refuse.conflict(null, 'Another order has that exchangeOrderId at that venue.', [
        'input',
        'exchangeOrderId',
      ]);
    }
    return { orderId: order.orderId };
  });
}

async function submissionVenue(tx: Tx, order: LockedOrder, given: Optional): Promise<string> {
  const path = ['input', 'venue'];
  const venue = given === null || given === undefined ? order.executionVenue : boundedText(given, NAME_LENGTH, path);
  if (venue === null) throw refuse.validation('venue must be given, since the order names none.', path);
  if (order.executionVenue !== null && venue !== order.executionVenue) {
    throw refuse.validation(`The order is meant for ${order.executionVenue}, but venue is "${venue}".`, path);
  }
  const strategy = await tx.strategy.findUniqueOrThrow({ where: { strategyId: order.strategyId } });
  checkVenue(venue, strategy.venueIds);
  return venue;
}

/** The venue's id of the order, given once: a repeat must be the same. */
function exchangeOrderId(order: LockedOrder, given: Optional): Changes {
  if (given === null || given === undefined) return [];
  const path = ['input', 'exchangeOrderId'];
  const id = venueId(given, path);
  if (order.exchangeOrderId !== null && order.exchangeOrderId !== id) {
    throw refuse.validation(`The venue knows the order as "${order.exchangeOrderId}" already.`, path);
  }
  return [sql`exchange_order_id = ${id}`];
}

function reasonGiven(given: Optional): Changes {
  const reason = reasonText(given);
  return reason === null ? [] : [sql`error_message = ${reason}`];
}

function reasonText(reason: Optional): string | null {
  return reason === null || reason === undefined ? null : boundedText(reason, NOTE_LENGTH, ['input', 'reason']);
}
