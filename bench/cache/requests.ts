/** Requests that a process makes of itself, with no socket in between, and what they cost. */

import { percentiles } from '../live/percentiles.ts';
import { measure } from '../measure.ts';

export interface Requests {
  warmUp: number;
  count: number;
}

/** Since the process began. */
export interface Counts {
  statements: number;
  /** Values that the cache had, and all that were asked of it. */
  hits: number;
  reads: number;
}

export interface Asked {
  count: number;
  /** SQL statements a request. */
  statements: number;
  /** CPU of the process a request. */
  cpuMs: number;
  p50Ms: number;
  p99Ms: number;
  /** Of all values, how many the cache had; null where there is none. */
  hitRatio: number | null;
}

type Ask = (nth: number) => Promise<unknown>;

/** As fast as they are answered, a few at a time. */
export async function measureRequests({ warmUp, count }: Requests, ask: Ask, counts: () => Counts): Promise<Asked> {
  await measure(warmUp, ask);
  const before = counts();
  const { cpuMs, p50Ms, p99Ms } = await measure(count, ask);
  return { count, cpuMs, p50Ms, p99Ms, ...between(before, counts(), count) };
}

/** So many a second, whatever else the process does. */
export async function keepAsking(
  { seconds, perSecond }: { seconds: number; perSecond: number },
  ask: Ask,
  counts: () => Counts,
): Promise<Asked> {
  const times: number[] = [];
  const before = counts();
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  const all: Promise<void>[] = [];
  for (let nth = 0; nth < seconds * perSecond; nth++) {
    const dueMs = start + (nth * 1_000) / perSecond - performance.now();
    if (dueMs > 0) await new Promise((resolve) => setTimeout(resolve, dueMs));
    const sentAt = performance.now();
    all.push(ask(nth).then(() => void times.push(performance.now() - sentAt)));
  }
  await Promise.all(all);
  const { user, system } = process.cpuUsage(cpuBefore);
  const { p50Ms, p99Ms } = percentiles(times);
  const cpuMs = (user + system) / 1_000 / all.length;
  return { count: all.length, cpuMs, p50Ms, p99Ms, ...between(before, counts(), all.length) };
}

function between(before: Counts, after: Counts, count: number): Pick<Asked, 'statements' | 'hitRatio'> {
  const reads = after.reads - before.reads;
  return {
    statements: (after.statements - before.statements) / count,
    hitRatio: reads === 0 ? null : (after.hits - before.hits) / reads,
  };
}
