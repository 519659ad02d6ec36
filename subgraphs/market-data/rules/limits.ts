/** Bounds that every recorded value must keep, and the faults of a row that does not. */
import { type Decimal, dec } from '../../../platform/decimal.ts';
import { isStorable } from '../../../platform/texts.ts';

/** Why a row of a bulk command is refused: the input field at fault and what would be right. */
export interface Fault {
  field: string;
  message: string;
}

/** Whether reading a row found a fault. */
export function isFault(value: object): value is Fault {
  return 'message' in value && 'field' in value;
}

/** Highest price: a trillion leaves room for prices in any currency, and for price × quantity in numeric(48,16). */
export const MAX_PRICE = dec('1000000000000');

/** Largest quantity of a single tick, level or 24-hour volume; numeric(24,8) ends at 10^16. */
export const MAX_QUANTITY = dec('9000000000000000');

/** No market of this graph existed before 2009; bounds the partitions that a mistyped year would create. */
export const EARLIEST_MS = Date.UTC(2009, 0, 1);

/** How far a source's clock may run ahead of ours. */
export const CLOCK_TOLERANCE_MS = 5_000; // 5 seconds

const MAX_SOURCE_LENGTH = 100;
const MAX_SEQUENCE = 9_223_372_036_854_775_807n; // bigint
const VENUE_ID = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const MAX_VENUE_ID_LENGTH = 63; // a DNS label, since venues name service instances

/** Fault of an instant (RFC 3339) that is before 2009 or after the clock plus tolerance. */
export function instantFault(field: string, instant: string, nowMs: number): Fault | null {
  const ms = Date.parse(instant);
  if (ms < EARLIEST_MS) return { field, message: `${field} must be in 2009 or later, but got ${instant}.` };
  if (ms > nowMs + CLOCK_TOLERANCE_MS) {
    const now = new Date(nowMs).toISOString();
    return { field, message: `${field} must not lie in the future (it is ${now}), but got ${instant}.` };
  }
  return null;
}

/** Fault of a price that is not above 0 and at most a trillion; null passes. */
export function priceFault(field: string, price: Decimal | null): Fault | null {
  if (price === null || (price.greaterThan(0) && !price.greaterThan(MAX_PRICE))) return null;
  return { field, message: `${field} must be above 0 and at most ${MAX_PRICE}, but got ${price}.` };
}

/** Fault of a quantity that is negative or too large; null passes. */
export function quantityFault(field: string, quantity: Decimal | null): Fault | null {
  if (quantity === null || !(quantity.isNegative() || quantity.greaterThan(MAX_QUANTITY))) return null;
  return { field, message: `${field} must be 0 or more and at most ${MAX_QUANTITY}, but got ${quantity}.` };
}

/** Fault of a quantity that must be above 0; null passes. */
export function positiveFault(field: string, quantity: Decimal | null): Fault | null {
  if (quantity?.isZero()) return { field, message: `${field} must be above 0, but got 0.` };
  return quantityFault(field, quantity);
}

/** Fault of a bid above its ask; passes unless both are known. */
export function quoteFault(bid: Decimal | null, ask: Decimal | null): Fault | null {
  if (bid === null || ask === null || !bid.greaterThan(ask)) return null;
  return { field: 'bid', message: `bid must be at most the ask, but got bid ${bid} and ask ${ask}.` };
}

/** Fault of a source's name. */
export function sourceFault(source: string): Fault | null {
  if (source.length >= 1 && source.length <= MAX_SOURCE_LENGTH && isStorable(source)) return null;
  return {
    field: 'source',
    message: `source must have 1 to ${MAX_SOURCE_LENGTH} characters of valid text without NUL.`,
  };
}

/** Fault of a sequence that is not a whole number of 0 or more. */
export function sequenceFault(sequence: string): Fault | null {
  if (/^\d{1,19}$/.test(sequence) && BigInt(sequence) <= MAX_SEQUENCE) return null;
  return {
    field: 'sequence',
    message: `sequence must be a whole number from 0 to ${MAX_SEQUENCE}, but got "${sequence}".`,
  };
}

/** Fault of a venue's name. */
export function venueFault(venueId: string): Fault | null {
  if (venueId.length <= MAX_VENUE_ID_LENGTH && VENUE_ID.test(venueId)) return null;
  return {
    field: 'venueId',
    message: `venueId must be lower-case letters, digits and single dashes, at most ${MAX_VENUE_ID_LENGTH}, but got "${venueId}".`,
  };
}

/** Fault of metadata that PostgreSQL's jsonb cannot hold. */
export function metadataFault(metadata: object | null): Fault | null {
  if (metadata === null || !holdsUnstorable(metadata)) return null;
  return { field: 'metadata', message: 'metadata must hold valid text without NUL characters.' };
}

function holdsUnstorable(value: unknown): boolean {
  if (typeof value === 'string') return !isStorable(value);
  if (value === null || typeof value !== 'object') return false;
  return Object.entries(value).some(([key, held]) => !isStorable(key) || holdsUnstorable(held));
}
