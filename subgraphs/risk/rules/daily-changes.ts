/**
 * What today's positions would have gained on earlier days. A portfolio of 500 instruments over 30 days multiplies 15,000
 * times for one answer: as whole numbers of tiny parts that takes a fortieth of what decimals take.
 */
import { type Decimal, dec } from '../../../platform/decimal.ts';

/** Fractional digits of the whole numbers: what a value of 10^15 loses by them is far below the 8 places that are kept. */
const DIGITS = 30;

/** Returns of one instrument by UTC day, in parts of 10^-30. */
export type DailyReturns = ReadonlyMap<string, bigint>;

function inParts(value: Decimal): bigint {
  return BigInt(value.toFixed(DIGITS).replace('.', ''));
}

/** @param bars of one day each, the latest first */
export function dailyReturns(bars: readonly { startTime: string; close: string }[]): DailyReturns {
  const returns = new Map<string, bigint>();
  for (const [i, { startTime, close }] of bars.entries()) {
    const before = bars[i + 1];
    if (before) returns.set(startTime.slice(0, 10), inParts(dec(close).div(before.close).minus(1)));
  }
  return returns;
}

export interface DailyChanges {
  /** The oldest first. */
  changes: Decimal[];
  /** Whether an instrument had no returns at all and was left out. */
  isPartial: boolean;
}

/** What the values would have gained on each of the latest days for which every instrument with bars has a return. */
export function dailyChanges(
  values: readonly { symbol: string; value: Decimal }[],
  bySymbol: ReadonlyMap<string, DailyReturns>,
  lookbackDays: number,
): DailyChanges {
  const known = values.flatMap(({ symbol, value }) => {
    const returns = bySymbol.get(symbol);
    return returns && returns.size > 0 ? [{ parts: inParts(value), returns }] : [];
  });
  const [first, ...others] = known;
  if (!first) return { changes: [], isPartial: values.length > 0 };
  const days = [...first.returns.keys()].filter((day) => others.every(({ returns }) => returns.has(day))).sort();
  const changes = days.slice(-lookbackDays).map((day) => {
    let change = 0n;
    for (const { parts, returns } of known) change += parts * (returns.get(day) ?? 0n);
    return dec(`${change}e-${2 * DIGITS}`);
  });
  return { changes, isPartial: known.length < values.length };
}
