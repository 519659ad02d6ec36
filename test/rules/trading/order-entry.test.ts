import { describe, expect, it } from 'vitest';
import { dec } from '../../../platform/decimal.ts';
import {
  checkDailyLoss,
  checkPositionLimit,
  checkPrices,
  type OrderType,
  onlyReduces,
} from '../../../subgraphs/trading/rules/order-entry.ts';
import { refusal } from './refusal.ts';

describe('prices of an order', () => {
  const allowed: Record<OrderType, [price: boolean, stopPrice: boolean]> = {
    market: [false, false],
    limit: [true, false],
    stop: [false, true],
    stop_limit: [true, true],
    trailing_stop: [false, true],
  };
  const cases = (Object.keys(allowed) as OrderType[]).flatMap((type) =>
    [true, false].flatMap((price) => [true, false].map((stopPrice) => ({ type, price, stopPrice }))),
  );

  it.each(cases)('$type with price $price and stopPrice $stopPrice', ({ type, price, stopPrice }) => {
    const given = { price: price ? dec(1) : null, stopPrice: stopPrice ? dec(1) : null };
    const [wantsPrice, wantsStop] = allowed[type];
    const passes = price === wantsPrice && stopPrice === wantsStop;
    expect(refusal(() => checkPrices(type, given)) === null).toBe(passes);
  });

  it('says what is missing and what is too much', () => {
    const none = { price: null, stopPrice: null };
    expect(refusal(() => checkPrices('limit', none))).toBe('A LIMIT order needs price.');
    expect(refusal(() => checkPrices('market', { ...none, price: dec(1) }))).toBe('A MARKET order takes no price.');
  });
});

describe('the position limit', () => {
  const cases: [string, 'buy' | 'sell', string, string, string, string | null, boolean][] = [
    // name, side, quantity, position, open on side, limit, passes
    ['no limit', 'buy', '1000000', '0', '0', null, true],
    ['up to the limit', 'buy', '4', '5', '1', '10', true],
    ['one unit of the eighth place above', 'buy', '4.00000001', '5', '1', '10', false],
    ['open orders count', 'buy', '1', '0', '10', '10', false],
    ['a sell of a long reduces it', 'sell', '5', '10', '0', '10', true],
    ['a sell through zero may reach the limit short', 'sell', '20', '10', '0', '10', true],
    ['and no further', 'sell', '20.00000001', '10', '0', '10', false],
    ['a sell that opens a short', 'sell', '10', '0', '0', '10', true],
    ['a sell that adds to a short', 'sell', '1', '-10', '0', '10', false],
    ['a buy of a short reduces it', 'buy', '10', '-10', '0', '10', true],
    ['a position above a lowered limit can be reduced', 'sell', '1', '50', '0', '10', true],
    ['a limit of zero allows nothing to be opened', 'buy', '0.00000001', '0', '0', '0', false],
  ];
  it.each(cases)('%s', (_, side, quantity, position, openOnSide, limit, passes) => {
    const order = {
      side,
      quantity: dec(quantity),
      position: dec(position),
      openOnSide: dec(openOnSide),
      limit: limit === null ? null : dec(limit),
    };
    expect(refusal(() => checkPositionLimit(order)) === null).toBe(passes);
  });

  it('says how far the position could go, with its sign', () => {
    const order = { side: 'sell' as const, quantity: dec(3), position: dec(1), openOnSide: dec(2), limit: dec(3) };
    expect(refusal(() => checkPositionLimit(order))).toContain('could reach -4 with this order');
  });
});

describe('the daily loss', () => {
  it.each([
    ['no limit', '-1000000', null, true],
    ['a gain', '5', '0', true],
    ['nothing lost, and nothing may be', '0', '0', true],
    ['the smallest loss where none may be', '-0.00000001', '0', false],
    ['less than the limit', '-99.99999999', '100', true],
    ['all of the limit', '-100', '100', false],
  ] as const)('%s', (_, today, limit, passes) => {
    const check = () => checkDailyLoss(dec(today), limit === null ? null : dec(limit));
    if (passes) expect(check).not.toThrow();
    else expect(check).toThrow('maxDailyLoss');
  });

  it.each([
    ['a sell of all that is held', 'sell', '10', '10', '0', true],
    ['a buy of all that is short', 'buy', '10', '-10', '0', true],
    ['a flip', 'sell', '10.00000001', '10', '0', false],
    ['with open orders before it, a flip', 'sell', '5', '10', '5.00000001', false],
    ['more of the same', 'buy', '1', '10', '0', false],
    ['from nothing', 'sell', '1', '0', '0', false],
  ] as const)('is not asked of what only reduces: %s', (_, side, quantity, position, openOnSide, reduces) => {
    const order = { side, quantity: dec(quantity), position: dec(position), openOnSide: dec(openOnSide) };
    expect(onlyReduces(order)).toBe(reduces);
  });
});
