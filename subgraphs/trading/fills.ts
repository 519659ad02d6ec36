/** Recording executions: the trade, the order's fill, the position and the strategy's counters in one transaction. */
import { type CommandPayload, command } from '../../platform/command.ts';
import { Outrun } from '../../platform/database/database-error.ts';
import { named, sql } from '../../platform/database/sql.ts';
import { type Decimal, dec, toWire } from '../../platform/decimal.ts';
import { stored } from '../../platform/enums.ts';
import { refuse } from '../../platform/errors.ts';
import { boundedText } from '../../platform/texts.ts';
import type { Context, Tx } from './context.ts';
import type { Liquidity, RecordFillInput } from './generated/resolvers.ts';
import { type LockedOrder, type LockedStrategy, lockOrder, lockStrategyOfOrder } from './locks.ts';
import { AMOUNT_LIMIT, amountFromZero, positiveAmount } from './rules/amounts.ts';
import { applyTrade, type Holding, type TradeEffect } from './rules/average-cost.ts';
import { addToDay } from './rules/daily-pnl.ts';
import { isBefore, pastInstant } from './rules/instants.ts';
import { checkManual } from './rules/order-execution.ts';
import { applyFill, type FilledState } from './rules/order-fill.ts';
import { NAME_LENGTH, NOTE_LENGTH } from './rules/texts.ts';
import { venueId } from './rules/venue-ids.ts';
import { followFill, lockManagedTrades, type ManagedTrades } from './trade-store/order-trades.ts';

type LockedPosition = Holding & { positionId: string };

export interface RecordedFill {
  tradeId: string;
  orderId: string;
  strategyId: string;
  symbol: string;
}

export type FillPayload = CommandPayload<RecordedFill>;

/** One execution of an order, as a venue says. */
export interface Execution {
  orderId: string;
  exchangeTradeId: string;
  venue: string;
  quantity: Decimal;
  price: Decimal;
  commission: Decimal;
  executedAt: string;
  liquidity: Lowercase<Liquidity> | null;
  notes: string | null;
}

/** All that one execution does, worked out before anything is written. */
export interface Fill {
  traceId: string;
  strategy: LockedStrategy;
  order: LockedOrder;
  execution: Execution;
  filled: FilledState;
  /** The open position the execution met. */
  position: LockedPosition | null;
  /** The managed trades that it may concern. */
  managed: ManagedTrades;
  effect: TradeEffect;
}

/** Records one execution of an order. A venue's execution is recorded once; a repeat of it gives the trade that is there. */
export function recordFill(context: Context, input: RecordFillInput): Promise<FillPayload> {
  return command(context, 'recordFill', input, async (tx) => {
    const execution = readExecution(input, context.now());
    const [strategy, order, known] = await Promise.all([
      lockStrategyOfOrder(tx, execution.orderId),
      lockOrder(tx, execution.orderId),
      readRecorded(tx, execution),
    ]);
    checkManual(order);
    const recorded = checkSame(known, execution);
    if (recorded) return recorded;
    const fill = await planFill(tx, { traceId: context.traceId, strategy, order, execution });
    checkFilled(fill.filled, input.filledQuantity ?? null);
    return bookFill(tx, fill);
  });
}

/**
 * What the execution would do; strategy and order are locked. It writes nothing.
 * @param fills how it fills the order. @default applyFill
 * @throws Refusal when the order cannot take it
 */
export async function planFill(
  tx: Tx,
  basis: Pick<Fill, 'traceId' | 'strategy' | 'order' | 'execution'>,
  fills = applyFill,
): Promise<Fill> {
  const { order, execution } = basis;
  checkAgainstOrder(order, execution);
  const filled = fills(order, execution);
  const [position, managed] = await Promise.all([lockOpenPosition(tx, order), lockManagedTrades(tx, order)]);
  const effect = applyTrade(position, { ...execution, side: order.side });
  checkSize(effect);
  return { ...basis, filled, position, managed, effect };
}

/** Writes all that the execution does. Another strategy's command may have taken the venue's id meanwhile. */
export async function bookFill(tx: Tx, fill: Fill): Promise<RecordedFill> {
  const { order } = fill;
  const [tradeId] = await Promise.all([
    insertTrade(tx, fill),
    updateOrder(tx, fill),
    ...savePositions(tx, fill),
    countTrade(tx, fill),
    followFill(tx, fill),
  ]);
  if (tradeId === null) throw new Outrun('The execution was recorded meanwhile');
  return { tradeId, orderId: order.orderId, strategyId: order.strategyId, symbol: order.instrumentId };
}

