/** Faults by a schedule that a seed repeats. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FaultProxy, ProxyMode } from '../../support/fault-proxy.ts';
import type { Random } from './random.ts';

/** Does its harm, lasts as long as it lasts, and resolves when it is over. */
export type Fault = (random: Random) => Promise<void>;

export interface ScheduleOptions {
  /** By what they are called in the account. */
  faults: Readonly<Record<string, Fault>>;
  random: Random;
  /** Quiet time between two, at most. */
  pauseMs: number;
  /** Hears of each as it begins. */
  note: (name: string) => void;
}

/** One fault after another until the signal; every one of them in turn, in an order of the seed's. */
export async function inflict(options: ScheduleOptions, signal: AbortSignal): Promise<void> {
  const { faults, random, pauseMs, note } = options;
  const names = Object.keys(faults);
  for (;;) {
    for (const name of random.some(names, names.length)) {
      await sleep(random.between(pauseMs / 4, pauseMs));
      if (signal.aborted) return;
      note(name);
      await faults[name]?.(random);
    }
  }
}

const MODES: Readonly<Record<string, (random: Random) => ProxyMode>> = {
  'cut off': () => ({ kind: 'cut' }),
  delayed: (random) => ({ kind: 'delay', ms: random.between(5, 50) }),
  throttled: (random) => ({ kind: 'throttle', bytesPerSecond: random.between(20_000, 200_000) }),
  'lost in a black hole': () => ({ kind: 'blackhole' }),
};

const LEAST_MS = 300;

/** What can happen to the connections that go through a proxy. */
export function networkFaults(whose: string, proxies: readonly FaultProxy[], longestMs: number): Record<string, Fault> {
  const severed: Fault = async (random) => random.pick(proxies).sever();
  const lasting = Object.entries(MODES).map(([what, modeOf]): [string, Fault] => [
    `${whose} ${what}`,
    async (random) => {
      const proxy = random.pick(proxies);
      proxy.set(modeOf(random));
      await sleep(random.between(LEAST_MS, longestMs));
      proxy.set({ kind: 'pass' });
    },
  ]);
  return { [`${whose} severed`]: severed, ...Object.fromEntries(lasting) };
}
