/** The portfolio of an exchange account: sums over its strategies and their open positions. */
import type { Database } from '../../platform/database/database.ts';
import { sql } from '../../platform/database/sql.ts';
import { isUuid } from '../../platform/uuid.ts';
import type { Context } from './context.ts';
import type { LivePrices } from './live-marks.ts';
import { pricesOf, valuedPositions } from './positions.ts';

/** A portfolio is not stored; its account's id is all that identifies it. */
export interface PortfolioReference {
  /** UUID in lower case. */
  accountId: string;
  /** Where they have been read already, and at which prices. */
  valued?: { totals: PortfolioTotals; prices: LivePrices };
}

export interface PortfolioTotals {
  totalMarketValue: string;
  totalCostBasis: string;
  totalUnrealizedPnl: string;
  totalRealizedPnl: string;
  totalPnl: string;
  grossExposure: string;
  netExposure: string;
  openPositionCount: number;
  oldestMarkedAt: string | null;
}

/** The portfolio of that account, or null when the id is no UUID. Whether the account exists the exchange knows. */
export function portfolioOf(accountId: string): PortfolioReference | null {
  return isUuid(accountId) ? { accountId: accountId.toLowerCase() } : null;
}

/** The totals of a portfolio; portfolios asked in one tick, however many positions they hold, share a statement. */
export async function totalsOf(context: Context, { accountId, valued }: PortfolioReference): Promise<PortfolioTotals> {
  if (valued) return valued.totals;
  return context.batch('portfolioTotals', accountId, (ids) => readTotals(context.db, pricesOf(context), ids));
}

/** The totals of each account, in that order, in one statement. */
export function readTotals(
  db: Database,
  prices: LivePrices,
  accountIds: readonly string[],
): Promise<PortfolioTotals[]> {
  return db.query<PortfolioTotals>(
    sql`select total_market_value, total_cost_basis, total_unrealized_pnl, total_realized_pnl,
               total_unrealized_pnl + total_realized_pnl as total_pnl, gross_exposure,
               total_market_value as net_exposure, open_position_count, oldest_marked_at
          from unnest(${accountIds}::uuid[]) with ordinality as wanted(id, place)
         cross join lateral (
           select coalesce(sum(market_value), 0) as total_market_value, coalesce(sum(cost_basis), 0) as total_cost_basis,
                  coalesce(sum(unrealized_pnl), 0) as total_unrealized_pnl,
                  coalesce(sum(exposure), 0) as gross_exposure, count(*)::int as open_position_count,
                  min(marked_at) as oldest_marked_at
             from ${valuedPositions(prices)} as priced where account_id = wanted.id) as held
         cross join lateral (
           select coalesce(sum(realized_pnl), 0) as total_realized_pnl from strategies where account_id = wanted.id
         ) as taken
         order by place`,
  );
}
