/** Placing orders: checked, recorded, and handed to the router unless somebody else carries them out. */
import { type CommandPayload, command } from '../../platform/command.ts';
import { isUniqueViolation } from '../../platform/database/database-error.ts';
import { named, type Sql, sql } from '../../platform/database/sql.ts';
import type { Decimal } from '../../platform/decimal.ts';
import { stored } from '../../platform/enums.ts';
import { refuse } from '../../platform/errors.ts';
import { normaliseSymbol } from '../../platform/symbols.ts';
import { boundedText } from '../../platform/texts.ts';
import { referencePriceOf } from './analytics/reference-price.ts';
import type { Context, Tx } from './context.ts';
import type { PlaceOrderInput } from './generated/resolvers.ts';
import { lockStrategy } from './locks.ts';
import { checkBeforeTrade } from './pre-trade.ts';
import { askRisk } from './risk-check.ts';
import { openRoute } from './routing/routes.ts';
import { positiveAmount } from './rules/amounts.ts';
import { checkPrices } from './rules/order-entry.ts';
import { routedVenue } from './rules/order-execution.ts';
import { ID_LENGTH, NAME_LENGTH } from './rules/texts.ts';
import { planTrade } from './trade-store/order-trades.ts';

type Optional = string | null | undefined;

export type OrderPayload = CommandPayload<{ orderId: string }>;

/** Inserts a pending order of an active strategy, within the strategy's instruments, venues and position limit. */
export async function placeOrder(context: Context, input: PlaceOrderInput): Promise<OrderPayload> {
  const [referencePrice, checkRisk] = await Promise.all([
    referencePriceOf(context, input.symbol),
    askRisk(context, input),
  ]);
  const payload = await command(context, 'placeOrder', input, (tx) => {
    checkRisk();
    return placeOrderWithin(context, tx, input, { referencePrice });
  });
  context.service.router.wake();
  return payload;
}

/**
 * The same as part of a command, which wakes the router once it is committed. An order that closes a position is taken in
 * whatever state the strategy is.
 */
export async function placeOrderWithin(
  context: Context,
  tx: Tx,
  input: PlaceOrderInput,
  { referencePrice, isClosing = false }: { referencePrice: string | null; isClosing?: boolean },
): Promise<{ orderId: string }> {
  const order = newOrder(input);
  const strategy = await lockStrategy(tx, input.strategyId);
  await checkBeforeTrade(tx, strategy, order, { isClosing, now: context.now() });
  const { accountId } = strategy;
  const insert = insertOrder({ ...order, referencePrice, accountId, traceId: context.traceId });
  const isPlain = (input.orderId ?? null) === null && !input.managedTrade;
  if (isPlain) tx.$atCommit(insert);
  else {
    await insertNamed(tx, insert, order.orderId);
    await planTrade(tx, { ...order, accountId }, input.managedTrade, context.traceId);
  }
  if (order.execution === 'routed') tx.$atCommit(openRoute(order));
  return { orderId: order.orderId };
}

/** @throws Refusal (conflict) when the id that the caller has chosen is taken */
async function insertNamed(tx: Tx, insert: Sql, orderId: string): Promise<void> {
  try {
    await tx.$executeRaw(insert);
  } catch (error) {
    if (!isUniqueViolation(error)) throw error;
    throw refuse.conflict(null, `An order with id "${orderId}" exists already.`, ['input', 'orderId']);
  }
}

interface PlacedOrder extends ReturnType<typeof newOrder> {
  accountId: string;
  referencePrice: string | null;
  traceId: string;
}

function insertOrder(order: PlacedOrder): Sql {
  const { orderId, strategyId, accountId, instrumentId, side, orderType, timeInForce, quantity, price } = order;
  return named(
    'place order',
    sql`insert into orders (order_id, strategy_id, account_id, instrument_id, side, order_type, time_in_force, quantity,
               price, stop_price, execution, execution_venue, reference_price, trace_id)
        values (${orderId}, ${strategyId}, ${accountId}, ${instrumentId}, ${side}, ${orderType}, ${timeInForce}, ${quantity},
                ${price}, ${order.stopPrice}, ${order.execution}, ${order.executionVenue}, ${order.referencePrice},
                ${order.traceId})`,
  );
}

function newOrder(input: PlaceOrderInput) {
  const { orderId = null } = input;
  const price = priceGiven(input.price, 'price');
  const stopPrice = priceGiven(input.stopPrice, 'stopPrice');
  const orderType = stored(input.type);
  checkPrices(orderType, { price, stopPrice });
  const timeInForce = stored(input.timeInForce ?? 'GTC');
  const execution = stored(input.execution ?? 'ROUTED');
  const venue = venueGiven(input.venue);
  return {
    orderId: orderId === null ? crypto.randomUUID() : boundedText(orderId, ID_LENGTH, ['input', 'orderId']),
    strategyId: input.strategyId,
    instrumentId: normaliseSymbol(input.symbol),
    side: stored(input.side),
    orderType,
    timeInForce,
    quantity: positiveAmount(input.quantity, ['input', 'quantity']),
    price,
    stopPrice,
    execution,
    executionVenue: execution === 'routed' ? routedVenue({ orderType, timeInForce, venue }) : venue,
  };
}

function priceGiven(price: Optional, field: string): Decimal | null {
  return price === null || price === undefined ? null : positiveAmount(price, ['input', field]);
}

function venueGiven(venue: Optional): string | null {
  return venue === null || venue === undefined ? null : boundedText(venue, NAME_LENGTH, ['input', 'venue']);
}
