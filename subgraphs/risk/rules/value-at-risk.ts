/** What a portfolio may lose in a day (domain.md §12.5). A loss is positive. */
import { type Decimal, dec, sampleDeviation, sum, ZERO } from '../../../platform/decimal.ts';

export interface TailRisk {
  valueAtRisk: Decimal;
  /** Mean of the losses from the value at risk on; never below it. */
  expectedShortfall: Decimal;
  /** Fewer returns than one in which such a loss is expected. */
  isLowConfidence: boolean;
}

/**
 * Historical simulation: with the n returns ascending and k = floor(n × (1 − confidence)), value at risk is −r_k and
 * expected shortfall −mean(r_0..r_k), each times the value and at least 0.
 *
 * @param confidence from 0.5 to below 1
 * @returns null without returns
 */
export function historicalRisk(returns: readonly Decimal[], value: Decimal, confidence: Decimal): TailRisk | null {
  if (returns.length === 0) return null;
  const tail = dec(1).minus(confidence);
  const ascending = [...returns].sort((a, b) => a.cmp(b));
  const k = Math.min(tail.times(returns.length).floor().toNumber(), returns.length - 1);
  const worst = ascending.slice(0, k + 1);
  return {
    valueAtRisk: lossOf(ascending[k] as Decimal, value),
    expectedShortfall: lossOf(sum(worst).div(worst.length), value),
    isLowConfidence: tail.times(returns.length).lt(1),
  };
}

function lossOf(change: Decimal, value: Decimal): Decimal {
  return change.gte(0) ? ZERO : change.neg().times(value);
}

/** Quantiles of the normal distribution that the field rounds to (U). */
const Z = { '0.95': '1.645', '0.99': '2.326' } as const;

export type ParametricConfidence = keyof typeof Z;

/**
 * z × deviation × value × √days, as if returns were normal with mean 0.
 * @returns null of fewer than two returns
 */
export function parametricRisk(
  returns: readonly Decimal[],
  value: Decimal,
  confidence: ParametricConfidence,
  days = 1,
): Decimal | null {
  const spread = sampleDeviation(returns);
  return spread && dec(Z[confidence]).times(spread).times(value).times(dec(days).sqrt());
}
