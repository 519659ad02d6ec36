/** Instruments and their venues: what is stored of them and how they are read. */

import { raw, type Sql, sql } from '../../platform/database/sql.ts';
import { equals, is, isOneOf } from '../../platform/filters.ts';
import { childList, entity } from '../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../platform/paging.ts';
import { isStorable } from '../../platform/texts.ts';
import { storedKind } from './enums.ts';
import { symbolsOf } from './filters.ts';
import type { InstrumentFilter, InstrumentKind } from './generated/resolvers.ts';
import { MAX_VENUES } from './rules/instrument-terms.ts';

/** A row of `symbols`. */
export interface InstrumentRow {
  symbolId: string;
  symbol: string;
  baseCurrency: string;
  quoteCurrency: string;
  kind: Lowercase<InstrumentKind>;
  displayName: string | null;
  isActive: boolean;
  minPriceMovement: string | null;
  minOrderSize: string | null;
  maxOrderSize: string | null;
  priceDecimals: number | null;
  circuitBreakerThreshold: string;
  depegAlertThreshold: string | null;
  metadata: Record<string, unknown>;
  createdAt: string;
  updatedAt: string;
  version: number;
  traceId: string | null;
}

/** A row of `instrument_venues`. */
export interface InstrumentVenueRow {
  instrumentVenueId: string;
  symbol: string;
  venueId: string;
  venueSymbol: string;
  tickSize: string | null;
  lotSize: string | null;
  minOrderSize: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
  traceId: string | null;
}

export type InstrumentPage = Connection<InstrumentRow>;

export const instruments = entity<InstrumentRow>({
  name: 'Instrument',
  table: 'symbols',
  key: 'symbol',
  keyType: 'text',
});

export const instrumentList = connectionSource<InstrumentRow>({
  table: 'symbols',
  id: 'symbol',
  sorts: { SYMBOL: 'symbol', CREATED_AT: 'created_at' },
  parents: { base_currency: 'text', quote_currency: 'text' },
});

/** The order of lists that offer no other. */
export const BY_SYMBOL = { sortBy: 'SYMBOL', sortOrder: 'ASC' } as const;

export const instrumentVenues = childList<InstrumentVenueRow>({
  name: 'InstrumentVenue',
  table: 'instrument_venues',
  parent: 'symbol',
  keyType: 'text',
  orderBy: 'venue_id',
  limit: MAX_VENUES,
});

export const isActive: Sql = raw('is_active');

/** The conditions of a filter. Throws a validation Refusal on a symbol that is none. */
export function instrumentConditions(filter: InstrumentFilter | null | undefined): Sql[] {
  if (!filter) return [];
  return [
    ...isOneOf('symbol', filter.symbols && symbolsOf(filter.symbols, ['filter', 'symbols'])),
    ...equals('base_currency', filter.baseAsset?.toUpperCase()),
    ...equals('quote_currency', filter.quoteAsset?.toUpperCase()),
    ...equals('kind', filter.kind && storedKind(filter.kind)),
    ...is('is_active', filter.isActive),
    ...tradesOn(filter.venueId),
    ...contains(filter.search),
  ];
}

function tradesOn(venueId: string | null | undefined): Sql[] {
  if (venueId === null || venueId === undefined) return [];
  const [isVenue = raw('true')] = equals('venue_id', venueId);
  return [sql`exists (select from instrument_venues v where v.symbol = symbols.symbol and ${isVenue})`];
}

function contains(text: string | null | undefined): Sql[] {
  if (text === null || text === undefined) return [];
  if (!isStorable(text)) return [raw('false')];
  return [sql`strpos(lower(symbol || ' ' || coalesce(display_name, '')), lower(${text})) > 0`];
}
