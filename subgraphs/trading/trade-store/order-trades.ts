/**
 * What orders do to managed trades, in the transactions of the orders: a trade is planned when its order is placed, and
 * each fill opens, adds to, reduces or closes trades exactly once, with the fill itself or not at all. (An order that
 * ends without a fill ends what was planned with it by a trigger, whoever ends it.)
 */
import { sql } from '../../../platform/database/sql.ts';
import { type Decimal, dec } from '../../../platform/decimal.ts';
import type { Tx } from '../context.ts';
import type { ManagedTradeTermsInput } from '../generated/resolvers.ts';
import { isBefore } from '../rules/instants.ts';
import type { Side } from '../rules/order-entry.ts';
import { type Journal, journal } from './backends/journal.ts';
import { tooMuchLeverage } from './commands.ts';
import { type FillShares, type Share, shareFill } from './rules/fill-share.ts';
import type { ManagedTrade, TradeSide } from './rules/managed-trade.ts';
import { close, enter, exitPart, newTrade, reasonOf } from './rules/steps.ts';
import { checkBracket } from './rules/terms.ts';
import { readTerms } from './terms-input.ts';

interface PlacedOrder {
  orderId: string;
  strategyId: string;
  accountId: string;
  instrumentId: string;
  side: Side;
  quantity: Decimal;
  price: Decimal | null;
  executionVenue: string | null;
}

/** What an order that is being placed is to open, if anything was said of it. */
export async function planTrade(
  tx: Tx,
  order: PlacedOrder,
  terms: ManagedTradeTermsInput | null | undefined,
  traceId: string,
): Promise<void> {
  if (!terms) return;
  const path = ['input', 'managedTrade'];
  const planned = newTrade(
    { ...pending(order, new Date().toISOString()), ...readTerms(terms, path) },
    new Date().toISOString(),
  );
  if (order.price !== null) checkBracket(planned, order.price.toFixed());
  const [strategy] = await tx.$queryRaw<{ maxLeverage: Decimal | null }[]>(
    sql`select max_leverage as "maxLeverage" from strategies where strategy_id = ${order.strategyId}`,
  );
  const limit = strategy?.maxLeverage ?? null;
  if (limit?.lt(planned.leverage)) throw tooMuchLeverage(planned.leverage, limit);
  await insert(journal(tx, traceId), planned);
}

function pending(order: Omit<PlacedOrder, 'price'>, entryTime: string) {
  return {
    tradeId: order.orderId,
    symbol: order.instrumentId,
    side: sideOf(order.side),
    quantity: order.quantity.toFixed(),
    entryTime,
    exchangeOrderId: order.orderId,
    accountId: order.accountId,
    strategyId: order.strategyId,
    venueId: order.executionVenue,
  };
}

function sideOf(side: Side): TradeSide {
  return side === 'buy' ? 'long' : 'short';
}

/** A trade has its order's id, unless one that was opened by hand has taken it. */
async function insert(book: Journal, trade: ManagedTrade): Promise<void> {
  const stored = (await book.write(trade, 0)) ?? (await book.write({ ...trade, tradeId: crypto.randomUUID() }, 0));
  if (!stored) throw new Error(`the managed trade of order "${trade.exchangeOrderId}" could not be stored`);
}

export interface RecordedExecution {
  traceId: string;
  order: Omit<PlacedOrder, 'price'>;
  execution: { venue: string; quantity: Decimal; price: Decimal; commission: Decimal; executedAt: string };
  /** The open position before the execution. */
  position: { quantity: Decimal } | null;
  managed: ManagedTrades;
}

/** The managed trades that an execution may concern, locked. */
export interface ManagedTrades {
  /** Those that fills have opened for the strategy in the instrument, oldest first. */
  open: ManagedTrade[];
  /** The order's own. */
  own: ManagedTrade | null;
}

/** Locks them. The strategy is locked. */
export async function lockManagedTrades(
  tx: Tx,
  { orderId, strategyId, instrumentId }: Pick<PlacedOrder, 'orderId' | 'strategyId' | 'instrumentId'>,
): Promise<ManagedTrades> {
  const book = journal(tx, null);
  const [open, own] = await Promise.all([book.opened(strategyId, instrumentId), book.ofOrder(orderId)]);
  return { open, own };
}

/** Shares an execution among the managed trades of its strategy and instrument. The strategy is locked. */
export async function followFill(
  tx: Tx,
  { traceId, order, execution, position, managed }: RecordedExecution,
): Promise<void> {
  const book = journal(tx, traceId);
  const held = position?.quantity ?? dec(0);
  const open = held.isZero() ? [] : managed.open;
  const sign = order.side === 'buy' ? 1 : -1;
  const shares = shareFill(
    held,
    open.filter(({ side }) => (side === 'long') === held.isPositive()),
    { change: execution.quantity.times(sign), commission: execution.commission },
  );
  if (shares.exits.length > 0) await leave(tx, book, order.orderId, execution, shares.exits);
  if (!shares.entry) return;
  const own = shares.exits.length > 0 ? await book.ofOrder(order.orderId) : managed.own; // it may have been left
  await addTo(book, order, execution, shares.entry, own);
}

async function leave(
  tx: Tx,
  book: Journal,
  orderId: string,
  { price, executedAt }: RecordedExecution['execution'],
  exits: FillShares['exits'],
): Promise<void> {
  const [order] = await tx.$queryRaw<{ orderType: string }[]>(
    sql`select order_type as "orderType" from orders where order_id = ${orderId}`,
  );
  for (const { trade, quantity, fee } of exits) {
    const next = quantity.eq(trade.quantity)
      ? close(trade, {
          price,
          fee,
          time: isBefore(executedAt, trade.entryTime) ? trade.entryTime : executedAt, // venues' clocks differ
          reason: reasonOf(trade, orderId, order?.orderType ?? '', price),
        })
      : exitPart(trade, { quantity, price, fee });
    await replace(book, trade, next);
  }
}

/** What of a fill does not close goes to its order's own trade: the one that is planned or open, else a new one. */
async function addTo(
  book: Journal,
  order: RecordedExecution['order'],
  { venue, price, executedAt }: RecordedExecution['execution'],
  { quantity, fee }: Share,
  own: ManagedTrade | null,
): Promise<void> {
  const entry = { quantity, price, fee, time: executedAt };
  if (own && own.archivedAt === null) {
    await replace(book, own, enter({ ...own, venueId: own.venueId ?? venue }, entry));
    return;
  }
  const now = new Date().toISOString();
  const planned = newTrade({ ...pending(order, executedAt), ...termsOf(own), venueId: venue }, now);
  await insert(book, enter(planned, entry));
}

/** An order's trade has ended before its last fill: the next one is managed as it was meant to be. */
function termsOf(ended: ManagedTrade | null): Partial<ManagedTrade> {
  if (!ended) return {};
  const { leverage, initialSlPrice: slPrice, tpPrice, trailPercent, model, confidence, metaStrategyId, regime } = ended;
  const { rlStateKey, rlActionKey, rlLeverageOriginal } = ended;
  const chosen = { model, confidence, metaStrategyId, regime, rlStateKey, rlActionKey, rlLeverageOriginal };
  return { leverage, slPrice, tpPrice, trailPercent, ...chosen };
}

async function replace(book: Journal, trade: ManagedTrade, next: ManagedTrade): Promise<void> {
  const stored = await book.write(next, trade.version);
  if (!stored) throw new Error(`managed trade "${trade.tradeId}" changed under its lock`);
}