function readExecution(input: RecordFillInput, now: Date): Execution {
  const { liquidity = null, notes = null } = input;
  return {
    orderId: input.orderId,
    exchangeTradeId: venueId(input.exchangeTradeId, ['input', 'exchangeTradeId']),
    venue: boundedText(input.venue, NAME_LENGTH, ['input', 'venue']),
    quantity: positiveAmount(input.quantity, ['input', 'quantity']),
    price: positiveAmount(input.price, ['input', 'price']),
    commission: amountFromZero(input.commission ?? '0', ['input', 'commission']),
    executedAt: pastInstant(input.executedAt, now, ['input', 'executedAt']),
    liquidity: liquidity === null ? null : stored(liquidity),
    notes: notes === null ? null : boundedText(notes, NOTE_LENGTH, ['input', 'notes']),
  };
}

/** The trade that is there already under the venue's id. Throws an idempotency conflict when its content differs. */
export async function findRecorded(tx: Tx, execution: Execution): Promise<RecordedFill | null> {
  return checkSame(await readRecorded(tx, execution), execution);
}

type Known = RecordedFill & { same: boolean };

async function readRecorded(tx: Tx, execution: Execution): Promise<Known | undefined> {
  const recorded = sql`select trade_id as "tradeId", order_id as "orderId", strategy_id as "strategyId", instrument_id as symbol,
               (order_id, quantity, price, commission, executed_at)
                 = (${execution.orderId}, ${amount(execution.quantity)}::numeric, ${amount(execution.price)}::numeric,
                    ${amount(execution.commission)}::numeric, ${execution.executedAt}::timestamptz)
               and liquidity is not distinct from ${execution.liquidity}::text
               and notes is not distinct from ${execution.notes}::text as same
          from all_trades where exchange_trade_id = ${execution.exchangeTradeId} and execution_venue = ${execution.venue}`;
  const [found] = await tx.$queryRaw<Known[]>(named('recorded fill', recorded));
  return found;
}

function checkSame(found: Known | undefined, execution: Execution): RecordedFill | null {
  if (!found) return null;
  const { same, ...recorded } = found;
  if (!same) throw refuse.idempotencyConflict(`${execution.venue}/${execution.exchangeTradeId}`);
  return recorded;
}

function checkAgainstOrder(order: LockedOrder, execution: Execution): void {
  if (order.executionVenue !== null && order.executionVenue !== execution.venue) {
    throw refuse.validation(`The order went to ${order.executionVenue}, but venue is "${execution.venue}".`, [
      'input',
      'venue',
    ]);
  }
  if (isBefore(execution.executedAt, order.createdAt)) {
    throw refuse.validation(`executedAt must not be before the order was placed, but got ${execution.executedAt}.`, [
      'input',
      'executedAt',
    ]);
  }
}

/** What a venue says is filled in all never falls, and leaves no execution out. */
function checkFilled({ filledQuantity }: FilledState, reported: string | null): void {
  if (reported === null || filledQuantity.eq(reported)) return;
  throw refuse.validation(
    `filledQuantity must be ${toWire(filledQuantity)}, what is filled with this execution, but got ${reported}.`,
    ['input', 'filledQuantity'],
  );
}

/** Orders are below 10^12 each, but a position is what many of them add up to. */
function checkSize({ held, opened }: TradeEffect): void {
  const { quantity } = opened ?? held ?? { quantity: dec(0) };
  if (quantity.abs().lt(AMOUNT_LIMIT)) return;
  throw refuse.validation(
    `The position would reach ${toWire(quantity)}, but must stay below ${toWire(AMOUNT_LIMIT)} either way.`,
    ['input', 'quantity'],
  );
}

async function lockOpenPosition(tx: Tx, order: LockedOrder): Promise<LockedPosition | null> {
  const lock = sql`select position_id as "positionId", quantity, average_entry_price as "averageEntryPrice",
               realized_pnl as "realizedPnl"
          from positions
         where strategy_id = ${order.strategyId} and instrument_id = ${order.instrumentId} and closed_at is null
           for no key update`;
  const [position] = await tx.$queryRaw<LockedPosition[]>(named('lock position', lock));
  return position ?? null;
}

