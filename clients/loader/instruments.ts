/** Instruments: each row is what one venue says of one instrument. */
import type { InstrumentVenueInput } from '../../subgraphs/market-data/generated/resolvers.ts';
import { BadRow, decimalOf, type Fields, oneOf, shown, textOf } from './fields.ts';
import { symbolOrNull } from './file-name.ts';

/** An instrument's terms on a venue. */
export interface Listing {
  /** Canonical symbol. */
  symbol: string;
  /** Name for people; null when the row has only the venue's spelling. */
  displayName: string | null;
  terms: InstrumentVenueInput & { tickSize: string };
}

/** A row of instruments: venue, venue_symbol, base, quote, kind (SPOT or PERPETUAL), name, tick, lot, minimum order. */
export function readListing(fields: Fields): Listing {
  const pair = `${textOf(fields, 'base')}-${textOf(fields, 'quote')}`;
  const kind = oneOf(fields, 'kind', ['SPOT', 'PERPETUAL']);
  const symbol = symbolOrNull(kind === 'PERPETUAL' ? `${pair}-PERP` : pair);
  if (symbol === null) throw new BadRow(`base and quote must be codes of two assets, but got ${shown(pair)}`);
  const venueSymbol = textOf(fields, 'venue_symbol');
  return {
    symbol,
    displayName: nameOf(fields.name ?? '', venueSymbol),
    terms: {
      venueId: textOf(fields, 'venue').toLowerCase(),
      venueSymbol,
      tickSize: decimalOf(fields, 'tick_size'),
      lotSize: decimalOf(fields, 'lot_size'),
      minOrderSize: decimalOf(fields, 'min_order_size'),
    },
  };
}

/** "Bitcoin-US Dollar" is a name; "BTCUSD" and "XBT/USD" only spell the symbol. */
function nameOf(name: string, venueSymbol: string): string | null {
  const isSpelling = name === '' || name === venueSymbol || /^[A-Z0-9/_-]+$/.test(name);
  return isSpelling ? null : name;
}
