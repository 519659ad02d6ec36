/** What waits for one client. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createOutbox, OUTBOX_LIMIT } from '../../../platform/feed/outbox.ts';

const item = (key: string, tick: number) => ({ key, place: { tick } });

describe('a lossless outbox', () => {
  it('gives what it took, in order, and takes no more than its limit', () => {
    const outbox = createOutbox('lossless');
    for (let tick = 0; tick < OUTBOX_LIMIT; tick++) expect(outbox.put(item('a', tick))).toBe(true);
    expect(outbox.put(item('a', OUTBOX_LIMIT))).toBe(false);
    expect(outbox.take()).toEqual(item('a', 0));
    expect(outbox.put(item('a', OUTBOX_LIMIT))).toBe(true);
    for (let tick = 1; tick <= OUTBOX_LIMIT; tick++) expect(outbox.take()?.place.tick).toBe(tick);
    expect(outbox.take()).toBeUndefined();
  });
});

describe('a conflated outbox', () => {
  it('has room for the latest change of so many rows', () => {
    const outbox = createOutbox('conflated');
    for (let tick = 0; tick < 3 * OUTBOX_LIMIT; tick++)
      expect(outbox.put(item(`${tick % OUTBOX_LIMIT}`, tick))).toBe(true);
    expect(outbox.put(item('one more', 0))).toBe(false);
    expect(outbox.size).toBe(OUTBOX_LIMIT);
  });

  const KEYS = ['a', 'b', 'c', 'd'];
  const steps = fc.array(fc.oneof(fc.constantFrom(...KEYS), fc.constant(null)), { maxLength: 200 });

  it('gives in rounds: places never step back, the last change of every row comes, and every row gets its turn', () => {
    fc.assert(
      fc.property(steps, (puts) => {
        const outbox = createOutbox('conflated');
        const given: ReturnType<typeof item>[] = [];
        const latest = new Map<string, number>();
        const waitingFor = new Map<string, number>();
        const take = () => {
          const taken = outbox.take();
          if (!taken) return;
          given.push(taken);
          waitingFor.delete(taken.key);
          for (const [key, turns] of waitingFor) waitingFor.set(key, turns + 1);
          expect(Math.max(0, ...waitingFor.values())).toBeLessThan(2 * KEYS.length);
        };
        puts.forEach((key, tick) => {
          if (key === null) {
            take();
            return;
          }
          outbox.put(item(key, tick));
          latest.set(key, tick);
          if (!waitingFor.has(key)) waitingFor.set(key, 0);
        });
        while (outbox.size > 0) take();
        const ticks = given.map(({ place }) => place.tick);
        expect(ticks).toEqual(ticks.toSorted((a, b) => a - b));
        for (const [key, tick] of latest) expect(given.findLast((one) => one.key === key)?.place.tick).toBe(tick);
      }),
    );
  });
});
