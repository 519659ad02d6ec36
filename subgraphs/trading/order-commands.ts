/** Placing orders and moving them between their states. Fills are in fills.ts. */
import { type CommandPayload, command } from '../../platform/command.ts';
import { isUniqueViolation } from '../../platform/database/database-error.ts';
import { join, type Sql, sql } from '../../platform/database/sql.ts';
import { type Decimal, dec } from '../../platform/decimal.ts';
import { refuse } from '../../platform/errors.ts';
import { normaliseSymbol } from '../../platform/symbols.ts';
import { boundedText } from '../../platform/texts.ts';
import { referencePriceOf } from './analytics/reference-price.ts';
import type { Context, Tx } from './context.ts';
import { shown, stored } from './enums.ts';
import type { PlaceOrderInput } from './generated/resolvers.ts';
import { type LockedOrder, type LockedStrategy, lockOrder, lockStrategy } from './locks.ts';
import { isActiveOrder } from './orders.ts';
import { isOpenPosition } from './positions.ts';
import { positiveAmount } from './rules/amounts.ts';
import { checkPositionLimit, checkPrices, type Side } from './rules/order-entry.ts';
import { moveOrder, type OrderStatus } from './rules/order-lifecycle.ts';
import { checkVenue } from './rules/strategy-settings.ts';
import { ID_LENGTH, NAME_LENGTH, NOTE_LENGTH } from './rules/texts.ts';
import { venueId } from './rules/venue-ids.ts';
import { planTrade } from './trade-store/order-trades.ts';

type Optional = string | null | undefined;

export type OrderPayload = CommandPayload<{ orderId: string }>;

/** Inserts a pending order of an active strategy, within the strategy's instruments, venues and position limit. */
export async function placeOrder(context: Context, input: PlaceOrderInput): Promise<OrderPayload> {
  const referencePrice = await referencePriceOf(context, input.symbol);
  return command(context, 'placeOrder', input, (tx) => placeOrderWithin(context, tx, input, { referencePrice }));
}

/** The same as part of a command. An order that closes a position is taken in whatever state the strategy is. */
export async function placeOrderWithin(
  context: Context,
  tx: Tx,
  input: PlaceOrderInput,
  { referencePrice, isClosing = false }: { referencePrice: string | null; isClosing?: boolean },
): Promise<{ orderId: string }> {
  const order = newOrder(input);
  const strategy = await lockStrategy(tx, input.strategyId);
  if (!isClosing) checkStrategy(strategy);
  checkOrder(strategy, order);
  await checkLimit(tx, strategy, order);
  try {
    await tx.order.create({
      data: { ...order, referencePrice, accountId: strategy.accountId, traceId: context.traceId },
    });
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw refuse.conflict(null, `An order with id "${order.orderId}" exists already.`, ['input', 'orderId']);
  }
  await planTrade(tx, { ...order, accountId: strategy.accountId }, input.managedTrade, context.traceId);
  return { orderId: order.orderId };
}

function newOrder(input: PlaceOrderInput) {
  const { orderId = null, venue = null } = input;
  const price = priceGiven(input.price, 'price');
  const stopPrice = priceGiven(input.stopPrice, 'stopPrice');
  const orderType = stored(input.type);
  checkPrices(orderType, { price, stopPrice });
  return {
    orderId: orderId === null ? crypto.randomUUID() : boundedText(orderId, ID_LENGTH, ['input', 'orderId']),
    strategyId: input.strategyId,
    instrumentId: normaliseSymbol(input.symbol),
    side: stored(input.side),
    orderType,
    timeInForce: stored(input.timeInForce ?? 'GTC'),
    quantity: positiveAmount(input.quantity, ['input', 'quantity']),
    price,
    stopPrice,
    executionVenue: venue === null ? null : boundedText(venue, NAME_LENGTH, ['input', 'venue']),
  };
}

function priceGiven(price: Optional, field: string): Decimal | null {
  return price === null || price === undefined ? null : positiveAmount(price, ['input', field]);
}

function checkStrategy(strategy: LockedStrategy): void {
  if (strategy.status === 'active') return;
  throw refuse.validation(`The strategy is ${shown(strategy.status)}; orders are placed only while it is ACTIVE.`, [
    'input',
    'strategyId',
  ]);
}

function checkOrder(strategy: LockedStrategy, order: { instrumentId: string; executionVenue: string | null }): void {
  if (!strategy.instruments.includes(order.instrumentId)) {
    throw refuse.validation(`${order.instrumentId} is not one of the strategy's instruments.`, ['input', 'symbol']);
  }
  if (order.executionVenue !== null) checkVenue(order.executionVenue, strategy.venueIds);
}

/** The strategy is locked, so its orders and positions stand still. */
async function checkLimit(
  tx: Tx,
  strategy: LockedStrategy,
  order: { instrumentId: string; side: Side; quantity: Decimal },
): Promise<void> {
  if (strategy.maxPositionSize === null) return;
  const { strategyId, maxPositionSize: limit } = strategy;
  const { instrumentId, side, quantity } = order;
  const [held] = await tx.$queryRaw<{ position: Decimal | null; openOnSide: Decimal | null }[]>(
    sql`select (select quantity from positions
                 where strategy_id = ${strategyId} and instrument_id = ${instrumentId} and ${isOpenPosition}) as position,
               (select sum(remaining_quantity) from orders
                 where strategy_id = ${strategyId} and instrument_id = ${instrumentId} and side = ${side}
                   and ${isActiveOrder}) as "openOnSide"`,
  );
  const { position, openOnSide } = held ?? { position: null, openOnSide: null };
  checkPositionLimit({ side, quantity, position: position ?? dec(0), openOnSide: openOnSide ?? dec(0), limit });
}

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

/** Any active state → cancelled. */
export function cancelOrder(context: Context, input: OrderInput & { reason?: Optional }): Promise<OrderPayload> {
  return moveTo(context, 'cancelOrder', input, 'cancelled', () => [
    // The transaction may have begun before the order was placed; the cancellation comes after.
    sql`cancelled_at = clock_timestamp()`,
    ...reasonGiven(input.reason),
  ]);
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

function reasonGiven(reason: Optional): Changes {
  if (reason === null || reason === undefined) return [];
  return [sql`error_message = ${boundedText(reason, NOTE_LENGTH, ['input', 'reason'])}`];
}
