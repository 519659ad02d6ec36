import { describe, expect, it } from 'vitest';
import { randomOf } from '../../clients/simulator/random.ts';
import { type Habits, type Intention, intend, STRATEGIES } from '../../clients/simulator/strategies.ts';
import { dec } from '../../platform/decimal.ts';

const habits = STRATEGIES[0] as Habits;
const market = {
  fairPrice: dec('51000'),
  terms: { priceStep: dec('0.01'), quantityStep: dec('0.0001') },
};
const none = { toBuy: dec(0), toSell: dec(0) };

function intentions(position: string, open = none): Intention[] {
  const random = randomOf(1, position);
  const standing = { position: dec(position), ...open, ...market };
  return Array.from({ length: 200 }, () => intend(habits, standing, random)).filter((intention) => intention !== null);
}

describe('a strategy', () => {
  it('trades both ways at home, now taking, now resting', () => {
    const kinds = new Set(intentions('2.5').map(({ side, timeInForce }) => `${side} ${timeInForce}`));
    expect([...kinds].sort()).toEqual(['BUY GTC', 'BUY IOC', 'SELL GTC', 'SELL IOC']);
  });

  it('prices what is to be taken beyond the market, and what rests behind it', () => {
    for (const { side, price, timeInForce } of intentions('2.5')) {
      const isBeyond = side === 'BUY' ? price.gt('51000') : price.lt('51000');
      expect(isBeyond).toBe(timeInForce === 'IOC');
      expect(price.mod('0.01').isZero()).toBe(true);
    }
  });

  it('only goes back from the end of its reach', () => {
    expect(intentions('2.55').every(({ side }) => side === 'SELL')).toBe(true);
    expect(intentions('2.45').every(({ side }) => side === 'BUY')).toBe(true);
    expect(intentions('0').every(({ side }) => side === 'BUY')).toBe(true);
  });

  it('counts what its live orders may still trade', () => {
    const open = { toBuy: dec('0.05'), toSell: dec('0.05') };
    expect(intentions('2.5', open)).toEqual([]);
  });

  it('does not take what it offers itself', () => {
    const kinds = (open: typeof none) =>
      new Set(intentions('2.5', open).map(({ side, timeInForce }) => `${side} ${timeInForce}`));
    expect([...kinds({ ...none, toSell: dec('0.001') })].sort()).toEqual(['BUY GTC', 'SELL GTC', 'SELL IOC']);
    expect([...kinds({ ...none, toBuy: dec('0.001') })].sort()).toEqual(['BUY GTC', 'BUY IOC', 'SELL GTC']);
  });

  it('stays within its reach for ever', () => {
    const random = randomOf(2, 'for ever');
    let position = dec(habits.home);
    for (let trade = 0; trade < 5_000; trade++) {
      const intention = intend(habits, { position, ...none, ...market }, random);
      if (!intention) continue;
      position = intention.side === 'BUY' ? position.plus(intention.quantity) : position.minus(intention.quantity);
      expect(position.minus(habits.home).abs().lte(habits.reach)).toBe(true);
    }
  });
});
