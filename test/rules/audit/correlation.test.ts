/** What belongs together, how sure that is, and what is made of it. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anomaliesIn } from '../../../subgraphs/audit/rules/anomalies.ts';
import { depths, type Edge, walk } from '../../../subgraphs/audit/rules/causality.ts';
import {
  type Correlatable,
  type CorrelationRule,
  confidenceOf,
  delayNs,
  jaccard,
  likeliestTrigger,
  matchesType,
} from '../../../subgraphs/audit/rules/correlation.ts';
import { complianceOf, judge, outcome, stepsFrom } from '../../../subgraphs/audit/rules/validation.ts';

const rule: CorrelationRule = {
  ruleName: 'r',
  triggerType: 'cause',
  triggerService: null,
  triggerMetadata: null,
  effectType: '*effect*',
  effectService: null,
  effectMetadata: null,
  maxDelayMs: 100_000,
  minConfidence: '0.7',
  enabled: true,
};

const event = (eventId: string, second: number, more: Partial<Correlatable> = {}): Correlatable => ({
  eventId,
  timestamp: new Date(Date.UTC(2026, 0, 1) + second * 1_000).toISOString(),
  traceId: eventId.padEnd(32, '0'),
  correlationId: null,
  causationId: null,
  serviceName: 'desk',
  eventType: eventId.startsWith('c') ? 'cause' : 'some_effect',
  entityKey: null,
  tags: [],
  metadata: {},
  scenarioId: null,
  ...more,
});

describe('confidence', () => {
  it.each([
    ['one trace', 90, { traceId: 'a' }, { traceId: 'a' }, 1],
    ['one correlation id', 90, { correlationId: 'run' }, { correlationId: 'run' }, 0.9],
    ['one thing at once', 0, { tags: ['symbol:B'] }, { tags: ['symbol:B'] }, 0.9],
    ['one entity a tenth later', 10, { entityKey: 'S:1' }, { entityKey: 'S:1' }, 0.83],
    ['nothing but time, at once', 0, {}, {}, 0.7],
    ['nothing but time, later', 1, {}, {}, null],
    ['one thing, too late for the least', 40, { tags: ['symbol:B'] }, { tags: ['symbol:B'] }, null],
    ['a tag that is no thing', 10, { tags: ['domain:risk'] }, { tags: ['domain:risk'] }, null],
    ['later than the rule allows', 101, { traceId: 'a' }, { traceId: 'a' }, null],
    ['the effect first', -1, { traceId: 'a' }, { traceId: 'a' }, null],
  ])('of %s', (_, delay, cause, effect, confidence) => {
    expect(confidenceOf(rule, event('c', 0, cause), event('e', delay, effect))).toBe(confidence);
  });

  it('needs what the rule says of type, service and metadata', () => {
    const same = { traceId: 'a' };
    const strict = { ...rule, triggerService: 'desk', effectMetadata: { k: 1 } };
    expect(confidenceOf(strict, event('c', 0, same), event('e', 1, { ...same, metadata: { k: 1 } }))).toBe(1);
    expect(confidenceOf(strict, event('c', 0, same), event('e', 1, { ...same, metadata: { k: 2 } }))).toBeNull();
    expect(
      confidenceOf(
        strict,
        event('c', 0, { ...same, serviceName: 'x' }),
        event('e', 1, { ...same, metadata: { k: 1 } }),
      ),
    ).toBeNull();
    expect(
      confidenceOf(
        { ...rule, minConfidence: '0.95' },
        event('c', 0, { correlationId: 'r' }),
        event('e', 1, { correlationId: 'r' }),
      ),
    ).toBeNull();
    expect(matchesType('a*c', 'abbc')).toBe(true);
    expect(matchesType('a.c', 'abc')).toBe(false);
  });

  it('chooses the surest trigger, of those about the same thing the latest', () => {
    const effect = event('e', 10, { traceId: 't', tags: ['order:1'] });
    const triggers = [
      event('c1', 1, { traceId: 't' }),
      event('c2', 2, { traceId: 't', tags: ['order:1'] }),
      event('c3', 3, { traceId: 't' }),
      event('c4', 9, { correlationId: null }),
    ];
    expect(likeliestTrigger(rule, triggers, effect)?.trigger.eventId).toBe('c2');
    expect(likeliestTrigger(rule, [], effect)).toBeNull();
  });

  it('counts delays to the nanosecond', () => {
    expect(delayNs('2026-01-01T00:00:00.000001Z', '2026-01-01T00:00:01Z')).toBe(999_999_000n);
    expect(delayNs('2026-01-01T00:00:01Z', '2026-01-01T00:00:00.5Z')).toBe(-500_000_000n);
  });
});

describe('a walk along the edges', () => {
  it('reaches each event once, at its least depth, whatever circles there are', async () => {
    const edges = fc.array(
      fc.record({
        source: fc.nat(9).map(String),
        target: fc.nat(9).map(String),
        confidence: fc.constantFrom(0.5, 0.9, 1),
      }),
    );
    await fc.assert(
      fc.asyncProperty(edges, async (all: Edge[]) => {
        const reached = await walk('0', 20, async (ids) => all.filter(({ source }) => ids.includes(source)));
        expect(new Set(reached.map(({ eventId }) => eventId)).size).toBe(reached.length);
        const depthOf = new Map(reached.map(({ eventId, depth }) => [eventId, depth]));
        for (const { source, target } of all) {
          const depth = depthOf.get(source);
          if (depth !== undefined) expect(depthOf.get(target)).toBeLessThanOrEqual(depth + 1);
        }
        expect(reached.every(({ confidence }) => confidence > 0 && confidence <= 1)).toBe(true);
      }),
    );
  });

  it('ends at its depth and its number of events', async () => {
    const next = async (ids: readonly string[]) =>
      ids.map((id) => ({ source: id, target: String(Number(id) + 1), confidence: 1 }));
    expect(await walk('0', 3, next)).toHaveLength(4);
    expect(await walk('0', 20, next, 6)).toHaveLength(6);
  });

  it('gives each event its depth below those that nothing has led to', () => {
    const edges = [
      ['a', 'b'],
      ['b', 'c'],
      ['a', 'c'],
      ['x', 'y'],
      ['y', 'x'],
    ].map(([source = '', target = '']) => ({ source, target }));
    expect(Object.fromEntries(depths(['a', 'b', 'c', 'd', 'x', 'y'], edges))).toEqual({
      a: 0,
      b: 1,
      c: 1,
      d: 0,
      x: 0,
      y: 0,
    });
  });
});

describe('a validation', () => {
  const expected = { name: 'n', eventType: 'e', serviceName: null, withinMs: 1_000, afterEventType: null };

  it('is judged by what came, and when', () => {
    const at = '2026-01-01T00:00:00Z';
    const seen = (timestamp: string) => ({ eventId: 'e', timestamp });
    expect(judge(expected, at, seen('2026-01-01T00:00:01Z'))).toMatchObject({
      found: true,
      delayMs: 1_000,
      withinSla: true,
    });
    expect(judge(expected, at, seen('2026-01-01T00:00:01.001Z'))).toMatchObject({ delayMs: 1_001, withinSla: false });
    expect(judge(expected, at, null)).toMatchObject({ found: false, delayMs: null, withinSla: false });
    expect(judge(expected, null, seen(at))).toMatchObject({ found: false });
  });

  it('passes, fails, is skipped, or is pending; and only then changes', () => {
    const met = judge(expected, '2026-01-01T00:00:00Z', { eventId: 'e', timestamp: '2026-01-01T00:00:00Z' });
    const missed = judge(expected, null, null);
    expect(outcome([met], true)).toBe('passed');
    expect(outcome([met, missed], true)).toBe('failed');
    expect(outcome([], true)).toBe('skipped');
    expect(outcome([met], false)).toBe('pending');
    expect(complianceOf([met, missed])).toBe(0.5);
    expect(complianceOf([])).toBeNull();
    expect((['passed', 'failed', 'skipped'] as const).flatMap(stepsFrom)).toEqual([]);
    expect(stepsFrom('pending')).toContain('passed');
  });
});

it('an anomaly lies so many deviations from the mean, and needs enough to compare with', () => {
  const buckets = (counts: number[]) => counts.map((count, i) => ({ at: String(i), count }));
  const calm = Array.from({ length: 20 }, () => 10);
  expect(anomaliesIn(buckets(calm), 3)).toEqual([]);
  expect(anomaliesIn(buckets([...calm, 100]), 3)).toMatchObject([{ at: '20', kind: 'spike', count: 100 }]);
  expect(anomaliesIn(buckets([...calm, 0]), 3)).toMatchObject([{ at: '20', kind: 'silence', count: 0 }]);
  expect(anomaliesIn(buckets([1, 1, 1, 100]), 1)).toEqual([]);
});

it('likeness is what both have, of all that either has', () => {
  expect(jaccard(new Set(['a', 'b']), new Set(['b', 'c']))).toBeCloseTo(1 / 3);
  expect(jaccard(new Set(), new Set())).toBe(0);
});
