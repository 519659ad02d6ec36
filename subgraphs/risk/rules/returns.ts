/** What a series of equity has earned, and at what risk (domain.md §12.5). */
import { type Decimal, dec, mean, sampleDeviation, sum, ZERO } from '../../../platform/decimal.ts';

/** Crypto trades every day. */
export const PERIODS_PER_YEAR = 365;

/** What an account was worth, and what it had gained by trading, at an instant. */
export interface CapitalPoint {
  equity: Decimal;
  totalPnl: Decimal;
}

/**
 * What was gained from one point to the next, as a share of the equity before: money that is paid in or out is no return.
 * A step from nothing or less has none and is left out.
 */
export function returnsOnCapital(points: readonly CapitalPoint[]): Decimal[] {
  return points.slice(1).flatMap(({ totalPnl }, i) => {
    const before = points[i] as CapitalPoint;
    return before.equity.lte(0) ? [] : [totalPnl.minus(before.totalPnl).div(before.equity)];
  });
}

/** What one unit becomes by the returns, one after the other; it begins with the unit. */
export function growthOf(returns: readonly Decimal[]): Decimal[] {
  let value = dec(1);
  return [value, ...returns.map((rate) => (value = value.times(rate.plus(1))))];
}

/** (mean − risk-free) ÷ sample deviation × √periods; null where nothing deviates or there are fewer than two returns. */
export function sharpeRatio(
  returns: readonly Decimal[],
  periodsPerYear = PERIODS_PER_YEAR,
  riskFree: Decimal = ZERO,
): Decimal | null {
  const spread = sampleDeviation(returns);
  const middle = mean(returns);
  if (spread === null || middle === null || spread.isZero()) return null;
  return middle.minus(riskFree).div(spread).times(dec(periodsPerYear).sqrt());
}

/** As Sharpe, over the deviation of what fell short of `target`; null where nothing did. */
export function sortinoRatio(
  returns: readonly Decimal[],
  periodsPerYear = PERIODS_PER_YEAR,
  target: Decimal = ZERO,
): Decimal | null {
  const middle = mean(returns);
  if (middle === null) return null;
  const shortfalls = returns.map((value) => (value.lt(target) ? value.minus(target).pow(2) : ZERO));
  const downside = sum(shortfalls).div(returns.length).sqrt();
  if (downside.isZero()) return null;
  return middle.minus(target).div(downside).times(dec(periodsPerYear).sqrt());
}

/** The deepest fall from a peak, as a share of the peak: 0.25 of 120 → 90. 0 where nothing fell or nothing was positive. */
export function maximumDrawdown(equity: readonly Decimal[]): Decimal {
  let peak = ZERO;
  let deepest = ZERO;
  for (const value of equity) {
    if (value.gt(peak)) peak = value;
    const fall = peak.isZero() ? ZERO : peak.minus(value).div(peak);
    if (fall.gt(deepest)) deepest = fall;
  }
  return deepest;
}

/** Days over which a fall from the highest equity is looked for, where nobody says. */
export const PERIOD_DAYS = 30;
