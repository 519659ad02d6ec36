import { type Decimal, dec } from '../../../../platform/decimal.ts';

/** Share of a scenario's time that has passed at an instant, 0 to 1 to 4 places; 0 before it starts. */
export function progressOf(startedAt: string | null, endsAt: string | null, at: string): Decimal {
  if (startedAt === null || endsAt === null) return dec(0);
  const [start, end, now] = [startedAt, endsAt, at].map(Date.parse) as [number, number, number];
  return dec(Math.min(Math.max(now - start, 0), end - start))
    .dividedBy(end - start)
    .toDecimalPlaces(4);
}
