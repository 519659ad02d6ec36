/** Cancelling orders, whoever carries them out, in the transaction of the command that does. */
import { sql } from '../../../platform/database/sql.ts';
import type { Tx } from '../context.ts';

interface Cancellation {
  traceId: string;
  reason: string | null;
}

/**
 * Cancels active orders, whose rows are locked. Those of which the exchange may know by now stay as they are: the router
 * is told to ask it. Whoever locks an order's route holds the order's row first, but for claims, which wait for nothing.
 */
export async function cancelLocked(tx: Tx, orderIds: readonly string[], of: Cancellation): Promise<void> {
  const routes = await tx.$queryRaw<{ orderId: string; isSent: boolean }[]>(
    sql`select order_id as "orderId", sent_at is not null as "isSent" from order_routes
         where order_id = any(${orderIds}::text[]) order by order_id for update`,
  );
  const asked = new Set(routes.filter(({ isSent }) => isSent).map(({ orderId }) => orderId));
  await cancelHere(
    tx,
    orderIds.filter((id) => !asked.has(id)),
    of,
  );
  if (asked.size > 0) await askExchange(tx, [...asked], of);
}

/** The transaction may have begun before the order was placed; the cancellation comes after. */
async function cancelHere(tx: Tx, ids: readonly string[], { traceId, reason }: Cancellation): Promise<void> {
  await tx.$executeRaw(
    sql`update orders set status = 'cancelled', cancelled_at = clock_timestamp(), trace_id = ${traceId},
               last_error = null, error_message = coalesce(${reason}, error_message)
         where order_id = any(${ids}::text[])`,
  );
  await tx.$executeRaw(
    sql`update order_routes set due_at = null, ended_at = clock_timestamp() where order_id = any(${ids}::text[])`,
  );
}

/** An order for which it was asked already is asked for again, with the reason that was given first. */
async function askExchange(tx: Tx, ids: readonly string[], { traceId, reason }: Cancellation): Promise<void> {
  await tx.$executeRaw(
    sql`update orders set cancel_requested_at = clock_timestamp(), last_error = null, trace_id = ${traceId}
         where order_id = any(${ids}::text[]) and cancel_requested_at is null`,
  );
  await tx.$executeRaw(
    sql`update order_routes set due_at = clock_timestamp(), attempts = 0, cancel_reason = coalesce(cancel_reason, ${reason})
         where order_id = any(${ids}::text[])`,
  );
}
