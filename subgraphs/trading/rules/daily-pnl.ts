/** What a strategy realised in the current UTC day. */
import { type Decimal, dec } from '../../../platform/decimal.ts';

export interface DailyPnl {
  /** UTC day as "2026-01-31"; null before the first trade. */
  day: string | null;
  pnl: Decimal;
}

/** The UTC day of an instant in canonical form. */
export function dayOf(instant: string): string {
  return instant.slice(0, 10);
}

/**
 * The day's sum with one more trade, by the day it was executed. The first trade of a later day starts a new sum; a
 * late report of an earlier day belongs to a day that is over and changes nothing.
 */
export function addToDay(daily: DailyPnl, executedAt: string, realizedPnl: Decimal): DailyPnl {
  const day = dayOf(executedAt);
  if (daily.day === null || day > daily.day) return { day, pnl: realizedPnl };
  return day === daily.day ? { day, pnl: daily.pnl.plus(realizedPnl) } : daily;
}

/** What was realised in the UTC day of `now`: zero when the sum is an earlier day's. */
export function dailyPnlOn(daily: DailyPnl, now: Date): Decimal {
  return daily.day === dayOf(now.toISOString()) ? daily.pnl : dec(0);
}
