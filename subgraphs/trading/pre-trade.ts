/** Everything that an order must pass before it is placed, whoever carries it out; each check refuses by throwing. */
import { sql } from '../../platform/database/sql.ts';
import { type Decimal, dec } from '../../platform/decimal.ts';
import { shown } from '../../platform/enums.ts';
import { refuse } from '../../platform/errors.ts';
import type { Tx } from './context.ts';
import type { LockedStrategy } from './locks.ts';
import { isActiveOrder } from './orders.ts';
import { isOpenPosition } from './positions.ts';
import { dailyPnlOn } from './rules/daily-pnl.ts';
import { checkDailyLoss, checkPositionLimit, onlyReduces, type Side } from './rules/order-entry.ts';
import { checkVenue } from './rules/strategy-settings.ts';

export interface OrderToPlace {
  instrumentId: string;
  side: Side;
  quantity: Decimal;
  executionVenue: string | null;
}

/**
 * Passes when the strategy may place the order, one that closes a position in whatever state the strategy is. The strategy
 * is locked, so its orders and positions stand still.
 * @throws Refusal (validation, limit breached) otherwise
 */
export async function checkBeforeTrade(
  tx: Tx,
  strategy: LockedStrategy,
  order: OrderToPlace,
  { isClosing, now }: { isClosing: boolean; now: Date },
): Promise<void> {
  if (!isClosing) checkStrategy(strategy);
  checkOrder(strategy, order);
  await checkLimits(tx, strategy, order, now);
}

function checkStrategy(strategy: LockedStrategy): void {
  if (strategy.status === 'active') return;
  throw refuse.validation(`The strategy is ${shown(strategy.status)}; orders are placed only while it is ACTIVE.`, [
    'input',
    'strategyId',
  ]);
}

function checkOrder(strategy: LockedStrategy, order: OrderToPlace): void {
  if (!strategy.instruments.includes(order.instrumentId)) {
    throw refuse.validation(`${order.instrumentId} is not one of the strategy's instruments.`, ['input', 'symbol']);
  }
  if (order.executionVenue !== null) checkVenue(order.executionVenue, strategy.venueIds);
}

async function checkLimits(tx: Tx, strategy: LockedStrategy, order: OrderToPlace, now: Date): Promise<void> {
  const { maxPositionSize, maxDailyLoss, dailyPnl, dailyPnlDate } = strategy;
  if (maxPositionSize === null && maxDailyLoss === null) return;
  const planned = { ...order, ...(await holdingOf(tx, strategy.strategyId, order)) };
  checkPositionLimit({ ...planned, limit: maxPositionSize });
  if (!onlyReduces(planned)) checkDailyLoss(dailyPnlOn({ day: dailyPnlDate, pnl: dailyPnl }, now), maxDailyLoss);
}

/** What the strategy holds of the order's instrument, and what its open orders of that side have still to fill. */
async function holdingOf(
  tx: Tx,
  strategyId: string,
  { instrumentId, side }: OrderToPlace,
): Promise<{ position: Decimal; openOnSide: Decimal }> {
  const [held] = await tx.$queryRaw<{ position: Decimal | null; openOnSide: Decimal | null }[]>(
    sql`select (select quantity from positions
                 where strategy_id = ${strategyId} and instrument_id = ${instrumentId} and ${isOpenPosition}) as position,
               (select sum(remaining_quantity) from orders
                 where strategy_id = ${strategyId} and instrument_id = ${instrumentId} and side = ${side}
                   and ${isActiveOrder}) as "openOnSide"`,
  );
  return { position: held?.position ?? dec(0), openOnSide: held?.openOnSide ?? dec(0) };
}
