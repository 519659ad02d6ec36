/** Executions: what is stored of them and how they are read. */
import { allOf, join, type Sql, sql } from '../../platform/database/sql.ts';
import { stored } from '../../platform/enums.ts';
import { badInput } from '../../platform/errors.ts';
import { between, equals, equalsSymbol, equalsUuid, within } from '../../platform/filters.ts';
import { parseInstant } from '../../platform/instant.ts';
import { entity } from '../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../platform/paging.ts';
import { type Archivable, withArchived } from './archive/archive.ts';
import type { Context } from './context.ts';
import type { Liquidity, TradingTradeFilter } from './generated/resolvers.ts';
import type { Side } from './rules/order-entry.ts';
import { canonicalVenueId } from './rules/venue-ids.ts';

/** A row of `trades`. */
export interface TradingTradeRow extends Archivable {
  tradeId: string;
  orderId: string;
  strategyId: string;
  accountId: string;
  instrumentId: string;
  side: Side;
  quantity: string;
  price: string;
  grossValue: string;
  commission: string;
  netValue: string;
  realizedPnl: string;
  executionVenue: string;
  exchangeTradeId: string;
  liquidity: Lowercase<Liquidity> | null;
  executedAt: string;
  notes: string | null;
  traceId: string | null;
  createdAt: string;
}

export type TradingTradePage = Connection<TradingTradeRow>;

export const trades = entity<TradingTradeRow>({
  name: 'TradingTrade',
  table: 'trades',
  key: 'trade_id',
  keyType: 'text',
});

export const tradeList = connectionSource<TradingTradeRow>({
  table: 'trades',
  id: 'trade_id',
  sorts: { EXECUTED_AT: 'executed_at', CREATED_AT: 'created_at', GROSS_VALUE: 'gross_value' },
  parents: { order_id: 'text', strategy_id: 'text', instrument_id: 'text' },
});

/** The executions that there are and those that are archived. */
export const allTradeList = withArchived(tradeList);

/** The list that a filter asks for: archived executions are in it only when it says so. */
export function tradeListOf(filter: TradingTradeFilter | null | undefined) {
  return filter?.includeArchived ? allTradeList : tradeList;
}

/** The conditions of a filter. Throws a validation Refusal on a symbol that is none. */
export function tradeConditions(filter: TradingTradeFilter | null | undefined): Sql[] {
  if (!filter) return [];
  return [
    ...equals('strategy_id', filter.strategyId),
    ...equals('order_id', filter.orderId),
    ...equalsUuid('account_id', filter.accountId),
    ...equalsSymbol('instrument_id', filter.symbol),
    ...equals('side', filter.side && stored(filter.side)),
    ...equals('execution_venue', filter.venue),
    ...within('executed_at', filter),
    ...between('gross_value', filter.minValue, filter.maxValue),
  ];
}

/** The execution that the venue knows by that id. */
export function tradeByExchangeId(
  context: Context,
  venue: string,
  exchangeTradeId: string,
): Promise<TradingTradeRow | null> {
  const conditions = [
    ...equals('execution_venue', venue),
    ...equals('exchange_trade_id', canonicalVenueId(exchangeTradeId)),
  ];
  return context.db.one<TradingTradeRow>(sql`select * from all_trades where ${join(conditions, ' and ')}`);
}

/** The execution that has that id at the exchange of this graph; asked in one tick they share a statement. */
export function tradeAtExchange(context: Context, exchangeTradeId: string): Promise<TradingTradeRow | null> {
  return context.batch('tradeAtExchange', exchangeTradeId, async (ids) => {
    const rows = await context.db.query<TradingTradeRow>(
      sql`select * from all_trades where exchange_trade_id = any(${ids}::text[])`,
    );
    const byId = new Map(rows.map((row) => [row.exchangeTradeId, row]));
    return ids.map((id) => byId.get(id) ?? null);
  });
}

/** The executions of one UTC day. Throws BAD_USER_INPUT unless the date is a day as "2026-01-31". */
export function onDay(date: string): Sql[] {
  const start = parseInstant(`${date}T00:00:00Z`);
  if ('problem' in start)
    throw badInput(`date must be a UTC day, for example "2026-01-31", but got "${date}".`, ['date']);
  return [
    sql`executed_at >= ${start.instant}::timestamptz`,
    sql`executed_at < ${start.instant}::timestamptz + interval '24 hours'`,
  ];
}

/** A sum over a strategy's executions in the window, archived ones too; "0" when there are none. */
export async function sumOfTrades(
  context: Context,
  amount: 'gross_value' | 'realized_pnl',
  strategyId: string,
  window: { from?: string | null | undefined; to?: string | null | undefined },
): Promise<string> {
  const column = amount === 'gross_value' ? sql`gross_value` : sql`realized_pnl`;
  const conditions = [...equals('strategy_id', strategyId), ...within('executed_at', window)];
  const row = await context.db.one<{ total: string }>(
    sql`select coalesce(sum(${column}), 0) as total from all_trades where ${allOf(conditions)}`,
  );
  return row?.total ?? '0';
}
