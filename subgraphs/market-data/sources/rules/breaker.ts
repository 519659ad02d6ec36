/** The breaker of a price's publication (domain.md §2.3): what moves too far within a minute is held back. */
import { type Decimal, dec } from '../../../../platform/decimal.ts';

export type BreakerState = 'CLOSED' | 'TRIPPED';

/** Where the breaker can go. */
export const BREAKER_TRANSITIONS: Record<BreakerState, readonly BreakerState[]> = {
  CLOSED: ['TRIPPED'],
  TRIPPED: ['CLOSED'],
};

/** Consensus at an instant, as it is stored. */
export type PricePoint = [atMs: number, price: string];

export interface Breaker {
  state: BreakerState;
  /** Consensus of the last minute, at most one a second, oldest first. */
  recent: readonly PricePoint[];
  trippedAtMs: number | null;
  trippedPrice: Decimal | null;
  /** The last price within the band. */
  referencePrice: Decimal | null;
  inBandSinceMs: number | null;
}

const WINDOW_MS = 60_000; // a minute
/** The consensus must stay inside the band for so long. */
const CALM_MS = 60_000; // 60 seconds
const POINT_EVERY_MS = 1_000;

export const CLOSED: Breaker = {
  state: 'CLOSED',
  recent: [],
  trippedAtMs: null,
  trippedPrice: null,
  referencePrice: null,
  inBandSinceMs: null,
};

/** The breaker after a consensus. `threshold` is the move within a minute that trips it, as a fraction. */
export function observe(breaker: Breaker, price: Decimal, atMs: number, threshold: Decimal): Breaker {
  if (breaker.state === 'TRIPPED') return observeTripped(breaker, price, atMs, threshold);
  const recent = breaker.recent.filter(([at]) => at > atMs - WINDOW_MS);
  const isTooFar = recent.some(([, before]) => moveOf(price, dec(before)).greaterThan(threshold));
  if (!isTooFar) return { ...CLOSED, recent: remember(recent, price, atMs) };
  const reference = dec(recent.at(-1)?.[1] ?? price);
  const isInside = !moveOf(price, reference).greaterThan(threshold);
  return {
    state: 'TRIPPED',
    recent,
    trippedAtMs: atMs,
    trippedPrice: price,
    referencePrice: reference,
    inBandSinceMs: isInside ? atMs : null,
  };
}

function observeTripped(breaker: Breaker, price: Decimal, atMs: number, threshold: Decimal): Breaker {
  const reference = breaker.referencePrice ?? price;
  if (moveOf(price, reference).greaterThan(threshold)) return { ...breaker, inBandSinceMs: null };
  const inBandSinceMs = breaker.inBandSinceMs ?? atMs;
  if (atMs - inBandSinceMs < CALM_MS) return { ...breaker, inBandSinceMs };
  return { ...CLOSED, recent: remember([], price, atMs) };
}

function moveOf(price: Decimal, before: Decimal): Decimal {
  return price.dividedBy(before).minus(1).abs();
}

function remember(recent: readonly PricePoint[], price: Decimal, atMs: number): readonly PricePoint[] {
  const last = recent.at(-1);
  if (last && atMs - last[0] < POINT_EVERY_MS) return recent;
  return [...recent, [atMs, price.toFixed()]];
}
