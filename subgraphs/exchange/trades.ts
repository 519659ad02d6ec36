/** Trades: what is stored of them and how they are read, by their parties and by the public. */
import { type Sql, sql } from '../../platform/database/sql.ts';
import { badInput } from '../../platform/errors.ts';
import { equals, equalsSymbol, equalsUuid, isOneOfUuids, within } from '../../platform/filters.ts';
import { type Derived, derived, entity } from '../../platform/loaders.ts';
import { type Connection, connectionSource, PAGE_LIMIT } from '../../platform/paging.ts';
import type { Context } from './context.ts';
import { ofClient } from './filters.ts';
import type { ExchangeTradeFilter, Liquidity } from './generated/resolvers.ts';
import type { OrderSide } from './rules/order-entry.ts';

/** A row of `trades`: one side of a match. */
export interface ExchangeTradeRow {
  tradeId: string;
  matchId: string;
  orderId: string;
  accountId: string;
  symbol: string;
  side: OrderSide;
  liquidity: Liquidity;
  quantity: string;
  price: string;
  fee: string;
  feeCurrency: string;
  traceId: string | null;
  executedAt: string;
}

/** A match without its accounts. */
export type ExchangePrintRow = Pick<
  ExchangeTradeRow,
  'matchId' | 'symbol' | 'side' | 'quantity' | 'price' | 'executedAt'
>;

export type ExchangeTradePage = Connection<ExchangeTradeRow>;

export const trades = entity<ExchangeTradeRow>({
  name: 'ExchangeTrade',
  table: 'trades',
  key: 'trade_id',
  keyType: 'uuid',
});

export const tradeList = connectionSource<ExchangeTradeRow>({
  table: 'trades',
  id: 'trade_id',
  sorts: { EXECUTED_AT: 'executed_at', QUANTITY: 'quantity', PRICE: 'price' },
  parents: { account_id: 'uuid', order_id: 'uuid' },
});

/** The conditions of a filter. Throws a validation Refusal on a symbol that is none. */
export function tradeConditions(filter: ExchangeTradeFilter | null | undefined): Sql[] {
  if (!filter) return [];
  return [
    ...isOneOfUuids('order_id', filter.orderIds),
    ...equalsUuid('account_id', filter.accountId),
    ...ofClient(filter.clientId),
    ...equalsUuid('order_id', filter.orderId),
    ...equalsUuid('match_id', filter.matchId),
    ...equalsSymbol('symbol', filter.symbol),
    ...equals('side', filter.side),
    ...equals('liquidity', filter.liquidity),
    ...within('executed_at', filter),
  ];
}

/**
 * The newest matches of an instrument, newest first; instruments asked in one tick share a statement.
 * @throws GraphQLError (bad input) when `first` is not from 1 to 500
 */
export async function tapeOf(context: Context, symbol: string, first: number): Promise<ExchangePrintRow[]> {
  if (first < 1 || first > PAGE_LIMIT) {
    throw badInput(`first must be from 1 to ${PAGE_LIMIT}, but got ${first}.`, ['first']);
  }
  return context.derive(TAPES[first] as Derived<ExchangePrintRow[]>, symbol, async (symbols) => {
    const rows = await context.db.query<ExchangePrintRow>(
      sql`select prints.* from unnest(${symbols}::text[]) as wanted(symbol)
           cross join lateral (
             select match_id, trades.symbol, side, quantity, price, executed_at from trades
              where trades.symbol = wanted.symbol and liquidity = 'TAKER'
              order by executed_at desc, trade_id desc limit ${first}) as prints
           order by executed_at desc`,
    );
    const bySymbol = Map.groupBy(rows, (row) => row.symbol);
    return symbols.map((wanted) => bySymbol.get(wanted) ?? []);
  });
}

/** By length. */
const TAPES = Array.from({ length: PAGE_LIMIT + 1 }, (_, first) =>
  derived<ExchangePrintRow[]>({
    name: `tape of ${first}`,
    table: 'trades',
    column: 'symbol',
    keyType: 'text',
    absent: [],
  }),
);
