/** Orders: what is stored of them and how they are read. */
import { join, raw, type Sql, sql } from '../../platform/database/sql.ts';
import { stored } from '../../platform/enums.ts';
import { equals, equalsSymbol, equalsUuid, within } from '../../platform/filters.ts';
import { entity } from '../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../platform/paging.ts';
import { type Archivable, withArchived } from './archive/archive.ts';
import type { Context } from './context.ts';
import type { TradingOrderFilter } from './generated/resolvers.ts';
import type { OrderType, Side, TimeInForce } from './rules/order-entry.ts';
import type { OrderExecution } from './rules/order-execution.ts';
import { ACTIVE_ORDER_STATUSES, type OrderStatus } from './rules/order-lifecycle.ts';
import { canonicalVenueId } from './rules/venue-ids.ts';

/** A row of `orders`. */
export interface TradingOrderRow extends Archivable {
  orderId: string;
  strategyId: string;
  accountId: string;
  instrumentId: string;
  side: Side;
  orderType: OrderType;
  status: OrderStatus;
  timeInForce: TimeInForce;
  quantity: string;
  price: string | null;
  stopPrice: string | null;
  filledQuantity: string;
  remainingQuantity: string;
  filledNotional: string;
  averageFillPrice: string | null;
  /** The market's last price when it was placed. */
  referencePrice: string | null;
  commission: string;
  realizedPnl: string | null;
  executionVenue: string | null;
  exchangeOrderId: string | null;
  errorMessage: string | null;
  submittedAt: string | null;
  filledAt: string | null;
  cancelledAt: string | null;
  traceId: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
  execution: OrderExecution;
  cancelRequestedAt: string | null;
  /** Why the router could not carry it on last time. */
  lastError: string | null;
}

export type TradingOrderPage = Connection<TradingOrderRow>;

export const orders = entity<TradingOrderRow>({
  name: 'TradingOrder',
  table: 'orders',
  key: 'order_id',
  keyType: 'text',
});

export const orderList = connectionSource<TradingOrderRow>({
  table: 'orders',
  id: 'order_id',
  sorts: { CREATED_AT: 'created_at', UPDATED_AT: 'updated_at', QUANTITY: 'quantity' },
  parents: { strategy_id: 'text', account_id: 'uuid', instrument_id: 'text' },
});

/** The list that a filter asks for: archived orders are in it only when it says so. */
export function orderListOf(filter: TradingOrderFilter | null | undefined) {
  return filter?.includeArchived ? allOrderList : orderList;
}

const allOrderList = withArchived(orderList);

/** Orders that may still be executed; written out, so that the partial indexes serve. */
export const isActiveOrder: Sql = raw(`status in (${ACTIVE_ORDER_STATUSES.map((status) => `'${status}'`).join(', ')})`);

/** The conditions of a filter. Throws a validation Refusal on a symbol that is none. */
export function orderConditions(filter: TradingOrderFilter | null | undefined): Sql[] {
  if (!filter) return [];
  const { isActive = null } = filter;
  return [
    ...equals('strategy_id', filter.strategyId),
    ...equalsUuid('account_id', filter.accountId),
    ...equalsSymbol('instrument_id', filter.symbol),
    ...equals('side', filter.side && stored(filter.side)),
    ...equals('order_type', filter.type && stored(filter.type)),
    ...equals('status', filter.status && stored(filter.status)),
    ...(isActive === null ? [] : [isActive ? isActiveOrder : sql`not ${isActiveOrder}`]),
    ...equals('execution_venue', filter.venue),
    ...within('created_at', filter),
  ];
}

/** The order that the venue knows by that id. */
export function orderByExchangeId(
  context: Context,
  venue: string,
  exchangeOrderId: string,
): Promise<TradingOrderRow | null> {
  const conditions = [
    ...equals('execution_venue', venue),
    ...equals('exchange_order_id', canonicalVenueId(exchangeOrderId)),
  ];
  return context.db.one<TradingOrderRow>(sql`select * from all_orders where ${join(conditions, ' and ')}`);
}

/** The order that was sent to the exchange of this graph and has that id there; asked in one tick they share a statement. */
export function orderAtExchange(context: Context, exchangeOrderId: string): Promise<TradingOrderRow | null> {
  return context.batch('orderAtExchange', exchangeOrderId, async (ids) => {
    const rows = await context.db.query<TradingOrderRow>(
      sql`select * from all_orders where exchange_order_id = any(${ids}::text[])`,
    );
    const byId = new Map(rows.map((row) => [row.exchangeOrderId, row]));
    return ids.map((id) => byId.get(id) ?? null);
  });
}
