/** What of trading can be followed. */
import { raw } from '../../platform/database/sql.ts';
import type { ChangeEvent } from '../../platform/feed/row-changes.ts';
import { topic } from '../../platform/feed/topic.ts';
import { normaliseSymbols } from '../../platform/symbols.ts';
import { isActiveOrder, type TradingOrderRow } from './orders.ts';
import type { PortfolioReference } from './portfolio.ts';
import { isOpenPosition, type TradingPositionRow } from './positions.ts';
import type { QuarantinedFillRow } from './routing/quarantine.ts';
import type { StrategyRow } from './strategies.ts';
import type { TradingTradeRow } from './trades.ts';

export type PositionEvent = ChangeEvent<TradingPositionRow>;
export type OrderEvent = ChangeEvent<TradingOrderRow>;
export type TradeEvent = ChangeEvent<TradingTradeRow>;
export type StrategyEvent = ChangeEvent<StrategyRow>;
export type QuarantinedFillEvent = ChangeEvent<QuarantinedFillRow>;
export type PortfolioEvent = ChangeEvent<PortfolioReference>;

export const positionTopic = topic<TradingPositionRow>({
  table: 'positions',
  key: 'position_id',
  fields: { accountId: 'uuid', strategyId: 'text', instrumentId: 'text' },
  mode: 'conflated',
  snapshot: isOpenPosition,
});

export const orderTopic = topic<TradingOrderRow>({
  table: 'orders',
  key: 'order_id',
  fields: { accountId: 'uuid', strategyId: 'text' },
  mode: 'lossless',
  snapshot: isActiveOrder,
});

export const tradeTopic = topic<TradingTradeRow>({
  table: 'trades',
  key: 'trade_id',
  fields: { accountId: 'uuid', strategyId: 'text' },
  mode: 'lossless',
  snapshotOrder: raw('executed_at desc, trade_id desc'),
  snapshotRows: 100,
});

export const strategyTopic = topic<StrategyRow>({
  table: 'strategies',
  key: 'strategy_id',
  fields: { accountId: 'uuid', strategyId: 'text' },
  mode: 'conflated',
});

export const quarantineTopic = topic<QuarantinedFillRow>({
  table: 'quarantined_fills',
  key: 'quarantined_fill_id',
  fields: { accountId: 'uuid', strategyId: 'text' },
  mode: 'lossless',
  snapshot: raw(`status = 'open'`),
});

/** The symbols as rows have them; none means every instrument. */
export function instrumentIds(symbols: readonly string[] | null | undefined): string[] | null {
  return symbols ? normaliseSymbols(symbols) : null;
}
