/** How a strategy or an account did in a window. Each part is read when it is asked for, for all parents at once. */
import { identifier, type Sql, sql } from '../../../platform/database/sql.ts';
import { type Decimal, dec } from '../../../platform/decimal.ts';
import { badInput } from '../../../platform/errors.ts';
import type { Context } from '../context.ts';
import { totalAt } from './equity-curve.ts';
import { belongs, type Pnl, type Scope } from './pnl.ts';
import { dayEndingAt, instantsOf } from './rules/periods.ts';
import type { RatioTerms } from './rules/returns.ts';
import type { RoundTrips } from './rules/round-trips.ts';
import { type Window, windowOf } from './window.ts';

/** A report is not stored: this is what it is asked for. */
export interface Performance {
  scope: Scope;
  window: Window;
  capital: Decimal | null;
  terms: RatioTerms;
}

export interface PerformanceArgs {
  from?: string | null | undefined;
  to?: string | null | undefined;
  periodsPerYear: number;
  riskFreeRate: string;
}

/** More periods a year than there are seconds make no sense, and neither does none. */
const PERIODS_LIMIT = 31_622_400;

export function performanceOf(
  context: Context,
  scope: Scope,
  capital: Decimal | null,
  { periodsPerYear, riskFreeRate, ...args }: PerformanceArgs,
): Performance {
  if (periodsPerYear < 1 || periodsPerYear > PERIODS_LIMIT) {
    throw badInput(`periodsPerYear must be from 1 to ${PERIODS_LIMIT}, but got ${periodsPerYear}.`, ['periodsPerYear']);
  }
  const window = windowOf(context, args);
  instantsOf(window.from, window.to, 'DAY'); // refuses a window that is too long before anything is read
  return { scope, window, capital, terms: { periodsPerYear, riskFree: dec(riskFreeRate).div(periodsPerYear) } };
}

/** P&L at the beginning of the window, at each midnight within, and at its end. */
export function dailyPoints(context: Context, { scope, window }: Performance): Promise<Pnl[]> {
  return totalAt(context, scope, window, 'DAY');
}

/** Equity at those points; null where the capital is not known. */
export async function dailyEquity(context: Context, performance: Performance): Promise<Decimal[] | null> {
  const { capital } = performance;
  if (capital === null) return null;
  const points = await dailyPoints(context, performance);
  return points.map(({ realizedPnl, unrealizedPnl }) => capital.plus(realizedPnl).plus(unrealizedPnl));
}

export interface DailyPnl {
  date: string;
  pnl: string;
  realizedPnl: string;
  tradeCount: number;
}

/** What each UTC day of the window added: P&L by the daily points, realised P&L and executions by the trades. */
export async function dailyPnl(context: Context, performance: Performance): Promise<DailyPnl[]> {
  const { scope, window } = performance;
  const [points, traded] = await Promise.all([
    dailyPoints(context, performance),
    context.batch(`tradedByDay:${scope.column}:${nameOf(window)}`, scope.id, async (ids) => {
      const rows = await context.db.query<DayRow>(
        sql`select ${identifier(scope.column)}::text as holder, (executed_at at time zone 'UTC')::date as date,
                   count(*)::int as trade_count, sum(realized_pnl) as realized_pnl
              from all_trades where ${belongs(scope, ids)} and ${executedIn(window)} group by 1, 2`,
      );
      const byHolder = Map.groupBy(rows, ({ holder }) => holder);
      return ids.map((id) => byHolder.get(id) ?? []);
    }),
  ]);
  const byDate = new Map(traded.map((day) => [day.date, day]));
  const instants = instantsOf(window.from, window.to, 'DAY');
  return instants.slice(1).map((end, i) => {
    const date = dayEndingAt(end);
    const { realizedPnl = '0', tradeCount = 0 } = byDate.get(date) ?? {};
    const pnl = sumOf(points[i + 1] as Pnl).minus(sumOf(points[i] as Pnl));
    return { date, pnl: pnl.toFixed(), realizedPnl, tradeCount };
  });
}

interface DayRow {
  holder: string;
  date: string;
  tradeCount: number;
  realizedPnl: string;
}

/** The positions that were closed in the window. */
export async function roundTrips(context: Context, { scope, window }: Performance): Promise<RoundTrips> {
  return context.batch(`roundTrips:${scope.column}:${nameOf(window)}`, scope.id, async (ids) => {
    const rows = await context.db.query<Omit<RoundTrips, 'gains' | 'losses'> & RoundTripSums>(
      sql`select ${identifier(scope.column)}::text as holder, count(*)::int as closed,
                 (count(*) filter (where realized_pnl > 0))::int as winners,
                 (count(*) filter (where realized_pnl < 0))::int as losers,
                 coalesce(sum(realized_pnl) filter (where realized_pnl > 0), 0) as gains,
                 coalesce(sum(realized_pnl) filter (where realized_pnl < 0), 0) as losses
            from all_positions
           where ${belongs(scope, ids)} and closed_at is not null and closed_at >= ${window.from}::timestamptz
             and ${window.isLive ? sql`true` : sql`closed_at < ${window.to}::timestamptz`}
           group by 1`,
    );
    const byHolder = new Map(rows.map((row) => [row.holder, row]));
    return ids.map((id) => {
      const { closed = 0, winners = 0, losers = 0, gains = '0', losses = '0' } = byHolder.get(id) ?? {};
      return { closed, winners, losers, gains: dec(gains), losses: dec(losses) };
    });
  });
}

interface RoundTripSums {
  holder: string;
  gains: string;
  losses: string;
}

/** Trades that were executed in the window. */
export function executedIn({ from, to, isLive }: Window): Sql {
  const since = sql`executed_at >= ${from}::timestamptz`;
  return isLive ? since : sql`${since} and executed_at < ${to}::timestamptz`;
}

/** What tells one window from another within a request. */
export function nameOf({ from, to, isLive }: Window): string {
  return `${from}/${isLive ? '' : to}`;
}

/** Realised and unrealised P&L together. */
export function sumOf({ realizedPnl, unrealizedPnl }: Pnl): Decimal {
  return realizedPnl.plus(unrealizedPnl);
}
