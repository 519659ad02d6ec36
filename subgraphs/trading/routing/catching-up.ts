/**
 * Brings routed orders to where the exchange is: what it has executed and trading does not know is fetched and recorded,
 * oldest first, and then the order's state is taken over. It may be run at any time, for any orders, by many at once.
 */
import pLimit from 'p-limit';
import { command } from '../../../platform/command.ts';
import type { Database } from '../../../platform/database/database.ts';
import { sql } from '../../../platform/database/sql.ts';
import { type Decimal, dec } from '../../../platform/decimal.ts';
import { stored } from '../../../platform/enums.ts';
import { Refusal } from '../../../platform/errors.ts';
import type { GraphClient } from '../../../platform/graph-client.ts';
import type { Context, Tx } from '../context.ts';
import { bookFill, findRecorded, planFill } from '../fills.ts';
import { lockOrder, lockStrategyOfOrder } from '../locks.ts';
import { EXCHANGE_VENUE } from '../rules/order-execution.ts';
import { moveOrder, ORDER_TRANSITIONS, type OrderStatus } from '../rules/order-lifecycle.ts';
import {
  ORDERS_AT_ONCE,
  type OrderAtExchange,
  ordersAtExchange,
  type TradeAtExchange,
  tradesAtExchange,
} from './at-exchange.ts';
import { foreignness, type PulledExecution, putInQuarantine, reasonAgainst } from './quarantine.ts';
import { endRoute } from './routes.ts';

export interface CatchingUpParts {
  db: Database;
  graph: GraphClient;
  /** A context for commands that go on with the trace. */
  contextOf(traceId: string | null): Context;
  /** The router has something to do. */
  wake(): void;
}

interface KnownOrder {
  orderId: string;
  exchangeOrderId: string;
  status: OrderStatus;
  /** What is in the books or in quarantine of it. */
  knownQuantity: string;
  traceId: string | null;
  isEnded: boolean;
}

/** Orders whose executions are recorded at the same time; those of one come one after the other. */
const AT_ONCE = 4;

/**
 * Brings the routed orders among these to where the exchange is, by its ids of them; calls `caughtUp` with each id as soon
 * as it is there. Throws when some could not be brought there; the others have been.
 */
export async function catchUp(
  parts: CatchingUpParts,
  exchangeOrderIds: readonly string[],
  caughtUp: (exchangeOrderId: string) => void = () => undefined,
): Promise<void> {
  for (let from = 0; from < exchangeOrderIds.length; from += ORDERS_AT_ONCE) {
    const ids = exchangeOrderIds.slice(from, from + ORDERS_AT_ONCE);
    const known = await knownOrders(parts.db, ids);
    const behind = known.length === 0 ? [] : await ordersBehind(parts, known);
    const left = new Set(behind.map(({ order }) => order.exchangeOrderId));
    for (const id of ids) if (!left.has(id)) caughtUp(id);
    if (behind.length > 0) await catchUpWith(parts, behind, caughtUp);
  }
}

function knownOrders(db: Database, ids: readonly string[]): Promise<KnownOrder[]> {
  return db.query<KnownOrder>(
    sql`select order_id, exchange_order_id, status, trace_id, ended_at is not null as is_ended,
               filled_quantity + coalesce((select sum(quantity) from quarantined_fills as held
                 where held.order_id = orders.order_id and held.status <> 'accepted'), 0) as known_quantity
          from orders join order_routes using (order_id) where exchange_order_id = any(${ids}::text[])`,
  );
}

interface OrderBehind {
  order: KnownOrder;
  atExchange: OrderAtExchange;
}

async function ordersBehind({ db, graph }: CatchingUpParts, known: readonly KnownOrder[]): Promise<OrderBehind[]> {
  const there = await ordersAtExchange(
    graph,
    known.map(({ exchangeOrderId }) => exchangeOrderId),
  );
  await noteLost(
    db,
    known.filter(({ exchangeOrderId }) => !there.has(exchangeOrderId)).map(({ orderId }) => orderId),
  );
  return known.flatMap((order) => {
    const atExchange = there.get(order.exchangeOrderId);
    return atExchange && isBehind(order, atExchange) ? [{ order, atExchange }] : [];
  });
}

