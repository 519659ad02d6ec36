/** What a manipulation makes of a price at an instant: a function of its row and the clock alone. */
import { type Decimal, dec, round8 } from '../../../../platform/decimal.ts';
import { noise } from '../../rules/seeded-noise.ts';

/**
 * SHIFT moves the price by the deviation; OSCILLATION lets it swing by it, NOISE jump within it once a second; PULL
 * draws it back to where it was at the start.
 */
export type Pattern = 'SHIFT' | 'OSCILLATION' | 'NOISE' | 'PULL';

export interface Manipulation {
  pattern: Pattern;
  /** Signed fraction at its fullest; of PULL the strength, 0 to 1. */
  deviation: Decimal;
  seed: number;
  /** The price at the start. */
  anchor: Decimal;
  startMs: number;
  /** From here on it has its full effect … */
  fullMs: number;
  /** … until here, where the recovery begins … */
  recoversMs: number;
  /** … which ends here. */
  endsMs: number;
}

/** No price is published further from the true one than this share of it. */
const MOST = '0.25';
const SWINGS = 4;

/** The price to publish instead of the true one, rounded half-even to 8 places; the true one before and after. */
export function bentPrice(manipulation: Manipulation, original: Decimal, atMs: number): Decimal {
  const strength = envelope(manipulation, atMs);
  if (strength.isZero()) return original;
  const { pattern, deviation, anchor } = manipulation;
  const bent =
    pattern === 'PULL'
      ? original.plus(anchor.minus(original).times(deviation).times(strength))
      : original.times(deviation.times(strength).times(shape(manipulation, atMs)).plus(1));
  const price = round8(clamp(bent, original));
  return price.greaterThan(0) ? price : original;
}

/** How much of the effect there is: rises to 1, stays, and falls to 0 in the recovery. */
export function envelope({ startMs, fullMs, recoversMs, endsMs }: Manipulation, atMs: number): Decimal {
  if (atMs < startMs || atMs >= endsMs) return dec(0);
  if (atMs < fullMs) return dec(atMs - startMs).dividedBy(fullMs - startMs);
  if (atMs < recoversMs) return dec(1);
  return dec(endsMs - atMs).dividedBy(endsMs - recoversMs);
}

function shape({ pattern, seed, startMs, endsMs }: Manipulation, atMs: number): Decimal {
  if (pattern === 'OSCILLATION') {
    return dec(Math.sin((2 * Math.PI * SWINGS * (atMs - startMs)) / (endsMs - startMs)).toFixed(8));
  }
  if (pattern === 'NOISE') return dec(noise(seed, Math.floor((atMs - startMs) / 1_000)).toFixed(8));
  return dec(1);
}

function clamp(bent: Decimal, original: Decimal): Decimal {
  const [least, most] = [original.times(dec(1).minus(MOST)), original.times(dec(1).plus(MOST))];
  if (bent.lessThan(least)) return least;
  return bent.greaterThan(most) ? most : bent;
}

/** Bid or ask, bent in the same proportion as the price. */
export function bentQuote(quote: Decimal | null, original: Decimal, bent: Decimal): Decimal | null {
  if (quote === null || original.equals(bent)) return quote;
  const price = round8(quote.times(bent).dividedBy(original));
  return price.greaterThan(0) ? price : quote;
}
