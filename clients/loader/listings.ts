/** Bringing instruments and their venues into the graph. */
import { isDeepStrictEqual } from 'node:util';
import { dec } from '../../platform/decimal.ts';
import type { GraphClient } from '../../platform/graph-client.ts';
import type { CreateInstrumentInput, InstrumentVenueInput } from '../../subgraphs/market-data/generated/resolvers.ts';
import type { Listing } from './instruments.ts';
import type { Outcome, Upload } from './uploads.ts';

interface Errors {
  errors: { code: string; message: string }[];
}

interface KnownVenue extends Omit<InstrumentVenueInput, 'venueId'> {
  venue: { venueId: string };
}

/** What is new is stored: instruments that the graph does not know, venues that they lack or that say something else. */
export const listingUpload: Upload<Listing> = {
  size: 1_000,
  concurrency: 1, // two batches may speak of one instrument
  async send(graph, listings) {
    const outcome: Outcome = { stored: 0, known: 0, refused: [] };
    const indexed = listings.map((listing, index) => ({ ...listing, index }));
    for (const [symbol, group] of Map.groupBy(indexed, (listing) => listing.symbol)) {
      await loadListings(graph, symbol, group, outcome);
    }
    return outcome;
  },
};

async function loadListings(
  graph: GraphClient,
  symbol: string,
  listings: readonly (Listing & { index: number })[],
  outcome: Outcome,
): Promise<void> {
  const stored = await venuesOf(graph, symbol);
  const refusal = stored ? null : await createInstrument(graph, describe(symbol, listings));
  const venues = new Map(stored?.map(({ venue, ...terms }) => [venue.venueId, { venueId: venue.venueId, ...terms }]));
  const loaded = new Set<string>();
  for (const { terms, index } of listings) {
    const known = venues.get(terms.venueId);
    if (known && isDeepStrictEqual(known, terms)) {
      outcome.known++;
      continue;
    }
    const twice = `the file has other terms of ${symbol} on ${terms.venueId} in a row before`;
    const reason = refusal ?? (loaded.has(terms.venueId) ? twice : await setVenue(graph, symbol, terms));
    if (reason === null) {
      outcome.stored++;
      venues.set(terms.venueId, terms);
    } else outcome.refused.push({ index, reason });
    loaded.add(terms.venueId);
  }
}

/** Makes sure that the graph knows the instrument: says whether it did, or why it cannot be created. */
export async function ensureInstrument(
  graph: GraphClient,
  symbol: string,
): Promise<'known' | 'created' | { refusal: string }> {
  if (await venuesOf(graph, symbol)) return 'known';
  const refusal = await createInstrument(graph, { symbol });
  return refusal === null ? 'created' : { refusal };
}

/** The instrument's venues as the graph knows them; null when it does not know the instrument. */
async function venuesOf(graph: GraphClient, symbol: string): Promise<KnownVenue[] | null> {
  const { instrument } = await graph.request<{ instrument: { venues: KnownVenue[] } | null }>(
    `query KnownInstrument($symbol: String!) {
      instrument(symbol: $symbol) { venues { venue { venueId } venueSymbol tickSize lotSize minOrderSize } }
    }`,
    { symbol },
  );
  return instrument?.venues ?? null;
}

/** An instrument takes the finest step of its venues, so that every price of theirs is a multiple of it. */
function describe(symbol: string, listings: readonly Listing[]): CreateInstrumentInput {
  const steps = listings.map(({ terms }) => dec(terms.tickSize)).filter((step) => step.greaterThan(0));
  const finest = steps.reduce((least, step) => (step.lessThan(least) ? step : least), steps[0] ?? dec(0));
  const displayName = listings.find((listing) => listing.displayName !== null)?.displayName ?? null;
  if (finest.isZero()) return { symbol, displayName };
  return { symbol, displayName, tickSize: finest.toFixed(), priceDecimals: finest.decimalPlaces() };
}

/** @returns why it is refused, or null; that somebody else has just created it is no refusal */
async function createInstrument(graph: GraphClient, input: CreateInstrumentInput): Promise<string | null> {
  const { createInstrument: payload } = await graph.request<{ createInstrument: Errors }>(
    `mutation LoadInstrument($input: CreateInstrumentInput!) {
      createInstrument(input: $input) { errors { code message } }
    }`,
    { input },
  );
  return payload.errors[0]?.code === 'CONFLICT' ? null : refusalOf(payload);
}

/** @returns why the terms are refused, or null */
async function setVenue(graph: GraphClient, symbol: string, venue: InstrumentVenueInput): Promise<string | null> {
  const { setInstrumentVenue: payload } = await graph.request<{ setInstrumentVenue: Errors }>(
    `mutation LoadVenue($input: SetInstrumentVenueInput!) {
      setInstrumentVenue(input: $input) { errors { code message } }
    }`,
    { input: { symbol, venue } },
  );
  return refusalOf(payload);
}

function refusalOf({ errors: [error] }: Errors): string | null {
  if (error?.code === 'DOMAIN_UNAVAILABLE') throw new Error(error.message);
  return error?.message ?? null;
}