async function catchUpWith(
  parts: CatchingUpParts,
  behind: readonly OrderBehind[],
  caughtUp: (exchangeOrderId: string) => void,
): Promise<void> {
  const missing = await missingExecutions(
    parts,
    behind.filter(({ order, atExchange }) => !dec(order.knownQuantity).eq(atExchange.filledQuantity)),
  );
  const limit = pLimit(AT_ONCE);
  const outcomes = await Promise.allSettled(
    behind.map(({ order, atExchange }) =>
      limit(async () => {
        const context = parts.contextOf(order.traceId);
        for (const trade of missing.get(order.exchangeOrderId) ?? []) await record(context, order.orderId, trade);
        await perform(context, 'takeOverState', (tx) => takeOverState(tx, context, order.orderId, atExchange));
        if (isFinal(order.status)) parts.wake();
        caughtUp(order.exchangeOrderId);
      }),
    ),
  );
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

const FINAL: readonly string[] = ['FILLED', 'CANCELLED', 'REJECTED', 'EXPIRED'];

const isFinal = (status: OrderStatus) => ORDER_TRANSITIONS[status].length === 0;

function isBehind(order: KnownOrder, { status, filledQuantity }: OrderAtExchange): boolean {
  if (!dec(order.knownQuantity).eq(filledQuantity)) return true;
  if (FINAL.includes(status)) return !order.isEnded;
  const isGivenUp = order.isEnded || isFinal(order.status);
  return isGivenUp || (order.status === 'submitted' && status !== 'PENDING');
}

/** The executions of these orders that are neither in the books nor in quarantine, oldest first, by the exchange's order. */
async function missingExecutions(
  { db, graph }: CatchingUpParts,
  behind: readonly { order: KnownOrder }[],
): Promise<Map<string, TradeAtExchange[]>> {
  const missing = new Map<string, TradeAtExchange[]>();
  if (behind.length === 0) return missing;
  for await (const page of tradesAtExchange(
    graph,
    behind.map(({ order }) => order.exchangeOrderId),
  )) {
    const unknown = await unknownOf(db, page);
    for (const trade of unknown) {
      const { orderId } = trade.order;
      missing.set(orderId, [...(missing.get(orderId) ?? []), trade]);
    }
  }
  return missing;
}

async function unknownOf(db: Database, trades: readonly TradeAtExchange[]): Promise<TradeAtExchange[]> {
  const ids = trades.map(({ tradeId }) => tradeId);
  const rows = await db.query<{ exchangeTradeId: string }>(
    sql`select exchange_trade_id from trades
         where execution_venue = ${EXCHANGE_VENUE} and exchange_trade_id = any(${ids}::text[])
        union all
        select exchange_trade_id from quarantined_fills
         where execution_venue = ${EXCHANGE_VENUE} and exchange_trade_id = any(${ids}::text[])`,
  );
  const known = new Set(rows.map(({ exchangeTradeId }) => exchangeTradeId));
  return trades.filter(({ tradeId }) => !known.has(tradeId));
}

function executionOf(orderId: string, trade: TradeAtExchange): PulledExecution {
  return {
    orderId,
    exchangeOrderId: trade.order.orderId,
    exchangeTradeId: trade.tradeId,
    venue: EXCHANGE_VENUE,
    accountId: trade.account.accountId,
    instrumentId: trade.instrument.symbol,
    side: stored(trade.side),
    quantity: dec(trade.quantity),
    price: dec(trade.price),
    commission: dec(trade.fee),
    executedAt: trade.executedAt,
    liquidity: stored(trade.liquidity),
    notes: null,
  };
}

/** Brings one execution into the books, or into quarantine where the order cannot take it. */
function record(context: Context, orderId: string, trade: TradeAtExchange): Promise<void> {
  const execution = executionOf(orderId, trade);
  return perform(context, 'recordExecution', async (tx) => {
    const strategy = await lockStrategyOfOrder(tx, orderId);
    const order = await lockOrder(tx, orderId);
    if (await isQuarantined(tx, execution)) return;
    const foreign = foreignness(order, execution);
    if (foreign !== null) {
      await putInQuarantine(tx, context.traceId, order, execution, { reason: 'foreign', message: foreign });
      return;
    }
    try {
      if (await findRecorded(tx, execution)) return;
      const fill = await planFill(tx, { traceId: context.traceId, strategy, order, execution });
      await bookFill(tx, fill);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const reason = reasonAgainst(order, execution.quantity);
      context.log.warn({ orderId, exchangeTradeId: trade.tradeId, reason }, 'an execution is quarantined');
      await putInQuarantine(tx, context.traceId, order, execution, { reason, message: error.message });
    }
  });
}

async function isQuarantined(tx: Tx, { venue, exchangeTradeId }: PulledExecution): Promise<boolean> {
  const rows = await tx.$queryRaw<object[]>(
    sql`select 1 from quarantined_fills where execution_venue = ${venue} and exchange_trade_id = ${exchangeTradeId}`,
  );
  return rows.length > 0;
}

/** Takes over the exchange's state, once all that it has executed is known: a state that was read is followed by none earlier. */
async function takeOverState(
  tx: Tx,
  { traceId }: Context,
  orderId: string,
  atExchange: OrderAtExchange,
): Promise<void> {
  const order = await lockOrder(tx, orderId);
  const quarantined = await quarantinedQuantity(tx, orderId);
  if (order.filledQuantity.plus(quarantined).lt(atExchange.filledQuantity)) return;
  const hasEndedThere = FINAL.includes(atExchange.status);
  const hasEnded = isFinal(order.status);
  if (hasEnded && !hasEndedThere) {
    // Trading has given the order up, the exchange has not: it is asked to.
    await tx.$executeRaw(
      sql`update order_routes set due_at = coalesce(due_at, clock_timestamp()), ended_at = null where order_id = ${orderId}`,
    );
    return;
  }
  if (hasEndedThere) {
    if (!hasEnded) await end(tx, { orderId, traceId, status: order.status }, atExchange);
    await endRoute(tx, orderId);
  } else if (order.status === 'submitted' && atExchange.status !== 'PENDING') {
    await tx.$executeRaw(
      sql`update orders set status = ${moveOrder(order.status, 'accepted')}, trace_id = ${traceId} where order_id = ${orderId}`,
    );
  }
}

async function quarantinedQuantity(tx: Tx, orderId: string): Promise<Decimal> {
  const [held] = await tx.$queryRaw<{ quantity: Decimal | null }[]>(
    sql`select sum(quantity) as quantity from quarantined_fills where order_id = ${orderId} and status <> 'accepted'`,
  );
  return held?.quantity ?? dec(0);
}

async function end(
  tx: Tx,
  order: { orderId: string; traceId: string; status: OrderStatus },
  atExchange: OrderAtExchange,
): Promise<void> {
  const { to, reason } = endOf(order.status, atExchange);
  const status = moveOrder(order.status, to);
  await tx.$executeRaw(
    sql`update orders set status = ${status}, last_error = null, trace_id = ${order.traceId},
               cancelled_at = case when ${status} = 'cancelled' then clock_timestamp() end,
               error_message = coalesce(
                 (select cancel_reason from order_routes where order_id = ${order.orderId} and ${status} = 'cancelled'),
                 ${reason})
         where order_id = ${order.orderId}`,
  );
}

/** How an order that is not filled ends. */
function endOf(from: OrderStatus, { status, expiryReason, rejectReason }: OrderAtExchange) {
  if (status === 'CANCELLED') return { to: 'cancelled' as const, reason: null };
  if (status === 'EXPIRED') return { to: 'expired' as const, reason: expiryReason };
  if (status === 'REJECTED') {
    return { to: from === 'submitted' ? ('rejected' as const) : ('expired' as const), reason: rejectReason };
  }
  return { to: 'expired' as const, reason: 'The exchange executed it whole, but some of it is quarantined.' };
}

/** An order that the exchange does not know any more: somebody has taken it from there. It is looked for again and again. */
async function noteLost(db: Database, orderIds: readonly string[]): Promise<void> {
  if (orderIds.length === 0) return;
  const reason = 'The exchange does not know the order any more.';
  await db.query(
    sql`update orders set last_error = ${reason}
         where order_id = any(${orderIds}::text[]) and last_error is distinct from ${reason}`,
  );
}

/** One transaction, which nobody waits for the answer of. Throws when it could not be carried out. */
export async function perform(context: Context, operation: string, work: (tx: Tx) => Promise<void>): Promise<void> {
  const { errors } = await command<Context['prisma'], object>(context, operation, {}, async (tx) => {
    await work(tx);
    return {};
  });
  const [error] = errors;
  if (error) throw new Refusal(error);
}
