/** Statistics of series of floats: returns and correlations are estimates, no amounts. */

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Of a sample; 0 of fewer than two values. */
export function deviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
}

/** Pearson's correlation; null of fewer than three pairs, or where one side never moves. */
export function pearson(a: readonly number[], b: readonly number[]): number | null {
  if (a.length !== b.length) throw new Error(`Series must be as long as each other, but got ${a.length}, ${b.length}.`);
  if (a.length < 3) return null;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [both, squaresA, squaresB] = [0, 0, 0];
  for (const [i, value] of a.entries()) {
    const [fromA, fromB] = [value - meanA, (b[i] as number) - meanB];
    both += fromA * fromB;
    squaresA += fromA ** 2;
    squaresB += fromB ** 2;
  }
  const scale = Math.sqrt(squaresA * squaresB);
  if (scale < Number.EPSILON * a.length * Math.abs(meanA * meanB) || scale === 0) return null;
  return Math.min(1, Math.max(-1, both / scale));
}

/** Largest distance between the distributions of two samples (Kolmogorov–Smirnov), 0 to 1. */
export function distributionDistance(a: readonly number[], b: readonly number[]): number {
  const [left, right] = [a, b].map((values) => Float64Array.from(values).sort()) as [Float64Array, Float64Array];
  let [i, j, distance] = [0, 0, 0];
  while (i < left.length && j < right.length) {
    const value = Math.min(left[i] as number, right[j] as number);
    while (i < left.length && (left[i] as number) <= value) i++;
    while (j < right.length && (right[j] as number) <= value) j++;
    distance = Math.max(distance, Math.abs(i / left.length - j / right.length));
  }
  return distance;
}

/** A close of a bar. */
export interface Close {
  startMs: number;
  price: number;
}

/** Logarithmic returns by the start of the bar that ends them; bars with a gap before them have none. */
export function logReturns(closes: readonly Close[], intervalMs: number): Map<number, number> {
  const returns = new Map<number, number>();
  for (const [i, { startMs, price }] of closes.entries()) {
    const before = closes[i - 1];
    if (before && startMs - before.startMs === intervalMs) returns.set(startMs, Math.log(price / before.price));
  }
  return returns;
}

/** Correlation of two series of returns over the bars that both have. */
export function correlationOf(
  a: ReadonlyMap<number, number>,
  b: ReadonlyMap<number, number>,
): { correlation: number | null; samples: number } {
  const common = [...a.keys()].filter((startMs) => b.has(startMs));
  const side = (of: ReadonlyMap<number, number>) => common.map((startMs) => of.get(startMs) as number);
  return { correlation: pearson(side(a), side(b)), samples: common.length };
}
