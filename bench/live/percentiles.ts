export interface Latency {
  p50Ms: number;
  p99Ms: number;
  maxMs: number;
}

/** Of numbers in any order, which are put in order; zero when there are none. */
export function percentiles(times: number[]): Latency {
  const sorted = Float64Array.from(times).sort();
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
  return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
}

export function median(numbers: readonly number[]): number {
  return percentiles([...numbers]).p50Ms;
}
