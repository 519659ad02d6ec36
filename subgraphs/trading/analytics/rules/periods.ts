/** The instants of a curve: where it begins, every full minute, hour or day (UTC) within, and where it ends. */
import { badInput } from '../../../../platform/errors.ts';

export type Resolution = 'MINUTE' | 'HOUR' | 'DAY';

/** Points of a curve at most: a day in minutes, two months in hours, four years in days. */
export const POINT_LIMIT = 1_500;

const STEP_MS: Record<Resolution, number> = { MINUTE: 60_000, HOUR: 3_600_000, DAY: 86_400_000 };

/**
 * The instants, oldest first, as RFC 3339.
 * @param from,to RFC 3339 in UTC
 * @throws GraphQLError (bad input) when the window is empty, or holds more than POINT_LIMIT of them
 */
export function instantsOf(from: string, to: string, resolution: Resolution): string[] {
  const [start, end] = [Date.parse(from), Date.parse(to)];
  if (start >= end) throw badInput(`from must be before to, but got ${from} and ${to}.`, ['from']);
  const step = STEP_MS[resolution];
  const first = (Math.floor(start / step) + 1) * step;
  const count = Math.max(0, Math.ceil((end - first) / step));
  if (count + 2 > POINT_LIMIT) {
    throw badInput(
      `The window holds ${count + 2} points of one ${resolution}, and at most ${POINT_LIMIT} are given. Shorten it, or take a coarser resolution.`,
      ['from'],
    );
  }
  const within = Array.from({ length: count }, (_, i) => new Date(first + i * step).toISOString());
  return [from, ...within, to];
}

/** The UTC day that ends at the instant, or in which it lies: "2026-01-31". */
export function dayEndingAt(instant: string): string {
  return new Date(Date.parse(instant) - 1).toISOString().slice(0, 10);
}
