/** Cancelling an order: it leaves the book, and what it still reserves goes back to its account. */
import { command } from '../../platform/command.ts';
import { sql } from '../../platform/database/sql.ts';
import { refuse } from '../../platform/errors.ts';
import { isUuid } from '../../platform/uuid.ts';
import type { Context, Tx } from './context.ts';
import type { CancelExchangeOrderInput } from './generated/resolvers.ts';
import { lockBook, lockOrder } from './locks.ts';
import { lockPurses } from './market-lock.ts';
import { marketOf } from './order-intake.ts';
import type { OrderPayload } from './placing.ts';
import { moveOrder } from './rules/order-lifecycle.ts';
import { release } from './rules/settlement.ts';
import { ended } from './stop-orders.ts';
import { write } from './writes.ts';

/** Cancels the order. The book's lock decides between a cancellation and a fill. */
export function cancelExchangeOrder(context: Context, input: CancelExchangeOrderInput): Promise<OrderPayload> {
  return command(context, 'cancelExchangeOrder', input, (tx) => cancel(tx, context, input.orderId));
}

async function cancel(tx: Tx, { traceId }: Context, orderId: string): Promise<{ orderId: string }> {
  const known = isUuid(orderId) ? await tx.order.findUnique({ where: { orderId }, select: { symbol: true } }) : null;
  if (!known) throw refuse.notFound('ExchangeOrder', orderId, ['input', 'orderId']);
  const market = marketOf(known.symbol);
  const book = await lockBook(tx, market.symbol);
  const order = await lockOrder(tx, sql`where order_id = ${orderId}::uuid`);
  if (!order) throw new Error(`Order ${orderId} was deleted`);
  const status = moveOrder(order.status, 'CANCELLED');
  const purses = await lockPurses(tx, market, [order.accountId]);
  const movements = release(order, order.reservedAsset, order.reserved);
  purses.apply(movements);
  const changes = [{ ...ended(order), status }];
  const postings = movements.length > 0 ? [{ postingId: crypto.randomUUID(), movements }] : [];
  await write(tx, { at: book.at, traceId, changes, postings, purses });
  return { orderId: order.orderId };
}
