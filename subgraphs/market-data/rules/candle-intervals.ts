/** The lengths of bars, as they are stored, and how the shorter ones lie within the longer. */

/** Shortest first: each is rolled up from the one before it. */
export const INTERVALS = ['1m', '5m', '15m', '1h', '4h', '1d'] as const;

export type Interval = (typeof INTERVALS)[number];

const MINUTE_MS = 60_000;

const MINUTES: Record<Interval, number> = { '1m': 1, '5m': 5, '15m': 15, '1h': 60, '4h': 240, '1d': 1_440 };

/** Minutes that a bar of the interval spans. */
export function minutesOf(interval: Interval): number {
  return MINUTES[interval];
}

/** Milliseconds that a bar of the interval spans. */
export function durationMs(interval: Interval): number {
  return MINUTES[interval] * MINUTE_MS;
}

/** Start of the bar of that interval in which the instant (milliseconds since 1970) lies; bars are aligned in UTC. */
export function barStart(instantMs: number, interval: Interval): number {
  return instantMs - (instantMs % durationMs(interval));
}

/** The next longer interval; null for a day. */
export function longer(interval: Interval): Interval | null {
  return INTERVALS[INTERVALS.indexOf(interval) + 1] ?? null;
}
