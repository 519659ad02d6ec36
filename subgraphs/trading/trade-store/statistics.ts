/** Figures of managed trades, and of the copies that serve while PostgreSQL does not answer. */
import { allOf, sql } from '../../../platform/database/sql.ts';
import type { Context } from '../context.ts';
import type { ManagedTradeFilter, ManagedTradeStats } from '../generated/resolvers.ts';
import { isOpenTrade } from './backends/journal.ts';
import { managedTradeConditions } from './managed-trades.ts';

type Figures = Omit<ManagedTradeStats, '__typename' | 'backend' | 'isInitialized' | 'error'>;

export async function managedTradeStats(
  context: Context,
  filter: ManagedTradeFilter | null | undefined,
): Promise<ManagedTradeStats> {
  const [figures, store] = await Promise.all([
    context.db.one<Figures>(sql`
      select count(*)::int as total, count(*) filter (where ${isOpenTrade})::int as open,
             count(*) filter (where status = 'closed')::int as closed,
             coalesce(sum(pnl_usd) filter (where status = 'closed'), 0) as total_pnl,
             count(*) filter (where status = 'closed' and pnl_usd > 0)::int as winners,
             count(*) filter (where status = 'closed' and pnl_usd < 0)::int as losers,
             coalesce(sum(entry_fee_usd + exit_fee_usd + funding_fees_usd) filter (where status = 'closed'), 0) as total_fees,
             round8(avg(r_multiple) filter (where status = 'closed')) as average_r_multiple
        from managed_trades where ${allOf(managedTradeConditions(filter))}`),
    context.service.trades.state(),
  ]);
  return { ...(figures as Figures), ...store };
}
