/** Executions that could not be brought into the books: what is stored of them, how they get there and are read. */

import type { Database } from '../../../platform/database/database.ts';
import { type Sql, sql } from '../../../platform/database/sql.ts';
import type { Decimal } from '../../../platform/decimal.ts';
import { stored } from '../../../platform/enums.ts';
import { equals, equalsSymbol, equalsUuid, within } from '../../../platform/filters.ts';
import type { Complaint } from '../../../platform/health.ts';
import { entity } from '../../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../../platform/paging.ts';
import type { Tx } from '../context.ts';
import type { Execution } from '../fills.ts';
import type { Liquidity, QuarantinedFillFilter } from '../generated/resolvers.ts';
import type { LockedOrder } from '../locks.ts';
import type { Side } from '../rules/order-entry.ts';
import { ORDER_TRANSITIONS } from '../rules/order-lifecycle.ts';

export type QuarantineReason = 'order_ended' | 'overfill' | 'foreign' | 'unrecordable';
export type QuarantineStatus = 'open' | 'accepted' | 'dismissed';

/** A row of `quarantined_fills`. */
export interface QuarantinedFillRow {
  quarantinedFillId: string;
  orderId: string;
  strategyId: string;
  accountId: string;
  instrumentId: string;
  side: Side;
  quantity: string;
  price: string;
  commission: string;
  executionVenue: string;
  exchangeTradeId: string;
  exchangeOrderId: string;
  liquidity: Lowercase<Liquidity> | null;
  executedAt: string;
  reason: QuarantineReason;
  message: string;
  status: QuarantineStatus;
  resolutionNote: string | null;
  resolvedAt: string | null;
  traceId: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
}

export type QuarantinedFillPage = Connection<QuarantinedFillRow>;

export const quarantinedFills = entity<QuarantinedFillRow>({
  name: 'QuarantinedFill',
  table: 'quarantined_fills',
  key: 'quarantined_fill_id',
  keyType: 'uuid',
});

export const quarantinedFillList = connectionSource<QuarantinedFillRow>({
  table: 'quarantined_fills',
  id: 'quarantined_fill_id',
  sorts: { CREATED_AT: 'created_at' },
  parents: {},
});

/** The conditions of a filter. Throws a validation Refusal on a symbol that is none. */
export function quarantineConditions(filter: QuarantinedFillFilter | null | undefined): Sql[] {
  if (!filter) return [];
  return [
    ...equals('order_id', filter.orderId),
    ...equals('strategy_id', filter.strategyId),
    ...equalsUuid('account_id', filter.accountId),
    ...equalsSymbol('instrument_id', filter.symbol),
    ...equals('status', filter.status && stored(filter.status)),
    ...equals('reason', filter.reason && stored(filter.reason)),
    ...within('created_at', filter),
  ];
}

/** An execution as the exchange says, of whatever it is. */
export interface PulledExecution extends Execution {
  exchangeOrderId: string;
  accountId: string;
  instrumentId: string;
  side: Side;
}

/** In what the execution differs from its order; null where it is the order's own. */
export function foreignness(order: LockedOrder, execution: Omit<PulledExecution, keyof Execution | 'exchangeOrderId'>) {
  const { accountId, instrumentId, side } = execution;
  if (instrumentId !== order.instrumentId) return `It is of ${instrumentId}, but the order of ${order.instrumentId}.`;
  if (side !== order.side) return `It is a ${side}, but the order a ${order.side}.`;
  if (accountId !== order.accountId) return `It is of account ${accountId}, but the order of ${order.accountId}.`;
  return null;
}

/** The kind of reason for which the order cannot take the execution, which is its own. */
export function reasonAgainst(order: LockedOrder, quantity: Decimal): QuarantineReason {
  if (ORDER_TRANSITIONS[order.status].length === 0) return 'order_ended';
  return order.filledQuantity.plus(quantity).gt(order.quantity) ? 'overfill' : 'unrecordable';
}

/** Keeps the execution, once. */
export async function putInQuarantine(
  tx: Tx,
  traceId: string,
  order: LockedOrder,
  execution: PulledExecution,
  why: { reason: QuarantineReason; message: string },
): Promise<void> {
  const { quantity, price, commission } = execution;
  await tx.$executeRaw(
    sql`insert into quarantined_fills (order_id, strategy_id, account_id, instrument_id, side, quantity, price, commission,
               execution_venue, exchange_trade_id, exchange_order_id, liquidity, executed_at, reason, message, trace_id)
        values (${order.orderId}, ${order.strategyId}, ${execution.accountId}::uuid, ${execution.instrumentId},
               ${execution.side}, ${quantity.toFixed()}::numeric, ${price.toFixed()}::numeric,
               ${commission.toFixed()}::numeric, ${execution.venue}, ${execution.exchangeTradeId},
               ${execution.exchangeOrderId}, ${execution.liquidity}, ${execution.executedAt}::timestamptz,
               ${why.reason}, ${why.message}, ${traceId})
        on conflict (exchange_trade_id, execution_venue) do nothing`,
  );
}

/** What is said in the domain's health while executions wait for somebody's decision. */
export async function complaintsOfQuarantine(db: Database): Promise<Complaint[]> {
  const row = await db.one<{ count: number }>(
    sql`select count(*)::int as count from quarantined_fills where status = 'open'`,
  );
  const count = row?.count ?? 0;
  if (count === 0) return [];
  const they = count === 1 ? '1 execution is' : `${count} executions are`;
  return [{ status: 'DEGRADED', reason: `${they} quarantined and in no position (quarantinedFills tells which).` }];
}
