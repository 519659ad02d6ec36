import { describe, expect, it } from 'vitest';
import { COURSES, type Course } from '../../clients/simulator/courses.ts';
import { randomOf } from '../../clients/simulator/random.ts';
import { onStep, walk } from '../../clients/simulator/walk.ts';
import { dec } from '../../platform/decimal.ts';

const course = COURSES[0] as Course;
const DAY_SECONDS = 86_400;

/** Prices of a walk from 51,000, at steps of so many seconds. */
function walked(seed: number, { seconds, steps }: { seconds: number; steps: number }): number[] {
  const random = randomOf(seed, 'walk');
  const prices: number[] = [];
  let price = 51_000;
  for (let step = 0; step < steps; step++) {
    price = walk(course, { price, anchor: 51_000, seconds, deviate: random.normal() });
    prices.push(price);
  }
  return prices;
}

describe('the walk of a price', () => {
  it('stands still while no time passes', () => {
    expect(walk(course, { price: 50_000, anchor: 51_000, seconds: 0, deviate: 3 })).toBeCloseTo(50_000, 6);
  });

  it('has gone half of its way back after a half-life', () => {
    const seconds = course.halfLifeSeconds;
    const price = walk(course, { price: 52_000, anchor: 51_000, seconds, deviate: 0 });
    expect(Math.log(price / 51_000)).toBeCloseTo(Math.log(52_000 / 51_000) / 2, 12);
  });

  it('moves, and does not drift away in a week', () => {
    for (let seed = 1; seed <= 20; seed++) {
      const prices = walked(seed, { seconds: 60, steps: (7 * DAY_SECONDS) / 60 });
      expect(Math.max(...prices)).toBeLessThan(51_000 * 1.09);
      expect(Math.min(...prices)).toBeGreaterThan(51_000 * 0.91);
      expect(Math.max(...prices) / Math.min(...prices)).toBeGreaterThan(1.02);
    }
  });

  it('spreads as far in one long step as in many short ones', () => {
    const spread = (prices: number[]) => Math.sqrt(prices.reduce((sum, p) => sum + Math.log(p / 51_000) ** 2, 0) / 400);
    const seeds = Array.from({ length: 400 }, (_, seed) => seed);
    const short = seeds.map((seed) => walked(seed, { seconds: 60, steps: 60 }).at(-1) as number);
    const long = seeds.map((seed) => walked(seed, { seconds: 3_600, steps: 1 }).at(-1) as number);
    expect(spread(long) / spread(short)).toBeGreaterThan(0.85);
    expect(spread(long) / spread(short)).toBeLessThan(1.15);
  });
});

describe('random streams', () => {
  it('come again for the same seed and name, and differ for others', () => {
    const told = (seed: number, name: string) => {
      const random = randomOf(seed, name);
      return [random.next(), random.normal(), random.between(3, 4)];
    };
    expect(told(1, 'a')).toEqual(told(1, 'a'));
    expect(told(1, 'a')).not.toEqual(told(2, 'a'));
    expect(told(1, 'a')).not.toEqual(told(1, 'b'));
  });

  it('are even from 0 to 1', () => {
    const random = randomOf(1, 'even');
    const tenths = Array.from({ length: 10 }, () => 0);
    for (let i = 0; i < 20_000; i++) {
      const tenth = Math.floor(random.next() * 10);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    for (const count of tenths) expect(Math.abs(count - 2_000)).toBeLessThan(200);
  });
});

describe('steps', () => {
  it.each([
    [51_000.126, '0.01', 'nearest', '51000.13'],
    [51_000.126, '0.01', 'down', '51000.12'],
    [51_000.121, '0.01', 'up', '51000.13'],
    [0.055_884_3, '0.00001', 'nearest', '0.05588'],
    [0.000_01, '0.001', 'nearest', '0.001'],
  ] as const)('%d in steps of %s, %s, is %s', (value, step, towards, expected) => {
    expect(onStep(value, dec(step), towards).toFixed()).toBe(expected);
  });
});
