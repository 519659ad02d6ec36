/** The portfolio of an exchange account: sums over its strategies and their open positions. */
import type { Database } from '../../platform/database/database.ts';
import { sql } from '../../platform/database/sql.ts';
import { dec } from '../../platform/decimal.ts';
import { derived } from '../../platform/loaders.ts';
import { isUuid } from '../../platform/uuid.ts';
import type { Context } from './context.ts';
import type { LivePrices } from './live-marks.ts';
import { type Derive, OF_ACCOUNT, openPositionsOf, type Sums, sumOf } from './open-positions.ts';
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

/** The totals of a portfolio; what several are made of that are asked for in one tick is read together. */
export async function totalsOf(context: Context, { accountId, valued }: PortfolioReference): Promise<PortfolioTotals> {
  if (valued) return valued.totals;
  return context.batch('portfolioTotals', accountId, (ids) =>
    Promise.all(ids.map((id) => readTotals(context.db, context.derive, pricesOf(context), id))),
  );
}

/** The totals of an account at the prices. */
export async function readTotals(
  db: Database,
  derive: Derive,
  prices: LivePrices,
  accountId: string,
): Promise<PortfolioTotals> {
  const [held, realizedPnl] = await Promise.all([
    openPositionsOf(db, derive, OF_ACCOUNT, accountId),
    realizedPnlOf(db, derive, accountId),
  ]);
  const sums = held ? sumOf(held, prices) : await sumInDatabase(db, prices, accountId);
  return {
    totalMarketValue: sums.marketValue.toFixed(),
    totalCostBasis: sums.costBasis.toFixed(),
    totalUnrealizedPnl: sums.unrealizedPnl.toFixed(),
    totalRealizedPnl: realizedPnl,
    totalPnl: sums.unrealizedPnl.plus(realizedPnl).toFixed(),
    grossExposure: sums.exposure.toFixed(),
    netExposure: sums.marketValue.toFixed(),
    openPositionCount: sums.count,
    oldestMarkedAt: sums.oldestMarkedAt,
  };
}

const REALIZED_PNL = derived<string>({
  name: 'realized P&L by account',
  table: 'strategies',
  column: 'account_id',
  keyType: 'uuid',
  absent: '0',
});

/** What the account's strategies have realised. */
function realizedPnlOf(db: Database, derive: Derive, accountId: string): Promise<string> {
  return derive(REALIZED_PNL, accountId, async (ids) => {
    const rows = await db.query<{ accountId: string; realizedPnl: string }>(sql`
      select account_id, sum(realized_pnl) as realized_pnl from strategies
       where account_id = any(${ids}::uuid[]) group by account_id`);
    const byAccount = new Map(rows.map((row) => [row.accountId, row.realizedPnl]));
    return ids.map((id) => byAccount.get(id) ?? '0');
  });
}

interface StoredSums {
  marketValue: string;
  costBasis: string;
  unrealizedPnl: string;
  exposure: string;
  count: number;
  oldestMarkedAt: string | null;
}

async function sumInDatabase(db: Database, prices: LivePrices, accountId: string): Promise<Sums> {
  const [sums] = await db.query<StoredSums>(sql`
    select coalesce(sum(market_value), 0) as market_value, coalesce(sum(cost_basis), 0) as cost_basis,
           coalesce(sum(unrealized_pnl), 0) as unrealized_pnl, coalesce(sum(exposure), 0) as exposure,
           count(*)::int as count, min(marked_at) as oldest_marked_at
      from ${valuedPositions(prices)} as held where account_id = ${accountId}::uuid`);
  const { marketValue, costBasis, unrealizedPnl, exposure, count, oldestMarkedAt } = sums as StoredSums;
  return {
    marketValue: dec(marketValue),
    costBasis: dec(costBasis),
    unrealizedPnl: dec(unrealizedPnl),
    exposure: dec(exposure),
    count,
    oldestMarkedAt,
  };
}
