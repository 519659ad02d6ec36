/** Managed trades: how they are read and followed, and what they are worth at the current price. */

import { mayBeOld } from '../../../platform/cache/family.ts';
import { isUnreachable } from '../../../platform/database/database-error.ts';
import { type Sql, sql } from '../../../platform/database/sql.ts';
import { dec } from '../../../platform/decimal.ts';
import { stored } from '../../../platform/enums.ts';
import type { ChangeEvent } from '../../../platform/feed/row-changes.ts';
import { topic } from '../../../platform/feed/topic.ts';
import { between, equals, equalsSymbol, equalsUuid, within } from '../../../platform/filters.ts';
import { childList, entity } from '../../../platform/loaders.ts';
import { type Connection, type ConnectionArgs, connectionSource, knownPage } from '../../../platform/paging.ts';
import type { Context } from '../context.ts';
import type { ManagedTradeFilter } from '../generated/resolvers.ts';
import { openPositionOf, pricesOf, valued } from '../positions.ts';
import type { Mark } from '../rules/valuation.ts';
import { isOpenTrade } from './backends/journal.ts';
import type { KnownTrades } from './keeper.ts';
import { isOpen } from './rules/lifecycle.ts';
import type { ManagedTrade } from './rules/managed-trade.ts';
import { isEntered, type Results, resultsAt } from './rules/results.ts';

/** A row of `managed_trades`. */
export type ManagedTradeRow = ManagedTrade;

export type ManagedTradePage = Connection<ManagedTrade>;
export type ManagedTradeEvent = ChangeEvent<ManagedTrade>;

export const managedTrades = entity<ManagedTrade>({
  name: 'ManagedTrade',
  table: 'managed_trades',
  key: 'trade_id',
  keyType: 'text',
});

/** An order opens one as a rule, and another when that has ended before its last fill. */
const ofOrder = childList<ManagedTrade>({
  name: 'ManagedTrade of order',
  table: 'managed_trades',
  parent: 'exchange_order_id',
  keyType: 'text',
  orderBy: 'entry_time',
  limit: 100,
});

export const managedTradeList = connectionSource<ManagedTrade>({
  table: 'managed_trades',
  id: 'trade_id',
  sorts: { ENTERED_AT: 'entry_time', CREATED_AT: 'created_at', UPDATED_AT: 'updated_at', PNL: 'pnl_usd' },
  parents: { strategy_id: 'text' },
});

export const managedTradeTopic = topic<ManagedTrade>({
  table: 'managed_trades',
  key: 'trade_id',
  fields: { accountId: 'uuid', strategyId: 'text', symbol: 'text' },
  mode: 'lossless',
  snapshot: isOpenTrade,
});

/** The conditions of a filter. Throws a validation Refusal on a symbol that is none. */
export function managedTradeConditions(filter: ManagedTradeFilter | null | undefined): Sql[] {
  if (!filter) return [];
  const { isOpen: wanted = null } = filter;
  return [
    ...equals('strategy_id', filter.strategyId),
    ...equalsUuid('account_id', filter.accountId),
    ...equalsSymbol('symbol', filter.symbol),
    ...equals('side', filter.side && stored(filter.side)),
    ...equals('status', filter.status && stored(filter.status)),
    ...(wanted === null ? [] : [wanted ? isOpenTrade : sql`not ${isOpenTrade}`]),
    ...equals('close_reason', filter.closeReason && stored(filter.closeReason)),
    ...equals('model', filter.model),
    ...equals('meta_strategy_id', filter.metaStrategyId),
    ...equals('regime', filter.regime),
    ...equals('rl_state_key', filter.rlStateKey),
    ...equals('rl_action_key', filter.rlActionKey),
    ...within('entry_time', filter),
    ...between('pnl_usd', filter.minPnl, filter.maxPnl),
  ];
}

/** The trade, or null; from a copy while PostgreSQL does not answer. */
export async function managedTrade(context: Context, tradeId: string): Promise<ManagedTrade | null> {
  try {
    return await context.load(managedTrades, tradeId);
  } catch (error) {
    const [trade = null] = await orCopies(context, error, () => context.service.trades.trade(tradeId));
    return trade;
  }
}

/** The latest trade of an order, or null. */
export async function managedTradeOf(context: Context, orderId: string): Promise<ManagedTrade | null> {
  return (await context.list(ofOrder, orderId)).at(-1) ?? null;
}

type OpenArgs = ConnectionArgs & Pick<ManagedTradeFilter, 'strategyId' | 'accountId' | 'symbol'>;

/** The open set; its first page comes from a copy while PostgreSQL does not answer. */
export async function openManagedTrades(context: Context, args: OpenArgs): Promise<ManagedTradePage> {
  const { strategyId, accountId, symbol, ...page } = args;
  const conditions = [isOpenTrade, ...managedTradeConditions({ strategyId, accountId, symbol })];
  try {
    return await context.connect(managedTradeList, page, conditions);
  } catch (error) {
    if (page.after) throw error; // a copy keeps no pages
    const trades = await orCopies(context, error, () => context.service.trades.openTrades());
    const wanted = trades.filter(
      (trade) =>
        (!strategyId || trade.strategyId === strategyId) &&
        (!accountId || trade.accountId === accountId.toLowerCase()) &&
        (!symbol || trade.symbol === symbolOf(symbol)),
    );
    return knownPage(managedTradeList, { first: page.first }, wanted);
  }
}

function symbolOf(symbol: string): string {
  return String(equalsSymbol('symbol', symbol)[0]?.values[0]);
}

/**
 * What the trade store's copies know where PostgreSQL did not answer.
 * @throws the error, where it is another one, nothing old will do, or they do not know all
 */
async function orCopies(
  context: Context,
  error: unknown,
  read: () => Promise<KnownTrades | null>,
): Promise<ManagedTrade[]> {
  if (!isUnreachable(error) || !mayBeOld(context.reading)) throw error;
  const known = await read();
  if (known === null) throw error;
  context.reading.degrade({ store: 'POSTGRESQL', asOf: known.asOf });
  return known.trades;
}

/** The price at which what is left of the trade is valued; null when none is known, and unless it is open. */
export async function markOf(context: Context, trade: ManagedTrade): Promise<Mark | null> {
  if (!isOpen(trade)) return null;
  const live = pricesOf(context).get(trade.symbol);
  if (live || trade.strategyId === null) return live ?? null;
  const position = await openPositionOf(context, trade.strategyId, trade.symbol);
  if (!position) return null;
  const { currentPrice, markedAt } = valued(context, position);
  return { price: currentPrice, at: markedAt };
}

/** What would come of the trade at its current price; null without one. */
export async function openResults(context: Context, trade: ManagedTrade): Promise<Results | null> {
  const mark = await markOf(context, trade);
  return mark && isEntered(trade) ? resultsAt(trade, dec(mark.price)) : null;
}
