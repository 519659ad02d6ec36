import { describe, expect, it } from 'vitest';
import { inBatches } from '../../clients/loader/batches.ts';

async function* count(to: number, taken: number[] = []) {
  for (let i = 1; i <= to; i++) {
    taken.push(i);
    yield i;
  }
}

/** A turn of the event loop. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('batches', () => {
  it('hold the items in order, the last one what is left', async () => {
    const batches: number[][] = [];
    await inBatches(count(7), { size: 3, concurrency: 1 }, async (batch) => void batches.push(batch));
    expect(batches).toEqual([[1, 2, 3], [4, 5, 6], [7]]);
  });

  it('are not sent when there is nothing', async () => {
    await inBatches(count(0), { size: 3, concurrency: 1 }, () => Promise.reject(new Error('sent')));
  });

  it('end before a day too many', async () => {
    const batches: number[][] = [];
    const days = { limit: 2, of: (item: number) => String(Math.floor(item / 2)) };
    await inBatches(count(8), { size: 100, concurrency: 1, days }, async (batch) => void batches.push(batch));
    expect(batches).toEqual([[1, 2, 3], [4, 5, 6, 7], [8]]);
  });

  it('are under way at most so many at once, and nothing is read ahead meanwhile', async () => {
    const taken: number[] = [];
    const release: (() => void)[] = [];
    let most = 0;
    let underWay = 0;
    const done = inBatches(count(10, taken), { size: 2, concurrency: 2 }, async () => {
      most = Math.max(most, ++underWay);
      await new Promise<void>((resolve) => release.push(resolve));
      underWay--;
    });
    await turn();
    expect(taken).toEqual([1, 2, 3, 4]);
    release.shift()?.();
    await turn();
    expect(taken).toEqual([1, 2, 3, 4, 5, 6]);
    while (underWay > 0) {
      release.shift()?.();
      await turn();
    }
    await done;
    expect(most).toBe(2);
    expect(taken).toHaveLength(10);
  });

  it('stop after a failure, which is thrown once those under way have ended', async () => {
    const ended: number[] = [];
    const taken: number[] = [];
    const sending = inBatches(count(100, taken), { size: 1, concurrency: 2 }, async ([item = 0]) => {
      if (item === 2) throw new Error('the graph is gone');
      for (let i = 0; i < 5; i++) await turn();
      ended.push(item);
    });
    await expect(sending).rejects.toThrow('the graph is gone');
    expect(ended).toEqual([1]);
    expect(taken.length).toBeLessThan(5);
  });
});
