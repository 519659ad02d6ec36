/** Times in which far more, or far less, happened than usual. */

export interface Bucket {
  /** Beginning, RFC 3339. */
  at: string;
  count: number;
}

export interface Anomaly extends Bucket {
  kind: 'spike' | 'silence';
  mean: number;
  deviations: number;
}

/** Buckets without which a mean says nothing. */
export const LEAST_BUCKETS = 10;

/**
 * The buckets that lie `deviations` standard deviations or more from the mean of all of them, in their order.
 * @param buckets every one of the window, those without events as well
 */
export function anomaliesIn(buckets: readonly Bucket[], deviations: number): Anomaly[] {
  if (buckets.length < LEAST_BUCKETS) return [];
  const mean = buckets.reduce((total, { count }) => total + count, 0) / buckets.length;
  const variance = buckets.reduce((total, { count }) => total + (count - mean) ** 2, 0) / buckets.length;
  const deviation = Math.sqrt(variance);
  if (deviation === 0) return [];
  return buckets.flatMap((bucket) => {
    const score = (bucket.count - mean) / deviation;
    if (Math.abs(score) < deviations) return [];
    return [{ ...bucket, kind: score > 0 ? ('spike' as const) : ('silence' as const), mean, deviations: score }];
  });
}
