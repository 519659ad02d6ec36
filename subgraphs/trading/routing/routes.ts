/**
 * What is to be done for routed orders. A process claims what is due for as long as it may take; when it dies, another one
 * takes it up. Two may come to work at the same order; nothing that they do is done twice: the exchange knows an order by
 * the id that trading gave it, and takes it only until an instant that was stored before it was sent.
 */
import type { Database } from '../../../platform/database/database.ts';
import { type Sql, sql } from '../../../platform/database/sql.ts';
import type { Tx } from '../context.ts';
import { type LockedOrder, lockOrder } from '../locks.ts';
import type { OrderType, TimeInForce } from '../rules/order-entry.ts';
import { isForNow } from '../rules/order-execution.ts';
import { moveOrder, ORDER_TRANSITIONS } from '../rules/order-lifecycle.ts';
import { settings } from '../settings.ts';
import type { OrderAtExchange, OrderToSend } from './at-exchange.ts';

/** An order that the router has claimed. */
export interface ClaimedOrder extends OrderToSend {
  exchangeOrderId: string | null;
  cancelRequestedAt: string | null;
  /** Which claim this is: what another one has changed since is not to be undone. */
  attempts: number;
  /** Until when an earlier attempt to send it may still be taken; null when there can be none. RFC 3339. */
  doubtUntil: string | null;
  /** Whether it is not to be sent any more. */
  isOverdue: boolean;
}

/** For so long a claim holds: until the exchange would take no order of it any more. */
const LEASE_MS = 6_000; // 6 seconds

/** For so long the exchange may take an order from when it was claimed: what gets there later is refused and sent again. */
const SEND_WINDOW_MS = 5_000; // 5 seconds

/** The clocks of trading's database and of the exchange's, where those are two, are this close. */
const CLOCK_SKEW_MS = 1_000; // 1 second

/** Pauses before another attempt: doubled each time, with some chance. */
const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 15_000; // 15 seconds

const inMs = (ms: number): Sql => sql`${ms}::double precision * interval '1 millisecond'`;

/** The statement after which the router is to send the order. */
export function openRoute(order: { orderId: string; orderType: OrderType; timeInForce: TimeInForce }): Sql {
  const sendBefore = isForNow(order) ? sql`clock_timestamp() + ${inMs(settings.sendWithinMs)}` : sql`null`;
  return sql`insert into order_routes (order_id, due_at, send_before)
             values (${order.orderId}, clock_timestamp(), ${sendBefore})`;
}

/** Claims up to so many orders for which something is due. Those that another process is about to claim are left to it. */
export function claimRoutes(db: Database, limit: number): Promise<ClaimedOrder[]> {
  return db.query<ClaimedOrder>(
    sql`with due as (
          select order_id, send_until from order_routes
           where due_at <= clock_timestamp() order by due_at limit ${limit} for update skip locked),
        claimed as (
          update order_routes as route
             set due_at = clock_timestamp() + ${inMs(LEASE_MS)}, attempts = route.attempts + 1,
                 sent_at = coalesce(route.sent_at, clock_timestamp()),
                 send_until = case
                   when orders.exchange_order_id is null and orders.cancel_requested_at is null
                     then greatest(due.send_until, least(route.send_before, clock_timestamp() + ${inMs(SEND_WINDOW_MS)}))
                   else coalesce(due.send_until, clock_timestamp())
                 end
            from due join orders using (order_id) where route.order_id = due.order_id
          returning route.*, case when due.send_until + ${inMs(CLOCK_SKEW_MS)} > clock_timestamp()
                         then due.send_until + ${inMs(CLOCK_SKEW_MS)} end as doubt_until)
        select order_id, account_id, instrument_id, side, order_type, time_in_force, quantity, price, stop_price, trace_id,
               exchange_order_id, cancel_requested_at, attempts, doubt_until,
               -- An order that is to be cancelled is only looked for.
               case when cancel_requested_at is null then send_until else sent_at end as not_after,
               coalesce(send_before <= clock_timestamp(), false) as is_overdue
          from claimed join orders using (order_id)`,
  );
}

/** In how many milliseconds something will be due; null while nothing is. */
export async function nextDueInMs(db: Database): Promise<number | null> {
  const row = await db.one<{ ms: number | null }>(
    sql`select extract(epoch from min(due_at) - clock_timestamp())::double precision * 1000 as ms
          from order_routes where due_at is not null`,
  );
  return row?.ms ?? null;
}

