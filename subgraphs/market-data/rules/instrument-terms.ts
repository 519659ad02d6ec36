/** The terms of an instrument (domain.md §2.2: min ≤ max, tick > 0). */
import { dec } from '../../../platform/decimal.ts';
import { isStorable } from '../../../platform/texts.ts';
import { type Fault, metadataFault, positiveFault, priceFault, venueFault } from './limits.ts';

/** Terms as given: canonical decimals; undefined where they are left out, null where they are cleared. */
export interface InstrumentTerms {
  displayName?: string | null | undefined;
  tickSize?: string | null | undefined;
  minOrderSize?: string | null | undefined;
  maxOrderSize?: string | null | undefined;
  priceDecimals?: number | null | undefined;
  circuitBreakerThreshold?: string | null | undefined;
  depegAlertThreshold?: string | null | undefined;
  metadata?: object | null | undefined;
}

/** Terms on one venue, as given. */
export interface VenueTerms {
  venueId: string;
  venueSymbol: string;
  tickSize?: string | null | undefined;
  lotSize?: string | null | undefined;
  minOrderSize?: string | null | undefined;
}

/** Venues an instrument may be listed on. */
export const MAX_VENUES = 100;
const MAX_NAME_LENGTH = 200;
const MAX_VENUE_SYMBOL_LENGTH = 100;
const MAX_PRICE_DECIMALS = 8;
const RATIO_DECIMALS = 4;

/** The first fault of an instrument's terms, or null. */
export function termsFault(terms: InstrumentTerms): Fault | null {
  return (
    nameFault('displayName', terms.displayName) ??
    priceFault('tickSize', optional(terms.tickSize)) ??
    positiveFault('minOrderSize', optional(terms.minOrderSize)) ??
    positiveFault('maxOrderSize', optional(terms.maxOrderSize)) ??
    orderSizesFault(terms) ??
    priceDecimalsFault(terms.priceDecimals) ??
    ratioFault('circuitBreakerThreshold', terms.circuitBreakerThreshold) ??
    ratioFault('depegAlertThreshold', terms.depegAlertThreshold) ??
    metadataFault(terms.metadata ?? null)
  );
}

/** The first fault of the terms on a venue, or null. */
export function venueTermsFault(terms: VenueTerms): Fault | null {
  const { venueSymbol } = terms;
  return (
    venueFault(terms.venueId) ??
    textFault('venueSymbol', venueSymbol, MAX_VENUE_SYMBOL_LENGTH) ??
    priceFault('tickSize', optional(terms.tickSize)) ??
    positiveFault('lotSize', optional(terms.lotSize)) ??
    positiveFault('minOrderSize', optional(terms.minOrderSize))
  );
}

/** The first fault of a list of venues: too many, one twice, or one with a fault. The field names the entry. */
export function venuesFault(venues: readonly VenueTerms[]): Fault | null {
  if (venues.length > MAX_VENUES) {
    return { field: 'venues', message: `venues must be at most ${MAX_VENUES}, but got ${venues.length}.` };
  }
  const seen = new Set<string>();
  for (const [index, terms] of venues.entries()) {
    const fault = venueTermsFault(terms);
    if (fault) return { field: `venues.${index}.${fault.field}`, message: fault.message };
    if (seen.has(terms.venueId)) {
      return {
        field: `venues.${index}.venueId`,
        message: `Each venue may be given once, but ${terms.venueId} comes twice.`,
      };
    }
    seen.add(terms.venueId);
  }
  return null;
}

/** Fault of a name for people; nothing given passes. */
export function nameFault(field: string, name: string | null | undefined): Fault | null {
  return name === null || name === undefined ? null : textFault(field, name, MAX_NAME_LENGTH);
}

function textFault(field: string, text: string, maxLength: number): Fault | null {
  const { length } = [...text];
  if (length >= 1 && length <= maxLength && isStorable(text)) return null;
  return {
    field,
    message: `${field} must have 1 to ${maxLength} characters of valid text without NUL, but got ${length}.`,
  };
}

function orderSizesFault({ minOrderSize, maxOrderSize }: InstrumentTerms): Fault | null {
  if (minOrderSize == null || maxOrderSize == null || !dec(minOrderSize).greaterThan(maxOrderSize)) return null;
  return {
    field: 'minOrderSize',
    message: `minOrderSize must be at most maxOrderSize, but got ${minOrderSize} and ${maxOrderSize}.`,
  };
}

function priceDecimalsFault(decimals: number | null | undefined): Fault | null {
  if (decimals == null || (decimals >= 0 && decimals <= MAX_PRICE_DECIMALS)) return null;
  return { field: 'priceDecimals', message: `priceDecimals must be 0 to ${MAX_PRICE_DECIMALS}, but got ${decimals}.` };
}

function ratioFault(field: string, text: string | null | undefined): Fault | null {
  if (text == null) return null;
  const ratio = dec(text);
  if (ratio.greaterThan(0) && !ratio.greaterThan(1) && ratio.decimalPlaces() <= RATIO_DECIMALS) return null;
  return {
    field,
    message: `${field} must be above 0 and at most 1 with at most ${RATIO_DECIMALS} decimals, but got ${text}.`,
  };
}

function optional(text: string | null | undefined) {
  return text == null ? null : dec(text);
}
