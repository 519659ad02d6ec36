/** Bounds of the instants that venues and price sources report. */
import { refuse } from '../../../platform/errors.ts';

/** How far another machine's clock may run ahead of ours. A later instant would outlive every later report. */
export const CLOCK_SKEW_MS = 60_000; // a minute

/**
 * The instant itself when it has come, give or take the clocks.
 * @param instant canonical RFC 3339 in UTC
 * @throws Refusal (validation) when it lies in the future
 */
export function pastInstant(instant: string, now: Date, path: readonly string[]): string {
  if (Date.parse(instant) > now.getTime() + CLOCK_SKEW_MS) {
    throw refuse.validation(`${path.at(-1)} must not lie in the future, but got ${instant}.`, path);
  }
  return instant;
}

/**
 * Whether the first instant comes before the second, to the microsecond.
 * @param first,second canonical RFC 3339 in UTC, with up to six fractional digits
 */
export function isBefore(first: string, second: string): boolean {
  return inMicroseconds(first) < inMicroseconds(second);
}

/** Texts of one length, which sort as the instants do. */
function inMicroseconds(instant: string): string {
  const [seconds = '', fraction = ''] = instant.replace('Z', '').split('.');
  return `${seconds}.${fraction.padEnd(6, '0')}`;
}