/** The new trade's id; null when the venue's id is taken. */
async function insertTrade(tx: Tx, { traceId, order, execution, effect }: Fill): Promise<string | null> {
  const insert = sql`insert into trades (order_id, strategy_id, account_id, instrument_id, side, quantity, price, commission,
               realized_pnl, execution_venue, exchange_trade_id, liquidity, executed_at, notes, trace_id)
        values (${order.orderId}, ${order.strategyId}, ${order.accountId}::uuid, ${order.instrumentId}, ${order.side},
               ${amount(execution.quantity)}::numeric, ${amount(execution.price)}::numeric,
               ${amount(execution.commission)}::numeric, ${amount(effect.realizedPnl)}::numeric, ${execution.venue},
               ${execution.exchangeTradeId}, ${execution.liquidity}, ${execution.executedAt}::timestamptz,
               ${execution.notes}, ${traceId})
        on conflict (exchange_trade_id, execution_venue) do nothing
        returning trade_id as "tradeId"`;
  const [trade] = await tx.$queryRaw<{ tradeId: string }[]>(named('insert trade', insert));
  return trade?.tradeId ?? null;
}

async function updateOrder(tx: Tx, { traceId, order, execution, filled, effect }: Fill): Promise<void> {
  const update = sql`update orders
           set status = ${filled.status}, filled_quantity = ${amount(filled.filledQuantity)}::numeric,
               filled_notional = ${amount(filled.filledNotional)}::numeric,
               average_fill_price = ${amount(filled.averageFillPrice)}::numeric,
               commission = commission + ${amount(execution.commission)}::numeric,
               realized_pnl = coalesce(realized_pnl, 0) + ${amount(effect.realizedPnl)}::numeric,
               submitted_at = coalesce(submitted_at, ${execution.executedAt}::timestamptz),
               filled_at = case when ${filled.status} = 'filled' then ${execution.executedAt}::timestamptz end,
               cancelled_at = case when ${filled.status} = 'cancelled' then coalesce(cancelled_at, clock_timestamp()) end,
               trace_id = ${traceId}
         where order_id = ${order.orderId}`;
  await tx.$executeRaw(named('fill order', update));
}

/** A position is marked at its latest trade, unless it has a later mark; one that a flip opens takes over that mark. */
function savePositions(tx: Tx, { traceId, order, execution, position, effect }: Fill): Promise<number>[] {
  const saved: Promise<number>[] = [];
  const price = sql`${amount(execution.price)}::numeric`;
  const executedAt = sql`${execution.executedAt}::timestamptz`;
  const { held, opened } = effect;
  if (position && held) {
    const update = sql`update positions
             set quantity = ${amount(held.quantity)}::numeric,
                 average_entry_price = ${amount(held.averageEntryPrice)}::numeric,
                 realized_pnl = ${amount(held.realizedPnl)}::numeric,
                 current_price = case when marked_at > ${executedAt} then current_price else ${price} end,
                 marked_at = greatest(marked_at, ${executedAt}),
                 closed_at = case when ${held.quantity.isZero()} then greatest(opened_at, ${executedAt}) end,
                 trace_id = ${traceId}
           where position_id = ${position.positionId}`;
    saved.push(tx.$executeRaw(named('move position', update)));
  }
  if (opened) {
    const insert = sql`insert into positions (strategy_id, account_id, instrument_id, quantity, average_entry_price, realized_pnl,
                 current_price, marked_at, opened_at, trace_id)
          select ${order.strategyId}, ${order.accountId}::uuid, ${order.instrumentId},
                 ${amount(opened.quantity)}::numeric, ${amount(opened.averageEntryPrice)}::numeric,
                 ${amount(opened.realizedPnl)}::numeric,
                 case when held.marked_at > ${executedAt} then held.current_price else ${price} end,
                 greatest(held.marked_at, ${executedAt}), ${executedAt}, ${traceId}
            from (select) as trade left join positions as held on held.position_id = ${position?.positionId ?? null}`;
    saved.push(tx.$executeRaw(named('open position', insert)));
  }
  return saved;
}

async function countTrade(tx: Tx, { traceId, strategy, execution, effect }: Fill): Promise<void> {
  const before = { day: strategy.dailyPnlDate, pnl: strategy.dailyPnl };
  const daily = addToDay(before, execution.executedAt, effect.realizedPnl);
  const update = sql`update strategies
           set total_trades = total_trades + 1, realized_pnl = realized_pnl + ${amount(effect.realizedPnl)}::numeric,
               daily_pnl = ${amount(daily.pnl)}::numeric, daily_pnl_date = ${daily.day}::date,
               trace_id = ${traceId}
         where strategy_id = ${strategy.strategyId}`;
  await tx.$executeRaw(named('count trade', update));
}

/** A decimal as the text of a SQL parameter. */
function amount(value: Decimal): string {
  return value.toFixed();
}
