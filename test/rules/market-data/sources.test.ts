import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dec } from '../../../platform/decimal.ts';
import { CLOSED, observe } from '../../../subgraphs/market-data/sources/rules/breaker.ts';
import { consensusOf, type SourceQuote, smooth } from '../../../subgraphs/market-data/sources/rules/consensus.ts';
import {
  hear,
  SOURCE_TRANSITIONS,
  type SourceHealth,
  type SourceState,
  stateInSilence,
} from '../../../subgraphs/market-data/sources/rules/source-state.ts';

const NOW_MS = Date.UTC(2026, 2, 2);

const quote = (source: string, price: string, rest: Partial<SourceQuote> = {}): SourceQuote => ({
  source,
  priority: 1,
  price: dec(price),
  volume: null,
  atMs: NOW_MS,
  ...rest,
});

describe('the consensus', () => {
  it('is none without fresh quotes', () => {
    expect(consensusOf([], NOW_MS)).toBeNull();
    expect(consensusOf([quote('a', '1', { atMs: NOW_MS - 30_001 })], NOW_MS)).toBeNull();
  });

  it('believes two sources however far apart they are, and judges three', () => {
    expect(consensusOf([quote('a', '1'), quote('b', '3')], NOW_MS)).toMatchObject({ sourceCount: 2, outliers: [] });
    const three = consensusOf([quote('a', '100'), quote('b', '100.01'), quote('c', '150')], NOW_MS);
    expect(three).toMatchObject({ sourceCount: 2, outliers: ['c'] });
    expect(three?.price.toFixed()).toBe('100.005');
  });

  it('lies between the lowest and the highest quote, and is trusted from 0 to 1', () => {
    const quotes = fc.array(
      fc.record({
        price: fc.integer({ min: 1, max: 1e9 }),
        volume: fc.option(fc.nat(1e6)),
        priority: fc.integer({ min: 1, max: 100 }),
      }),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(quotes, (given) => {
        const list = given.map(({ price, volume, priority }, i) =>
          quote(`s${i}`, String(price), { priority, volume: volume === null ? null : dec(volume) }),
        );
        const consensus = consensusOf(list, NOW_MS);
        const prices = given.map(({ price }) => price);
        const price = Number(consensus?.price);
        expect(price).toBeGreaterThanOrEqual(Math.min(...prices) - 1e-8);
        expect(price).toBeLessThanOrEqual(Math.max(...prices) + 1e-8);
        expect(Number(consensus?.confidence)).toBeGreaterThanOrEqual(0);
        expect(Number(consensus?.confidence)).toBeLessThanOrEqual(1);
        expect((consensus?.sourceCount ?? 0) + (consensus?.outliers.length ?? 0)).toBe(list.length);
      }),
    );
  });

  it('moves smoothly within a second', () => {
    const before = { price: dec(100), atMs: NOW_MS };
    const later = (ms: number) => smooth(before, dec(200), NOW_MS + ms).toFixed();
    expect([later(0), later(250), later(1_000), later(60_000)]).toEqual(['100.1', '125', '200', '200']);
    expect(smooth(null, dec(200), NOW_MS).toFixed()).toBe('200');
  });
});

describe('the breaker', () => {
  const threshold = dec('0.2');
  const moved = (...moves: [secondsLater: number, price: string][]) => {
    let [breaker, atMs] = [CLOSED, NOW_MS];
    for (const [seconds, price] of moves) {
      atMs += seconds * 1_000;
      breaker = observe(breaker, dec(price), atMs, threshold);
    }
    return breaker;
  };

  it('trips above the threshold within a minute, up or down, also by small steps', () => {
    expect(moved([0, '100'], [59, '120']).state).toBe('CLOSED');
    expect(moved([0, '100'], [59, '120.1']).state).toBe('TRIPPED');
    expect(moved([0, '100'], [59, '79.9']).state).toBe('TRIPPED');
    expect(moved([0, '100'], [20, '110'], [20, '119'], [10, '121']).state).toBe('TRIPPED');
    expect(moved([0, '100'], [60, '150']).state).toBe('CLOSED');
  });

  it('closes after a minute within the band around the last good price', () => {
    const tripped = [
      [0, '100'],
      [10, '150'],
    ] as [number, string][];
    expect(moved(...tripped, [1, '101'], [59, '101']).state).toBe('TRIPPED');
    expect(moved(...tripped, [1, '101'], [60, '101']).state).toBe('CLOSED');
    expect(moved(...tripped, [1, '101'], [30, '150'], [1, '101'], [59, '101']).state).toBe('TRIPPED');
  });

  it('remembers a bounded minute', () => {
    const ticks = Array.from({ length: 5_000 }, (): [number, string] => [0.1, '100']);
    expect(moved(...ticks).recent.length).toBeLessThanOrEqual(61);
  });
});

describe('a source', () => {
  const fresh: SourceHealth = {
    state: 'DOWN',
    goodStreak: 0,
    errorStreak: 0,
    errorCount: 0,
    lastError: null,
    lastErrorAtMs: null,
    latencyMs: null,
    lastSeenAtMs: null,
  };

  it('goes only where the table lets it', () => {
    const message = fc.oneof(
      fc.record({ latencyMs: fc.integer({ min: -10, max: 10_000 }) }),
      fc.constant({ error: 'broken' }),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 0, max: 400_000 }), message), { maxLength: 40 }), (said) => {
        let [health, atMs] = [fresh, NOW_MS];
        for (const [laterMs, one] of said) {
          atMs += laterMs;
          const heard = hear(health, [one], atMs);
          expect(reachable(health.state)).toContain(heard.state);
          health = heard;
        }
      }),
    );
  });

  function reachable(from: SourceState, seen = new Set<SourceState>()): SourceState[] {
    seen.add(from);
    for (const to of SOURCE_TRANSITIONS[from]) if (!seen.has(to)) reachable(to, seen);
    return [...seen];
  }

  it('falls by silence alone', () => {
    const healthy: Pick<SourceHealth, 'state' | 'lastSeenAtMs'> = { state: 'HEALTHY', lastSeenAtMs: NOW_MS };
    const after = [30_000, 30_001, 300_000, 300_001].map((ms) => stateInSilence(healthy, NOW_MS + ms));
    expect(after).toEqual(['HEALTHY', 'STALE', 'STALE', 'DOWN']);
  });
});
