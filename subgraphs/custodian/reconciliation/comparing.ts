/** What agrees and what does not, and what that means (domain.md §4.5). */
import { type Decimal, dec } from '../../../platform/decimal.ts';

export type BreakKind =
  | 'QUANTITY_MISMATCH'
  | 'MISSING_INTERNAL'
  | 'MISSING_EXTERNAL'
  | 'TIMING'
  | 'PRICE_MISMATCH'
  | 'DUPLICATE';
export type BreakLevel = 'TOLERATED' | 'REVIEW' | 'ALERT';
export type BreakStatus = 'OPEN' | 'INVESTIGATING' | 'RESOLVED' | 'WRITTEN_OFF' | 'AUTO_RESOLVED';

/** Differences up to this, in US dollars, are not worth anybody's time. */
export const TOLERANCE_USD = dec(100);
/** Above this, somebody must look at once. */
export const ALERT_USD = dec(1_000);

/** Where a break can go from each state. A resolved one that reappears within a day is open again. */
export const BREAK_TRANSITIONS: Record<BreakStatus, readonly BreakStatus[]> = {
  OPEN: ['INVESTIGATING', 'RESOLVED', 'WRITTEN_OFF', 'AUTO_RESOLVED'],
  INVESTIGATING: ['RESOLVED', 'WRITTEN_OFF', 'AUTO_RESOLVED'],
  RESOLVED: ['OPEN'],
  WRITTEN_OFF: [],
  AUTO_RESOLVED: [],
};

/** What both sides say of an account and an asset. */
export interface Sight {
  accountId: string;
  asset: string;
  /** What is held here. */
  internal: Decimal;
  /** What settlements under way will bring, less what they will take. */
  inFlight: Decimal;
  /** What the venue says. */
  external: Decimal;
}

/** The kind of break that it is, or null when both sides agree. */
export function kindOf({ internal, inFlight, external }: Sight): BreakKind | null {
  const expected = internal.plus(inFlight);
  if (expected.eq(external)) return internal.eq(external) ? null : 'TIMING';
  if (expected.isZero()) return 'MISSING_INTERNAL';
  return external.isZero() ? 'MISSING_EXTERNAL' : 'QUANTITY_MISMATCH';
}

/** How much it matters; what nobody can value, somebody must look at. */
export function levelOf(usdDifference: Decimal | null): BreakLevel {
  if (usdDifference === null) return 'REVIEW';
  if (usdDifference.lte(TOLERANCE_USD)) return 'TOLERATED';
  return usdDifference.lte(ALERT_USD) ? 'REVIEW' : 'ALERT';
}
