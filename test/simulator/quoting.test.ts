import { describe, expect, it } from 'vitest';
import {
  type Book,
  planQuotes,
  QUOTE_LIMIT,
  type Resting,
  reserveOf,
  type Side,
} from '../../clients/simulator/quoting.ts';
import { randomOf } from '../../clients/simulator/random.ts';
import { dec } from '../../platform/decimal.ts';

const terms = { priceStep: dec('0.01'), quantityStep: dec('0.0001') };
const MINUTE_MS = 60_000;

function resting(orderId: string, side: Side, price: string, more: Partial<Resting> = {}): Resting {
  return { orderId, side, price: dec(price), sinceMs: 0, isOwn: true, ...more };
}

function book(fairPrice: string, orders: readonly Resting[] = []): Book {
  return { fairPrice: dec(fairPrice), terms, quantity: 0.04, resting: orders };
}

const plan = (of: Book, nowMs = 0) => planQuotes(of, nowMs, randomOf(1, 'quotes'));

/** The book after the plan was carried out. */
function requoted(of: Book, nowMs: number, name: string): Resting[] {
  const { cancel, place } = planQuotes(of, nowMs, randomOf(nowMs, name));
  const placed = place.map(({ side, price }, index) =>
    resting(`${name}-${nowMs}-${index}`, side, price.toFixed(), { sinceMs: nowMs }),
  );
  return [...of.resting.filter(({ orderId }) => !cancel.includes(orderId)), ...placed];
}

describe('a market maker', () => {
  it('fills an empty book, bids below and asks above the price', () => {
    const { cancel, place } = plan(book('50000'));
    expect(cancel).toEqual([]);
    expect(place).toHaveLength(QUOTE_LIMIT);
    for (const { side, price, quantity } of place) {
      expect(side === 'BUY' ? price.lt(50_000) : price.gt(50_000)).toBe(true);
      expect(price.mod('0.01').isZero() && quantity.mod('0.0001').isZero()).toBe(true);
    }
  });

  it('leaves a book alone that is as it should be', () => {
    const settled = requoted(book('50000'), 0, 'first');
    expect(plan(book('50000', settled), MINUTE_MS)).toEqual({ cancel: [], place: [] });
  });

  it('takes out what is far, old, or on the wrong side of the price', () => {
    const orders = [
      resting('far', 'BUY', '48000'),
      resting('wrong side', 'SELL', '49990'),
      resting('old', 'BUY', '49970', { sinceMs: -10 * MINUTE_MS }),
      resting('good', 'SELL', '50030'),
    ];
    expect(plan(book('50000', orders)).cancel).toEqual(['far', 'wrong side', 'old']);
  });

  it('keeps one order at a level', () => {
    const orders = [resting('first', 'BUY', '49975'), resting('second', 'BUY', '49974')];
    expect(plan(book('50000', orders)).cancel).toEqual(['second']);
  });

  it('leaves orders of others alone, and places none that would meet them', () => {
    const { cancel, place } = plan(book('50000', [resting('a person', 'SELL', '49950', { isOwn: false })]));
    expect(cancel).toEqual([]);
    for (const { side, price } of place) if (side === 'BUY') expect(price.lt(49_950)).toBe(true);
  });

  it('never has more orders than its limit, however the price moves', () => {
    let orders: Resting[] = [];
    const random = randomOf(3, 'price');
    let price = 50_000;
    for (let nowMs = 0; nowMs < 60 * MINUTE_MS; nowMs += 3_000) {
      price *= Math.exp(0.000_3 * random.normal());
      orders = requoted(book(price.toFixed(2), orders), nowMs, 'walk');
      expect(orders.length).toBeLessThanOrEqual(QUOTE_LIMIT);
      const best = (side: Side) => orders.filter((order) => order.side === side).map((order) => order.price.toNumber());
      expect(Math.max(...best('BUY'))).toBeLessThan(Math.min(...best('SELL')));
    }
  });

  it('sets aside what the order gives, with room for fees on a buy', () => {
    const terms = { price: dec('50000'), quantity: dec('0.1') };
    expect(reserveOf({ side: 'BUY', ...terms }, 'BTC-USD')).toEqual({ asset: 'USD', amount: dec('5500') });
    expect(reserveOf({ side: 'SELL', ...terms }, 'BTC-USD')).toEqual({ asset: 'BTC', amount: dec('0.1') });
  });
});