/** Another attempt later, unless the order has been brought on meanwhile. */
export async function postpone(db: Database, { orderId, attempts }: ClaimedOrder, reason: string): Promise<void> {
  const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** attempts, LONGEST_PAUSE_MS) * (0.5 + Math.random());
  const postponed = sql`update order_routes set due_at = clock_timestamp() + ${inMs(pauseMs)}
                         where order_id = ${orderId} and attempts = ${attempts} and due_at is not null`;
  await db.query(
    sql`with postponed as (${postponed} returning order_id)
        update orders set last_error = ${reason} from postponed
         where orders.order_id = postponed.order_id and last_error is distinct from ${reason}`,
  );
}

/** Another attempt once no earlier one can be under way. This one was answered, so that it leaves no doubt itself. */
export async function postponeUntilCertain(
  db: Database,
  { orderId, attempts, doubtUntil }: ClaimedOrder,
): Promise<void> {
  await db.query(
    sql`update order_routes set due_at = ${doubtUntil}::timestamptz,
               send_until = ${doubtUntil}::timestamptz - ${inMs(CLOCK_SKEW_MS)}
         where order_id = ${orderId} and attempts = ${attempts} and due_at is not null`,
  );
}

interface Of {
  orderId: string;
  traceId: string;
}

/** The exchange has the order: it is submitted, and accepted unless it is a stop that waits. */
export async function recordPlaced(tx: Tx, { orderId, traceId }: Of, placed: OrderAtExchange): Promise<void> {
  const order = await lockOrder(tx, orderId);
  if (order.exchangeOrderId !== null) return; // another process was faster
  const status = order.status === 'pending' ? statusWhenPlaced(placed) : order.status;
  await tx.$executeRaw(
    sql`update orders set status = ${status}, exchange_order_id = ${placed.orderId}, last_error = null,
               submitted_at = coalesce(submitted_at, clock_timestamp()), trace_id = ${traceId}
         where order_id = ${orderId}`,
  );
  await tx.$executeRaw(
    sql`update order_routes set attempts = 0, due_at = case when ${isUnwanted(order)} then clock_timestamp() end
         where order_id = ${orderId}`,
  );
}

function statusWhenPlaced({ status }: OrderAtExchange) {
  const submitted = moveOrder('pending', 'submitted');
  return status === 'PENDING' || status === 'REJECTED' ? submitted : moveOrder(submitted, 'accepted');
}

/** Whether nobody wants the order at the exchange any more. */
function isUnwanted({ status, cancelRequestedAt }: LockedOrder): boolean {
  return cancelRequestedAt !== null || ORDER_TRANSITIONS[status].length === 0;
}

/** The exchange does not have the order and will not get it. */
export async function recordUnplaced(tx: Tx, { orderId, traceId }: Of, reason: string): Promise<void> {
  const order = await lockOrder(tx, orderId);
  if (order.exchangeOrderId !== null) return;
  if (order.status === 'pending') {
    const isCancelled = order.cancelRequestedAt !== null;
    const status = moveOrder(order.status, isCancelled ? 'cancelled' : 'rejected');
    await tx.$executeRaw(
      sql`update orders set status = ${status}, last_error = null, trace_id = ${traceId},
                 cancelled_at = case when ${isCancelled} then clock_timestamp() end,
                 error_message = case when ${isCancelled}
                   then (select cancel_reason from order_routes where order_id = ${orderId}) else ${reason} end
           where order_id = ${orderId}`,
    );
  }
  await endRoute(tx, orderId);
}

/** Nothing is left to be done. */
export async function endRoute(tx: Tx, orderId: string): Promise<void> {
  await tx.$executeRaw(
    sql`update order_routes set due_at = null, attempts = 0, ended_at = coalesce(ended_at, clock_timestamp())
         where order_id = ${orderId}`,
  );
}

/** Forgets the routes of orders that ended longer ago: nobody looks at those orders any more. */
export async function forgetRoutes(db: Database, memory: string): Promise<void> {
  await db.query(sql`delete from order_routes where ended_at < clock_timestamp() - ${memory}::interval`);
}
