/**
 * Moments that processes of one machine can compare: milliseconds of the system's monotonic clock since a moment that
 * the parent chose. The writer puts them into rows, so each change carries the moment at which it was sent.
 */
export interface Clock {
  /** Milliseconds with three decimals. */
  now(): number;
}

/** @param origin nanoseconds, from `clockOrigin` of the parent */
export function clockSince(origin: string): Clock {
  const base = BigInt(origin);
  return { now: () => Math.round(Number(process.hrtime.bigint() - base) / 1_000) / 1_000 };
}

/** A minute ago, so that no moment is zero: a position of quantity zero is closed. */
export function clockOrigin(): string {
  return String(process.hrtime.bigint() - 60_000_000_000n);
}
