/** Positions: what is stored of them and how they are read. Values and P&L are computed by the database (migration). */
import { allOf, raw, type Sql, sql } from '../../platform/database/sql.ts';
import { between, equals, equalsSymbol, equalsUuid, within } from '../../platform/filters.ts';
import { entity } from '../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../platform/paging.ts';
import { isStorable } from '../../platform/texts.ts';
import { type Archivable, withArchived } from './archive/archive.ts';
import type { Context } from './context.ts';
import type { TradingPositionFilter } from './generated/resolvers.ts';
import type { LivePrices } from './live-marks.ts';
import { type Mark, valueAt } from './rules/valuation.ts';

/** A row of `positions`. */
export interface TradingPositionRow extends Archivable {
  positionId: string;
  strategyId: string;
  accountId: string;
  instrumentId: string;
  /** Signed: negative is short. */
  quantity: string;
  averageEntryPrice: string;
  realizedPnl: string;
  currentPrice: string;
  markedAt: string;
  marketValue: string;
  exposure: string;
  costBasis: string;
  unrealizedPnl: string;
  totalPnl: string;
  openedAt: string;
  closedAt: string | null;
  notes: string | null;
  traceId: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
}

export type TradingPositionPage = Connection<TradingPositionRow>;

export const positions = entity<TradingPositionRow>({
  name: 'TradingPosition',
  table: 'positions',
  key: 'position_id',
  keyType: 'text',
});

export const positionList = connectionSource<TradingPositionRow>({
  table: 'positions',
  id: 'position_id',
  sorts: {
    OPENED_AT: 'opened_at',
    UPDATED_AT: 'updated_at',
    EXPOSURE: 'exposure',
    UNREALIZED_PNL: 'unrealized_pnl',
  },
  parents: { strategy_id: 'text', account_id: 'uuid', instrument_id: 'text' },
});

/** The list that a filter asks for: archived positions are in it only when it says so. */
export function positionListOf(filter: TradingPositionFilter | null | undefined) {
  return filter?.includeArchived ? allPositionList : positionList;
}

const allPositionList = withArchived(positionList);

/** Positions that are not flat. */
export const isOpenPosition: Sql = raw('closed_at is null');

/** The conditions of a filter. Throws a validation Refusal on a symbol that is none. */
export function positionConditions(filter: TradingPositionFilter | null | undefined): Sql[] {
  if (!filter) return [];
  const { isOpen = null } = filter;
  return [
    ...equals('strategy_id', filter.strategyId),
    ...equalsUuid('account_id', filter.accountId),
    ...equalsSymbol('instrument_id', filter.symbol),
    ...(isOpen === null ? [] : [isOpen ? isOpenPosition : raw('closed_at is not null')]),
    ...within('opened_at', filter),
    ...between('market_value', filter.minValue, filter.maxValue),
  ];
}

/** The strategy's open position in the instrument, or null when it is flat; asked in one tick they share a statement. */
export function openPositionOf(
  context: Context,
  strategyId: string,
  symbol: string,
): Promise<TradingPositionRow | null> {
  if (!isStorable(strategyId)) return Promise.resolve(null);
  return context.batch('openPosition', [strategyId, symbol] as const, async (keys) => {
    const rows = await context.db.query<TradingPositionRow>(
      sql`select positions.* from positions
            join unnest(${keys.map(([id]) => id)}::text[], ${keys.map(([, name]) => name)}::text[])
              as wanted(strategy_id, instrument_id) using (strategy_id, instrument_id)
           where closed_at is null`,
    );
    return keys.map(([id, name]) => rows.find((row) => row.strategyId === id && row.instrumentId === name) ?? null);
  });
}

/** The position at the latest price that is known; closed ones stay as they ended. */
export function valued(context: Context, row: TradingPositionRow): TradingPositionRow {
  if (row.closedAt !== null) return row;
  const mark = pricesOf(context).get(row.instrumentId);
  const known = valuations.get(row);
  if (known && known.mark === mark) return known.value;
  const value = valueAt(row, mark);
  valuations.set(row, { mark, value });
  return value;
}

/** The prices at which one request values everything, so that its totals are the sums of its rows. */
export function pricesOf(context: Context): LivePrices {
  const prices = pricesOfRequests.get(context) ?? context.service.marks.now();
  pricesOfRequests.set(context, prices);
  return prices;
}

/** Values everything of the request at these prices. */
export function holdPrices(context: Context, prices: LivePrices): void {
  pricesOfRequests.set(context, prices);
}

const pricesOfRequests = new WeakMap<Context, LivePrices>();

/** Several fields of a row ask for one valuation. */
const valuations = new WeakMap<TradingPositionRow, { mark: Mark | undefined; value: TradingPositionRow }>();

/** Open positions with their values at the prices, where these are newer: the columns that totals are made of. */
export function valuedPositions(prices: LivePrices): Sql {
  const marks = [...prices.values()];
  return sql`(
    select position_id, strategy_id, account_id, price, realized_pnl, cost_basis, round8(quantity * price) as market_value,
           round8(abs(quantity) * price) as exposure, round8(quantity * (price - average_entry_price)) as unrealized_pnl,
           marked_at
      from (select position_id, strategy_id, account_id, realized_pnl, quantity, average_entry_price, cost_basis,
                   coalesce(live.price, current_price) as price, coalesce(live.at, marked_at) as marked_at
              from positions
              left join unnest(${[...prices.keys()]}::text[], ${marks.map(({ price }) => price)}::numeric[],
                               ${marks.map(({ at }) => at)}::timestamptz[]) as live(symbol, price, at)
                on live.symbol = instrument_id and live.at > positions.marked_at
             where closed_at is null) as priced)`;
}

/** The open positions of the largest exposure at the latest prices, the largest first. */
export function largestPositions(
  context: Context,
  of: { strategyId?: string | null | undefined; accountId?: string | null | undefined },
  limit: number,
): Promise<TradingPositionRow[]> {
  const prices = pricesOf(context);
  const marks = [...prices.values()];
  const conditions = [
    isOpenPosition,
    ...equals('strategy_id', of.strategyId),
    ...equalsUuid('account_id', of.accountId),
  ];
  return context.db.query<TradingPositionRow>(
    sql`select positions.* from positions
          left join unnest(${[...prices.keys()]}::text[], ${marks.map(({ price }) => price)}::numeric[],
                           ${marks.map(({ at }) => at)}::timestamptz[]) as live(symbol, price, at)
            on live.symbol = instrument_id and live.at > marked_at
         where ${allOf(conditions)}
         order by abs(quantity) * coalesce(live.price, current_price) desc, position_id limit ${limit}`,
  );
}

/** A sum over open positions, of one strategy or account or of all; "0" when there are none. */
export async function sumOfOpenPositions(
  context: Context,
  amount: 'exposure' | 'unrealized_pnl',
  of: { strategyId?: string | null | undefined; accountId?: string | null | undefined },
): Promise<string> {
  const column = amount === 'exposure' ? sql`exposure` : sql`unrealized_pnl`;
  const conditions = [...equals('strategy_id', of.strategyId), ...equalsUuid('account_id', of.accountId)];
  const row = await context.db.one<{ total: string }>(
    sql`select coalesce(sum(${column}), 0) as total from ${valuedPositions(pricesOf(context))} as held where ${allOf(conditions)}`,
  );
  return row?.total ?? '0';
}
