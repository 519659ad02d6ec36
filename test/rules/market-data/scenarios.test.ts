import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dec } from '../../../platform/decimal.ts';
import {
  bentPrice,
  bentQuote,
  envelope,
  type Manipulation,
} from '../../../subgraphs/market-data/scenarios/rules/price-effect.ts';
import {
  ACTIVE_STATES,
  dueSteps,
  moveScenario,
  SCENARIO_TRANSITIONS,
  type ScenarioState,
} from '../../../subgraphs/market-data/scenarios/rules/scenario-lifecycle.ts';
import {
  checkPlan,
  deviationOf,
  SCENARIO_LIMITS,
  type ScenarioType,
  timelineOf,
} from '../../../subgraphs/market-data/scenarios/rules/scenario-limits.ts';
import { progressOf } from '../../../subgraphs/market-data/scenarios/rules/scenario-progress.ts';

const STATES = Object.keys(SCENARIO_TRANSITIONS) as ScenarioState[];
const TYPES = Object.keys(SCENARIO_LIMITS) as ScenarioType[];

const manipulation = (rest: Partial<Manipulation> = {}): Manipulation => ({
  pattern: 'SHIFT',
  deviation: dec('0.1'),
  seed: 1,
  anchor: dec(100),
  startMs: 0,
  fullMs: 10_000,
  recoversMs: 40_000,
  endsMs: 60_000,
  ...rest,
});

describe('an effect', () => {
  it('builds up, stays, and is taken back', () => {
    const at = [-1, 0, 5_000, 10_000, 39_999, 50_000, 60_000].map((ms) => envelope(manipulation(), ms).toNumber());
    expect(at).toEqual([0, 0, 0.5, 1, 1, 0.5, 0]);
    const bent = [0, 5_000, 20_000, 50_000, 60_000].map((ms) => bentPrice(manipulation(), dec(200), ms).toNumber());
    expect(bent).toEqual([200, 210, 220, 210, 200]);
  });

  it('may be there at once', () => {
    expect(bentPrice(manipulation({ fullMs: 0 }), dec(100), 0).toNumber()).toBe(110);
  });

  it('of a pull leaves the price where it was, within a quarter of the true one', () => {
    const frozen = manipulation({ pattern: 'PULL', deviation: dec(1), fullMs: 0 });
    expect(bentPrice(frozen, dec(110), 1_000).toNumber()).toBe(100);
    expect(bentPrice(frozen, dec(200), 1_000).toNumber()).toBe(150);
  });

  it('never leads further than a quarter away, is the same in every process, and ends', () => {
    const patterns = fc.constantFrom('SHIFT', 'OSCILLATION', 'NOISE', 'PULL') as fc.Arbitrary<Manipulation['pattern']>;
    const cases = fc.record({
      pattern: patterns,
      hundredths: fc.integer({ min: -25, max: 25 }),
      seed: fc.integer(),
      atMs: fc.integer({ min: -1_000, max: 70_000 }),
      price: fc.integer({ min: 1, max: 1_000_000 }),
    });
    fc.assert(
      fc.property(cases, ({ pattern, hundredths, seed, atMs, price }) => {
        const one = manipulation({ pattern, deviation: dec(hundredths).dividedBy(100).abs(), seed });
        const bent = bentPrice(one, dec(price), atMs);
        expect(bent.minus(price).abs().dividedBy(price).toNumber()).toBeLessThanOrEqual(0.25);
        expect(bentPrice({ ...one }, dec(price), atMs).equals(bent)).toBe(true);
        if (atMs >= 60_000) expect(bent.toNumber()).toBe(price);
      }),
    );
  });

  it('bends a quote in proportion', () => {
    expect(bentQuote(dec(99), dec(100), dec(90))?.toNumber()).toBe(89.1);
    expect(bentQuote(null, dec(100), dec(90))).toBeNull();
  });
});

describe('the states', () => {
  it('let through what the table says, and nothing else', () => {
    for (const from of STATES) {
      for (const to of STATES) {
        const move = () => moveScenario(from, to);
        if (SCENARIO_TRANSITIONS[from].includes(to)) expect(move()).toBe(to);
        else expect(move).toThrow();
      }
    }
  });

  it('bend prices only where there is a way on', () => {
    for (const state of ACTIVE_STATES) expect(SCENARIO_TRANSITIONS[state]).not.toEqual([]);
  });

  it('follow the clock, several at once when it was not looked at for long', () => {
    const times = { scheduledForMs: 0, recoversAtMs: 10, endsAtMs: 20 };
    const due = (state: ScenarioState, nowMs: number) => dueSteps({ state, ...times }, nowMs);
    expect(due('DRAFT', 99)).toEqual([]);
    expect(due('SCHEDULED', -1)).toEqual([]);
    expect(due('SCHEDULED', 0)).toEqual(['RUNNING']);
    expect(due('RUNNING', 9)).toEqual([]);
    expect(due('RUNNING', 10)).toEqual(['RECOVERING']);
    expect(due('RUNNING', 20)).toEqual(['RECOVERING', 'COMPLETED']);
    expect(due('RECOVERING', 20)).toEqual(['COMPLETED']);
    expect(due('STOPPED', 99)).toEqual([]);
  });

  it('know how far they are', () => {
    const at = (instant: string) => progressOf('2026-01-01T00:00:00Z', '2026-01-01T04:00:00Z', instant).toNumber();
    expect([at('2025-12-31T00:00:00Z'), at('2026-01-01T01:00:00Z'), at('2026-01-02T00:00:00Z')]).toEqual([0, 0.25, 1]);
    expect(progressOf(null, null, '2026-01-01T00:00:00Z').toNumber()).toBe(0);
  });
});

describe('the limits', () => {
  const plan = (type: ScenarioType, rest: object = {}) => ({
    type,
    symbols: ['A-USD', 'B-USD'],
    intensity: dec(1),
    deviation: null,
    isGradual: true,
    durationMinutes: 10,
    recoveryFactor: dec('0.5'),
    ...rest,
  });

  it.each(TYPES)('of %s let its own deviation through, at every intensity', (type) => {
    for (const intensity of ['0.1', '1', '2']) {
      const { most, base } = SCENARIO_LIMITS[type];
      const isWithin = !dec(base).times(intensity).abs().greaterThan(most);
      const check = () => checkPlan(plan(type, { intensity: dec(intensity) }));
      if (isWithin) expect(check().isZero()).toBe(false);
      else expect(check).toThrow(`at most ${most}`);
    }
  });

  it.each(TYPES)('of %s hold with the recovery', (type) => {
    const { mostMinutes } = SCENARIO_LIMITS[type];
    const most = Math.floor(mostMinutes / 1.5);
    expect(() => checkPlan(plan(type, { durationMinutes: most }))).not.toThrow();
    expect(() => checkPlan(plan(type, { durationMinutes: most + 1 }))).toThrow(`1 to ${most}`);
  });

  it('make a timeline whose recovery is never left out', () => {
    expect(timelineOf({ isGradual: true, durationMinutes: 4, recoveryFactor: dec('0.5') }, 1_000)).toEqual({
      startMs: 1_000,
      fullMs: 61_000,
      recoversMs: 241_000,
      endsMs: 361_000,
    });
  });

  it('break a correlation by turns', () => {
    const signs = [0, 1, 2].map((nth) => deviationOf('CORRELATION_BREAK', dec('0.05'), nth).toNumber());
    expect(signs).toEqual([0.05, -0.05, 0.05]);
    expect(deviationOf('RALLY', dec('0.1'), 1).toNumber()).toBe(0.1);
  });
});
