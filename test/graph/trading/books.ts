/** What must hold between the rows of trading, whatever has happened. */
import { expect } from 'vitest';

/** Every rule that joins rows of several tables; each gives the rows that break it. */
const AUDIT: Record<string, string> = {
  'an order is filled by its trades': `
    select order_id from orders left join (
      select order_id, sum(quantity) as filled, sum(quantity * price) as notional, sum(commission) as fees,
             sum(realized_pnl) as realized from trades group by order_id) as done using (order_id)
     where (filled_quantity, filled_notional, commission, coalesce(realized_pnl, 0))
           is distinct from (coalesce(filled, 0), coalesce(notional, 0), coalesce(fees, 0), coalesce(realized, 0))`,
  'positions hold what was traded': `
    select strategy_id, instrument_id from (
      select strategy_id, instrument_id, sum(case side when 'buy' then quantity else -quantity end) as traded,
             sum(realized_pnl) as realized from trades group by 1, 2) as done
     full join (select strategy_id, instrument_id, sum(quantity) as held, sum(realized_pnl) as realized
                  from positions group by 1, 2) as kept using (strategy_id, instrument_id)
     where (traded, done.realized) is distinct from (held, kept.realized)`,
  'strategies count what was traded': `
    select strategy_id from strategies left join (
      select strategy_id, count(*) as count, sum(realized_pnl) as realized from trades group by 1) as done
      using (strategy_id)
     where (total_trades, strategies.realized_pnl) is distinct from (coalesce(count, 0), coalesce(realized, 0))`,
  'a trade is not older than its order': `
    select trade_id from trades join orders using (order_id) where executed_at < orders.created_at`,
};

/** Passes when no row breaks a rule. */
export async function expectTrueTotals(sql: (statement: string) => Promise<unknown[]>): Promise<void> {
  for (const [rule, statement] of Object.entries(AUDIT)) {
    expect({ [rule]: await sql(statement) }).toEqual({ [rule]: [] });
  }
}
