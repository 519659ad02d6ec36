/** Strategies: what is stored of them and how they are read. */
import { raw, type Sql, sql } from '../../platform/database/sql.ts';
import { stored } from '../../platform/enums.ts';
import { equals, equalsUuid, within } from '../../platform/filters.ts';
import { entity } from '../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../platform/paging.ts';
import { normaliseSymbol } from '../../platform/symbols.ts';
import type { Context } from './context.ts';
import type { StrategyFilter, StrategyType } from './generated/resolvers.ts';
import { OF_STRATEGY, openPositionsOf, sumOf } from './open-positions.ts';
import { pricesOf, sumOfOpenPositions } from './positions.ts';
import type { StrategyStatus } from './rules/strategy-lifecycle.ts';

/** A row of `strategies`. */
export interface StrategyRow {
  strategyId: string;
  name: string;
  strategyType: Lowercase<StrategyType>;
  status: StrategyStatus;
  accountId: string;
  instruments: string[];
  venueIds: string[];
  parameters: Record<string, unknown>;
  /** What it was given to trade with, in quote units. */
  capital: string | null;
  maxPositionSize: string | null;
  maxDailyLoss: string | null;
  maxLeverage: string | null;
  totalTrades: number;
  realizedPnl: string;
  /** Realised by the executions of `dailyPnlDate`. */
  dailyPnl: string;
  dailyPnlDate: string | null;
  errorMessage: string | null;
  startedAt: string | null;
  stoppedAt: string | null;
  traceId: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
}

export type StrategyPage = Connection<StrategyRow>;

export const strategies = entity<StrategyRow>({
  name: 'Strategy',
  table: 'strategies',
  key: 'strategy_id',
  keyType: 'text',
});

export const strategyList = connectionSource<StrategyRow>({
  table: 'strategies',
  id: 'strategy_id',
  sorts: { CREATED_AT: 'created_at', NAME: 'name' },
  parents: {
    account_id: 'uuid',
    instruments: { type: 'text', matches: (symbol) => sql`instruments @> array[${symbol}]` },
  },
});

/** The conditions of a filter. Throws a validation Refusal on a symbol that is none. */
export function strategyConditions(filter: StrategyFilter | null | undefined): Sql[] {
  if (!filter) return [];
  return [
    ...equals('strategy_type', filter.type && stored(filter.type)),
    ...equals('status', filter.status && stored(filter.status)),
    ...(filter.symbol ? [sql`instruments @> array[${normaliseSymbol(filter.symbol, ['filter', 'symbol'])}]`] : []),
    ...equalsUuid('account_id', filter.accountId),
    ...within('created_at', filter),
  ];
}

export const isActive: Sql = raw(`status = 'active'`);

/** Sum of the unrealised P&L of the strategy's open positions. */
export function unrealizedPnlOf(context: Context, strategyId: string): Promise<string> {
  return context.batch('unrealizedPnl', strategyId, (ids) =>
    Promise.all(ids.map((id) => sumUnrealizedPnl(context, id))),
  );
}

async function sumUnrealizedPnl(context: Context, strategyId: string): Promise<string> {
  const held = await openPositionsOf(context.db, context.derive, OF_STRATEGY, strategyId);
  if (!held) return sumOfOpenPositions(context, 'unrealized_pnl', { strategyId });
  return sumOf(held, pricesOf(context)).unrealizedPnl.toFixed();
}
