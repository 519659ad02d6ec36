/** What a strategy may be set to. */
import { type Decimal, dec, toWire } from '../../../platform/decimal.ts';
import { refuse } from '../../../platform/errors.ts';
import { normaliseSymbol } from '../../../platform/symbols.ts';
import { boundedText } from '../../../platform/texts.ts';
import { amountFromZero } from './amounts.ts';
import { NAME_LENGTH } from './texts.ts';

export const INSTRUMENT_LIMIT = 500;
export const VENUE_LIMIT = 100;
const LEVERAGE_PLACES = 4;
const LEVERAGE_LIMIT = dec('1000000'); // numeric(10,4) holds six digits before the point

/**
 * The symbols in their one spelling, each once, in the order given.
 * @throws Refusal (validation) when there are none or too many, or one is not a symbol
 */
export function instrumentSymbols(symbols: readonly string[]): string[] {
  const path = ['input', 'symbols'];
  if (symbols.length === 0 || symbols.length > INSTRUMENT_LIMIT) {
    throw refuse.validation(`symbols must name 1 to ${INSTRUMENT_LIMIT} instruments, but got ${symbols.length}.`, path);
  }
  return [...new Set(symbols.map((symbol, index) => normaliseSymbol(symbol, [...path, String(index)])))];
}

/**
 * The venues' names, each once, in the order given.
 * @throws Refusal (validation) when there are too many or one is no name
 */
export function venueNames(names: readonly string[]): string[] {
  const path = ['input', 'venueIds'];
  if (names.length > VENUE_LIMIT) {
    throw refuse.validation(`venueIds must name at most ${VENUE_LIMIT} venues, but got ${names.length}.`, path);
  }
  return [...new Set(names.map((name, index) => boundedText(name, NAME_LENGTH, [...path, String(index)])))];
}

/**
 * A limit of a strategy: zero or more, below 10^12; null where there is none.
 * @throws Refusal (validation) outside those bounds
 */
export function amountLimit(text: string | null, field: string): Decimal | null {
  return text === null ? null : amountFromZero(text, ['input', field]);
}

/**
 * The largest leverage: zero or more, at most 4 fractional digits, below 10^6; null where there is none.
 * @throws Refusal (validation) outside those bounds
 */
export function leverageLimit(text: string | null): Decimal | null {
  const path = ['input', 'maxLeverage'];
  const leverage = amountLimit(text, 'maxLeverage');
  if (leverage === null) return null;
  if (leverage.decimalPlaces() > LEVERAGE_PLACES) {
    throw refuse.validation(`maxLeverage takes at most ${LEVERAGE_PLACES} fractional digits, but got ${text}.`, path);
  }
  if (leverage.gte(LEVERAGE_LIMIT)) {
    throw refuse.validation(`maxLeverage must be below ${toWire(LEVERAGE_LIMIT)}, but got ${text}.`, path);
  }
  return leverage;
}

/**
 * Passes when the strategy may use the venue.
 * @param venueIds the venues it is set to; empty means any
 * @throws Refusal (validation) otherwise
 */
export function checkVenue(venue: string, venueIds: readonly string[]): void {
  if (venueIds.length === 0 || venueIds.includes(venue)) return;
  throw refuse.validation(`venue must be one of the strategy's (${venueIds.join(', ')}), but got "${venue}".`, [
    'input',
    'venue',
  ]);
}
