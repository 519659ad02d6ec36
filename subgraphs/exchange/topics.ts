/** What of the exchange can be followed. */
import { raw } from '../../platform/database/sql.ts';
import type { ChangeEvent } from '../../platform/feed/row-changes.ts';
import { topic } from '../../platform/feed/topic.ts';
import type { ExchangeBalanceRow } from './balances.ts';
import type { OrderBookReference } from './order-book-changes.ts';
import { type ExchangeOrderRow, isLiveOrder } from './orders.ts';
import type { ExchangeTradeRow } from './trades.ts';

export type ExchangeOrderEvent = ChangeEvent<ExchangeOrderRow>;
export type ExchangeTradeEvent = ChangeEvent<ExchangeTradeRow> & { isPublic: boolean };
export type ExchangeBalanceEvent = ChangeEvent<ExchangeBalanceRow>;
export type OrderBookEvent = ChangeEvent<OrderBookReference>;

export const exchangeOrderTopic = topic<ExchangeOrderRow>({
  table: 'orders',
  key: 'order_id',
  fields: { accountId: 'uuid' },
  mode: 'lossless',
  snapshot: isLiveOrder,
});

export const exchangeTradeTopic = topic<ExchangeTradeRow>({
  table: 'trades',
  key: 'trade_id',
  fields: { accountId: 'uuid', symbol: 'text', liquidity: 'text' },
  mode: 'lossless',
  snapshotOrder: raw('executed_at desc, trade_id desc'),
  snapshotRows: 100,
});

export const exchangeBalanceTopic = topic<ExchangeBalanceRow>({
  table: 'balances',
  key: 'balance_id',
  fields: { accountId: 'uuid' },
  mode: 'conflated',
});
