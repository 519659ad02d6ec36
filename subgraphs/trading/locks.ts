/**
 * Row locks of the commands. A strategy's row is the gate to what is its: whoever adds to its orders, trades or positions
 * locks it first, then the order, then the position, so that no two commands wait for each other. Only the marks lock
 * positions without it, in the order of their ids, and wait for nothing else.
 */
import { named, type Sql, sql } from '../../platform/database/sql.ts';
import type { Decimal } from '../../platform/decimal.ts';
import { refuse } from '../../platform/errors.ts';
import { isStorable } from '../../platform/texts.ts';
import type { Tx } from './context.ts';
import type { Side } from './rules/order-entry.ts';
import type { OrderExecution } from './rules/order-execution.ts';
import type { OrderStatus } from './rules/order-lifecycle.ts';
import type { StrategyStatus } from './rules/strategy-lifecycle.ts';

export interface LockedStrategy {
  strategyId: string;
  accountId: string;
  status: StrategyStatus;
  instruments: string[];
  venueIds: string[];
  maxPositionSize: Decimal | null;
  maxDailyLoss: Decimal | null;
  dailyPnl: Decimal;
  /** UTC day as "2026-01-31". */
  dailyPnlDate: string | null;
  version: number;
}

export interface LockedOrder {
  orderId: string;
  strategyId: string;
  accountId: string;
  instrumentId: string;
  side: Side;
  status: OrderStatus;
  quantity: Decimal;
  filledQuantity: Decimal;
  filledNotional: Decimal;
  executionVenue: string | null;
  exchangeOrderId: string | null;
  execution: OrderExecution;
  cancelRequestedAt: Date | null;
  /** RFC 3339 in UTC with six fractional digits. */
  createdAt: string;
}

async function lockStrategyWhere(tx: Tx, name: string, strategyId: Sql): Promise<LockedStrategy | undefined> {
  const lock = sql`select strategy_id as "strategyId", account_id as "accountId", status, instruments, venue_ids as "venueIds",
               max_position_size as "maxPositionSize", max_daily_loss as "maxDailyLoss", daily_pnl as "dailyPnl",
               daily_pnl_date::text as "dailyPnlDate", version
          from strategies where strategy_id = ${strategyId} for no key update`;
  const [strategy] = await tx.$queryRaw<LockedStrategy[]>(named(name, lock));
  return strategy;
}

/** Locks the strategy. Throws a not-found Refusal when there is none. */
export async function lockStrategy(tx: Tx, strategyId: string): Promise<LockedStrategy> {
  const strategy = isStorable(strategyId)
    ? await lockStrategyWhere(tx, 'lock strategy', sql`${strategyId}`)
    : undefined;
  if (!strategy) throw refuse.notFound('Strategy', strategyId, ['input', 'strategyId']);
  return strategy;
}

/** Locks the strategy that the order belongs to. Throws a not-found Refusal when there is no such order. */
export async function lockStrategyOfOrder(tx: Tx, orderId: string): Promise<LockedStrategy> {
  const owner = sql`(select strategy_id from orders where order_id = ${orderId})`;
  const strategy = isStorable(orderId) ? await lockStrategyWhere(tx, 'lock owner', owner) : undefined;
  if (!strategy) throw refuse.notFound('TradingOrder', orderId, ['input', 'orderId']);
  return strategy;
}

/** Locks the order. Throws a not-found Refusal when there is none. */
export async function lockOrder(tx: Tx, orderId: string): Promise<LockedOrder> {
  const lock = sql`select order_id as "orderId", strategy_id as "strategyId", account_id as "accountId",
                   instrument_id as "instrumentId", side, status, quantity, filled_quantity as "filledQuantity",
                   filled_notional as "filledNotional", execution_venue as "executionVenue",
                   exchange_order_id as "exchangeOrderId", execution,
                   cancel_requested_at as "cancelRequestedAt",
                   to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "createdAt"
              from orders where order_id = ${orderId} for no key update`;
  const rows = isStorable(orderId) ? await tx.$queryRaw<LockedOrder[]>(named('lock order', lock)) : [];
  if (!rows[0]) throw refuse.notFound('TradingOrder', orderId, ['input', 'orderId']);
  return rows[0];
}
