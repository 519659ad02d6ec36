import { describe, expect, it } from 'vitest';
import {
  type InstrumentTerms,
  nameFault,
  termsFault,
  type VenueTerms,
  venuesFault,
} from '../../../subgraphs/market-data/rules/instrument-terms.ts';

describe('terms of an instrument', () => {
  it.each<[string, InstrumentTerms]>([
    ['nothing', {}],
    ['cleared terms', { tickSize: null, minOrderSize: null, maxOrderSize: null, metadata: null, displayName: null }],
    ['least at most largest', { minOrderSize: '0.0001', maxOrderSize: '0.0001' }],
    ['the widest ratios', { circuitBreakerThreshold: '1', depegAlertThreshold: '0.0001' }],
    ['a name of 200 emoji', { displayName: '🪙'.repeat(200) }],
  ])('pass with %s', (_, terms) => {
    expect(termsFault(terms)).toBeNull();
  });

  it.each<[string, InstrumentTerms, string]>([
    ['tick of zero', { tickSize: '0' }, 'tickSize'],
    ['negative tick', { tickSize: '-0.01' }, 'tickSize'],
    ['least order of zero', { minOrderSize: '0' }, 'minOrderSize'],
    ['negative largest order', { maxOrderSize: '-1' }, 'maxOrderSize'],
    ['least above the largest order', { minOrderSize: '2', maxOrderSize: '1' }, 'minOrderSize'],
    ['nine price decimals', { priceDecimals: 9 }, 'priceDecimals'],
    ['negative price decimals', { priceDecimals: -1 }, 'priceDecimals'],
    ['breaker of zero', { circuitBreakerThreshold: '0' }, 'circuitBreakerThreshold'],
    ['breaker above 1', { circuitBreakerThreshold: '1.0001' }, 'circuitBreakerThreshold'],
    ['breaker too fine', { circuitBreakerThreshold: '0.00001' }, 'circuitBreakerThreshold'],
    ['negative depeg alert', { depegAlertThreshold: '-0.1' }, 'depegAlertThreshold'],
    ['empty name', { displayName: '' }, 'displayName'],
    ['name too long', { displayName: 'x'.repeat(201) }, 'displayName'],
    ['NUL in the metadata', { metadata: { a: '\0' } }, 'metadata'],
  ])('are refused with a %s', (_, terms, field) => {
    expect(termsFault(terms)).toMatchObject({ field });
  });
});

describe('venues of an instrument', () => {
  const venue = (change: Partial<VenueTerms> = {}): VenueTerms => ({
    venueId: 'kraken',
    venueSymbol: 'XXBTZUSD',
    ...change,
  });

  it('pass when each comes once', () => {
    expect(venuesFault([venue({ tickSize: '0.1', lotSize: '0.00000001', minOrderSize: '0.00005' })])).toBeNull();
    expect(venuesFault([venue(), venue({ venueId: 'coinbase' })])).toBeNull();
  });

  it.each<[string, VenueTerms[], string]>([
    ['twice the same', [venue(), venue()], 'venues.1.venueId'],
    ['101 of them', Array.from({ length: 101 }, (_, i) => venue({ venueId: `v${i}` })), 'venues'],
    ['a name with a space', [venue({ venueId: 'a b' })], 'venues.0.venueId'],
    ['an empty symbol', [venue({ venueSymbol: '' })], 'venues.0.venueSymbol'],
    ['a tick of zero', [venue({ tickSize: '0' })], 'venues.0.tickSize'],
    ['a negative lot', [venue({ lotSize: '-1' })], 'venues.0.lotSize'],
    ['a least order of zero', [venue({ minOrderSize: '0' })], 'venues.0.minOrderSize'],
  ])('are refused with %s', (_, venues, field) => {
    expect(venuesFault(venues)).toMatchObject({ field });
  });
});

it('a name may be left out', () => {
  expect([nameFault('name', null), nameFault('name', undefined)]).toEqual([null, null]);
});
