import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Pace } from '../../../platform/feed/pace.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** The times between the begins of looks that each take so long and find something. */
async function gapsOf(tookMs: number, looks: number): Promise<number[]> {
  const pace = new Pace();
  const begins: number[] = [];
  const looking = (async () => {
    for (let i = 0; i < looks; i++) {
      begins.push(Date.now());
      await new Promise((resolve) => setTimeout(resolve, tookMs));
      pace.took(tookMs);
      pace.ring();
      await pace.next(true);
    }
  })();
  await vi.runAllTimersAsync();
  await looking;
  return begins.slice(2).map((begin, i) => begin - (begins[i + 1] as number));
}

test('looks of a server at its ease come every 5 milliseconds', async () => {
  expect(await gapsOf(1, 5)).toEqual([5, 5, 5]);
});

test('looks that take long leave the server three quarters of its time', async () => {
  expect(await gapsOf(8, 5)).toEqual([32, 32, 32]);
});

test('however long looks take, they wait no longer than that', async () => {
  expect(await gapsOf(30, 5)).toEqual([40, 40, 40]);
  expect(await gapsOf(200, 5)).toEqual([200, 200, 200]);
});
