import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Pace } from '../../../platform/feed/pace.ts';

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

/** The times between the begins of looks that take so long and find something. */
async function gapsOf(...tookMs: number[]): Promise<number[]> {
  const pace = new Pace();
  const begins: number[] = [];
  const looking = (async () => {
    for (const ms of tookMs) {
      begins.push(Date.now());
      await new Promise((resolve) => setTimeout(resolve, ms));
      pace.took(ms);
      pace.ring();
      await pace.next(true);
    }
  })();
  await vi.runAllTimersAsync();
  await looking;
  return begins.slice(3).map((begin, i) => begin - (begins[i + 2] as number));
}

test('looks of a server at its ease come every 5 milliseconds', async () => {
  expect(await gapsOf(1, 1, 1, 1, 1, 1)).toEqual([5, 5, 5]);
});

test('looks that take long leave the server two thirds of its time', async () => {
  expect(await gapsOf(4, 4, 4, 4, 4, 4)).toEqual([12, 12, 12]);
});

test('a single one that takes long changes nothing', async () => {
  expect(await gapsOf(1, 1, 1, 30, 1, 1, 1, 1)).toEqual([5, 30, 5, 5, 5].slice(0, 5));
});

test('however long looks take, they wait no longer than that', async () => {
  expect(await gapsOf(10, 10, 10, 10, 10)).toEqual([20, 20]);
  expect(await gapsOf(200, 200, 200, 200)).toEqual([200]);
});
