/** Orders: what is stored of them and how they are read. */
import { raw, type Sql, sql } from '../../platform/database/sql.ts';
import { equals, equalsSymbol, equalsUuid, isOneOfUuids, within } from '../../platform/filters.ts';
import { entity } from '../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../platform/paging.ts';
import { isStorable } from '../../platform/texts.ts';
import { isUuid } from '../../platform/uuid.ts';
import type { Context } from './context.ts';
import { ofClient } from './filters.ts';
import type { ExchangeOrderFilter, ExchangeRejectReason } from './generated/resolvers.ts';
import type { ExpiryReason } from './rules/matching.ts';
import type { OrderSide, OrderType, TimeInForce } from './rules/order-entry.ts';
import { LIVE_ORDER_STATUSES, type OrderStatus, storedOrderStatus } from './rules/order-lifecycle.ts';

/** A row of `orders`. */
export interface ExchangeOrderRow {
  orderId: string;
  accountId: string;
  clientOrderId: string | null;
  symbol: string;
  sequence: string;
  orderType: OrderType;
  side: OrderSide;
  timeInForce: TimeInForce;
  quantity: string;
  price: string | null;
  stopPrice: string | null;
  status: OrderStatus;
  filledQuantity: string;
  remainingQuantity: string;
  filledNotional: string;
  averagePrice: string | null;
  reservedAsset: string;
  reservedAmount: string;
  makerFeeRate: string;
  takerFeeRate: string;
  rejectReason: ExchangeRejectReason | null;
  expiryReason: ExpiryReason | null;
  metadata: Record<string, unknown>;
  triggeredAt: string | null;
  filledAt: string | null;
  cancelledAt: string | null;
  traceId: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
}

export type ExchangeOrderPage = Connection<ExchangeOrderRow>;

export const orders = entity<ExchangeOrderRow>({
  name: 'ExchangeOrder',
  table: 'orders',
  key: 'order_id',
  keyType: 'uuid',
});

export const orderList = connectionSource<ExchangeOrderRow>({
  table: 'orders',
  id: 'order_id',
  sorts: { CREATED_AT: 'created_at', UPDATED_AT: 'updated_at', QUANTITY: 'quantity' },
  parents: { account_id: 'uuid' },
});

/** Orders that may still be executed; written out, so that the partial indexes serve. */
export const isLiveOrder: Sql = raw(`status in (${LIVE_ORDER_STATUSES.map((status) => `'${status}'`).join(', ')})`);

/** The conditions of a filter. Throws a validation Refusal on a symbol that is none. */
export function orderConditions(filter: ExchangeOrderFilter | null | undefined): Sql[] {
  if (!filter) return [];
  const { isLive = null } = filter;
  return [
    ...isOneOfUuids('order_id', filter.orderIds),
    ...equalsUuid('account_id', filter.accountId),
    ...ofClient(filter.clientId),
    ...equalsSymbol('symbol', filter.symbol),
    ...equals('side', filter.side),
    ...equals('order_type', filter.type),
    ...equals('time_in_force', filter.timeInForce),
    ...equals('status', filter.status && storedOrderStatus(filter.status)),
    ...(isLive === null ? [] : [isLive ? isLiveOrder : sql`not ${isLiveOrder}`]),
    ...within('created_at', filter),
  ];
}

/** Live orders of an account, perhaps in one instrument only. */
export function openOrderConditions(symbol: string | null | undefined): Sql[] {
  return [isLiveOrder, ...equalsSymbol('symbol', symbol)];
}

/** The order that its account knows by that id. */
export function orderByClientOrderId(
  context: Context,
  accountId: string,
  clientOrderId: string,
): Promise<ExchangeOrderRow | null> {
  if (!isUuid(accountId) || !isStorable(clientOrderId)) return Promise.resolve(null);
  return context.db.one<ExchangeOrderRow>(
    sql`select * from orders where account_id = ${accountId}::uuid and client_order_id = ${clientOrderId}`,
  );
}
