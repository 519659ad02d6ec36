import { describe, expect, it } from 'vitest';
import { dec } from '../../../platform/decimal.ts';
import {
  checkInstrument,
  checkValue,
  type InstrumentRules,
  type OrderTerms,
  readTerms,
} from '../../../subgraphs/exchange/rules/order-entry.ts';
import { attempt } from './refusals.ts';

const limit = { type: 'LIMIT', side: 'BUY', quantity: '1', price: '100' } as const;
const rates = { maker: dec('0.001'), taker: dec('0.001') };

describe('the terms of an order', () => {
  it('are good till cancelled unless they say otherwise', () => {
    expect(readTerms(limit)).toEqual({
      type: 'LIMIT',
      side: 'BUY',
      timeInForce: 'GTC',
      quantity: dec(1),
      price: dec(100),
      stopPrice: null,
    });
  });

  it.each([
    ['a LIMIT without price', { ...limit, price: null }, 'price', 'A LIMIT order needs a price.'],
    ['a LIMIT with stopPrice', { ...limit, stopPrice: '1' }, 'stopPrice', 'A LIMIT order has no stopPrice.'],
    ['a MARKET with price', { ...limit, type: 'MARKET' }, 'price', 'A MARKET order has no price.'],
    [
      'a MARKET with stopPrice',
      { ...limit, type: 'MARKET', price: null, stopPrice: '1' },
      'stopPrice',
      'A MARKET order has no stopPrice.',
    ],
    [
      'a STOP without stopPrice',
      { ...limit, type: 'STOP', price: null },
      'stopPrice',
      'A STOP order needs a stopPrice.',
    ],
    ['a STOP with price', { ...limit, type: 'STOP', stopPrice: '1' }, 'price', 'A STOP order has no price.'],
    ['a zero quantity', { ...limit, quantity: '0' }, 'quantity', 'quantity must be above zero, but got 0.'],
    ['a negative quantity', { ...limit, quantity: '-1' }, 'quantity', 'quantity must be above zero, but got -1.'],
    ['a zero price', { ...limit, price: '0' }, 'price', 'price must be above zero, but got 0.'],
    ['a negative price', { ...limit, price: '-0.5' }, 'price', 'price must be above zero, but got -0.5.'],
  ] as const)('refuse %s', (_, order, field, message) => {
    expect(attempt(() => readTerms(order))).toMatchObject({
      code: 'VALIDATION_FAILED',
      message,
      path: ['input', field],
    });
  });
});

describe('an instrument', () => {
  const rules: InstrumentRules = {
    isActive: true,
    tickSize: dec('0.05'),
    minOrderSize: dec('0.01'),
    maxOrderSize: dec('10'),
  };
  const terms = (changes: Partial<OrderTerms> = {}): OrderTerms => ({ ...readTerms(limit), ...changes });

  it.each([
    ['on the price step', {}],
    ['of the smallest size', { quantity: dec('0.01') }],
    ['of the largest size', { quantity: dec('10') }],
    ['without a price', { price: null, type: 'MARKET' as const }],
  ])('takes an order %s', (_, changes) => {
    expect(() => checkInstrument('BTC-USD', rules, terms(changes))).not.toThrow();
  });

  it('without rules takes any order', () => {
    const none = { isActive: true, tickSize: null, minOrderSize: null, maxOrderSize: null };
    expect(() => checkInstrument('BTC-USD', none, terms({ price: dec('0.00000001') }))).not.toThrow();
  });

  it.each([
    ['off the price step', { price: dec('100.01') }, 'price'],
    ['with a stop off the price step', { price: null, stopPrice: dec('0.01') }, 'stopPrice'],
    ['below the smallest size', { quantity: dec('0.00999999') }, 'quantity'],
    ['above the largest size', { quantity: dec('10.00000001') }, 'quantity'],
  ])('refuses an order %s', (_, changes, field) => {
    expect(attempt(() => checkInstrument('BTC-USD', rules, terms(changes)))).toMatchObject({
      code: 'VALIDATION_FAILED',
      path: ['input', field],
    });
  });

  it('that is not active refuses any order', () => {
    expect(attempt(() => checkInstrument('BTC-USD', { ...rules, isActive: false }, terms()))).toMatchObject({
      message: 'BTC-USD is not active; it takes no new orders.',
      path: ['input', 'symbol'],
    });
  });
});

describe('the value of an order', () => {
  const worth = (quantity: string, price: string) => () => checkValue(readTerms({ ...limit, quantity, price }), rates);

  it('may be as small as the last digit and as large as can be stored', () => {
    expect(worth('0.00000001', '1')).not.toThrow();
    expect(worth('99900099', '99999999')).not.toThrow();
  });

  it.each([
    ['0.00000001', '0.99999999', 'The order is worth less than 0.00000001 of the quote asset.'],
    ['9999999999999999', '9999999999999999', /must be below 10000000000000000/],
    ['100000000', '100000000', /must be below 10000000000000000/],
  ])('%s at %s is refused', (quantity, price, message) => {
    const refusal = attempt(worth(quantity, price)) as { message: string };
    expect(refusal.message).toMatch(message);
  });

  it('of a market order is not known before it is matched', () => {
    const market = readTerms({ type: 'MARKET', side: 'BUY', quantity: '9999999999999999' });
    expect(() => checkValue(market, rates)).not.toThrow();
  });
});
