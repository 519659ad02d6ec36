/** Everything that an order must pass before it is placed, whoever carries it out; each check refuses by throwing. */
import { sql } from '../../platform/database/sql.ts';
import { type Decimal, dec } from '../../platform/decimal.ts';
import { shown } from '../../platform/enums.ts';
import { refuse } from '../../platform/errors.ts';
import type { Tx } from './context.ts';
import type { LockedStrategy } from './locks.ts';
import { isActiveOrder } from './orders.ts';
import { isOpenPosition } from './positions.ts';
import { checkPositionLimit, type Side } from './rules/order-entry.ts';
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
 * @throws Refusal (validation) otherwise
 */
export async function checkBeforeTrade(
  tx: Tx,
  strategy: LockedStrategy,
  order: OrderToPlace,
  { isClosing }: { isClosing: boolean },
): Promise<void> {
  if (!isClosing) checkStrategy(strategy);
  checkOrder(strategy, order);
  await checkLimit(tx, strategy, order);
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

async function checkLimit(tx: Tx, strategy: LockedStrategy, order: OrderToPlace): Promise<void> {
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
