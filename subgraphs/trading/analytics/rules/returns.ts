/** Returns and what is made of them (domain.md §12.5). Ratios are null where the formula has no value. */
import { Decimal, dec, mean, sampleDeviation, sum, ZERO } from '../../../../platform/decimal.ts';

/**
 * Return of each period: equity ÷ equity of the period before − 1.
 * @param equity quote units, oldest first
 * @returns one less than there are figures; null where one of those divided by is not above zero
 */
export function returnsOf(equity: readonly Decimal[]): Decimal[] | null {
  const before = equity.slice(0, -1);
  if (before.some((value) => value.lte(0))) return null;
  return before.map((value, i) => (equity[i + 1] as Decimal).div(value).minus(1));
}

export interface RatioTerms {
  /** Of one period, as a fraction. */
  riskFree: Decimal;
  /** How many periods a year has: 365 for days, since crypto trades every day. */
  periodsPerYear: number;
}

/** (mean − risk-free) ÷ sample deviation × √periods a year; null of fewer than two returns, or when they are all alike. */
export function sharpeRatio(returns: readonly Decimal[], { riskFree, periodsPerYear }: RatioTerms): Decimal | null {
  const deviation = sampleDeviation(returns);
  return ratio(returns, riskFree, deviation, periodsPerYear);
}

/**
 * The same over the downside deviation: the root of the mean, over all returns, of the squares of what each falls short
 * of the risk-free return. Null of fewer than two returns, or when none falls short.
 */
export function sortinoRatio(returns: readonly Decimal[], { riskFree, periodsPerYear }: RatioTerms): Decimal | null {
  if (returns.length < 2) return null;
  const shortfalls = returns.map((value) => Decimal.min(value.minus(riskFree), ZERO).pow(2));
  return ratio(returns, riskFree, sum(shortfalls).div(returns.length).sqrt(), periodsPerYear);
}

function ratio(returns: readonly Decimal[], riskFree: Decimal, deviation: Decimal | null, periodsPerYear: number) {
  const middle = mean(returns);
  if (middle === null || deviation === null || deviation.isZero()) return null;
  return middle.minus(riskFree).div(deviation).times(dec(periodsPerYear).sqrt());
}

export interface Drawdown {
  /** Largest fall below an earlier peak, in units of the figures; zero when they never fall. */
  amount: Decimal;
  /** Largest (peak − equity) ÷ peak; null where a peak is not above zero. */
  ratio: Decimal | null;
}

/** The largest falls below an earlier peak. @param equity oldest first */
export function maxDrawdown(equity: readonly Decimal[]): Drawdown {
  let peak = equity[0] ?? ZERO;
  let amount = ZERO;
  let ratio: Decimal | null = equity.length === 0 ? null : ZERO;
  for (const value of equity) {
    if (value.gt(peak)) peak = value;
    const fall = peak.minus(value);
    amount = Decimal.max(amount, fall);
    if (peak.lte(0)) ratio = null;
    else if (ratio !== null) ratio = Decimal.max(ratio, fall.div(peak));
  }
  return { amount, ratio };
}
