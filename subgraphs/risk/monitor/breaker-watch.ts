/** Opens the circuit breaker of trading where something says so, and moves it on when its time has come. */
import { sql } from '../../../platform/database/sql.ts';
import { inTransaction } from '../../../platform/database/transaction.ts';
import { type Decimal, dec, sum } from '../../../platform/decimal.ts';
import type { ServiceParts } from '../../../platform/subgraph.ts';
import { SYSTEM } from '../alerts/raising.ts';
import { lockBreaker, step } from '../breaker/breaker.ts';
import type { LimitBook } from '../limits/limit-book.ts';
import { afterwards, RAPID_LOSS_WINDOW_MS, tripOf } from '../rules/breaker.ts';
import type { Portfolios } from './portfolios.ts';

export class BreakerWatch {
  private readonly parts: ServiceParts;
  private readonly limits: LimitBook;
  private readonly portfolios: Portfolios;
  private pnl: { at: number; total: Decimal }[] = [];

  constructor({ parts, limits, portfolios }: { parts: ServiceParts; limits: LimitBook; portfolios: Portfolios }) {
    this.parts = parts;
    this.limits = limits;
    this.portfolios = portfolios;
  }

  /** An open breaker becomes half open, a half-open one closes, when its time has come. */
  async moveOn(now: Date): Promise<void> {
    const breaker = this.limits.breaker();
    if (!breaker?.movesOnAt || Date.parse(breaker.movesOnAt) > now.getTime()) return;
    await inTransaction(this.parts.db, async (tx) => {
      const { state, movesOnAt } = await lockBreaker(tx);
      if (state === 'closed' || movesOnAt === null || Date.parse(movesOnAt) > now.getTime()) return;
      const to = afterwards(state);
      const reason =
        to === 'closed' ? 'Nothing has opened it again.' : 'Its time is over: it closes if nothing opens it again.';
      await step(tx, state, { to, cause: null, reason, value: null, by: SYSTEM, traceId: null }, now);
    });
    this.parts.feed.ring();
  }

  /** Opens the breaker where something says so. */
  async look(now: Date, traceId: string | null = null): Promise<void> {
    const { db, feed } = this.parts;
    const at = now.getTime();
    const totalPnl = sum(this.portfolios.book.accountIds().map((accountId) => this.portfolios.totalPnl(accountId)));
    if (this.pnl.length === 0) this.pnl = await this.readPnl(now);
    this.pnl = [...this.pnl.filter((point) => at - point.at <= RAPID_LOSS_WINDOW_MS), { at, total: totalPnl }];
    const recentPeak = this.pnl.reduce((most, { total }) => (total.gt(most) ? total : most), totalPnl);
    const breaker = this.limits.breaker();
    if (breaker?.state === 'open') return;
    const row = await db.one<{ count: number }>(
      sql`select count(*)::int as count from risk_alerts where status = 'active' and severity = 'critical'`,
    );
    const trip = tripOf({ totalPnl, recentPeak, activeCriticalAlerts: row?.count ?? 0 });
    if (!trip) return;
    await inTransaction(db, async (tx) => {
      const { state } = await lockBreaker(tx);
      if (state === 'open') return;
      const { cause, reason, value } = trip;
      await step(tx, state, { to: 'open', cause, reason, value: value.toFixed(8), by: SYSTEM, traceId }, now);
    });
    feed.ring();
    this.parts.log.warn({ reason: trip.reason }, 'the circuit breaker of trading is open');
  }

  /** P&L of all portfolios in the last minutes, as an earlier monitor stored it. */
  private async readPnl(now: Date): Promise<{ at: number; total: Decimal }[]> {
    const rows = await this.parts.db.query<{ minute: string; total: string }>(sql`
      select minute, sum(total_pnl) as total from portfolio_points
       where minute > ${new Date(now.getTime() - RAPID_LOSS_WINDOW_MS)}::timestamptz
       group by minute having count(*) = (select count(distinct account_id) from portfolio_points
                                           where minute > ${new Date(now.getTime() - RAPID_LOSS_WINDOW_MS)}::timestamptz)`);
    return rows.map(({ minute, total }) => ({ at: Date.parse(minute), total: dec(total) }));
  }
}
