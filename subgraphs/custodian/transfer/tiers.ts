/** How many must approve, by value (domain.md §4.3). */
import { type Decimal, dec } from '../../../platform/decimal.ts';

/** Rises when the table below changes; kept with each request. */
export const POLICY_VERSION = 1;

export interface Tier {
  /** From 1. */
  tier: number;
  /** Lower bound in US dollars, included. */
  fromUsd: Decimal;
  /** Approvals that are needed. */
  required: number;
  /** Minutes between the request and its processing, at least and about at most; an urgent one does not wait. */
  minutes: readonly [least: number, most: number];
}

export const TIERS: readonly Tier[] = [
  { tier: 1, fromUsd: dec(0), required: 1, minutes: [2, 5] },
  { tier: 2, fromUsd: dec(10_000), required: 2, minutes: [5, 15] },
  { tier: 3, fromUsd: dec(100_000), required: 3, minutes: [15, 60] },
  { tier: 4, fromUsd: dec(1_000_000), required: 4, minutes: [60, 240] },
];

/** A request that is not decided by then is void. */
export const APPROVAL_HOURS = 24;

/** The tier of that value; nothing is below the first. */
export function tierOf(usdValue: Decimal): Tier {
  return TIERS.findLast(({ fromUsd }) => usdValue.gte(fromUsd)) ?? (TIERS[0] as Tier);
}
