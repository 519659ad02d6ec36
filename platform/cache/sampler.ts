/**
 * Reads a few of the values that were served from the cache once more from PostgreSQL. One that differs is no fault while
 * the feed is still to bring the change; one of which the feed has brought nothing in good time should not have been served.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { Logger } from '../log.ts';

export interface SamplerOptions {
  log: Logger;
  /** One of so many values is looked at. @default 1,000 */
  every?: number | undefined;
  /** Time between two looks. @default 1,000 ms */
  pauseMs?: number | undefined;
  /** Time that the feed has to bring a change. @default 5,000 ms */
  patienceMs?: number | undefined;
}

export interface Sample {
  id: string;
  value: unknown;
  /** From PostgreSQL. */
  read: () => Promise<unknown>;
  /** Whether nothing of it has been touched since it was served. */
  isCurrent: () => boolean;
  /** Forgets it. */
  drop: () => void;
}

export class Sampler {
  sampled = 0;
  stale = 0;
  private readonly log: Logger;
  private readonly every: number;
  private readonly pauseMs: number;
  private readonly patienceMs: number;
  private nextAt = 0;

  constructor({ log, every = 1_000, pauseMs = 1_000, patienceMs = 5_000 }: SamplerOptions) {
    this.log = log;
    this.every = every;
    this.pauseMs = pauseMs;
    this.patienceMs = patienceMs;
  }

  /** Whether a value that has just been served is to be looked at. */
  isDue(): boolean {
    const now = Date.now();
    if (now < this.nextAt || Math.random() * this.every >= 1) return false;
    this.nextAt = now + this.pauseMs;
    return true;
  }

  async look({ id, value, read, isCurrent, drop }: Sample): Promise<void> {
    try {
      const isSame = async () => isDeepStrictEqual(plain(await read()), plain(value));
      if (!(await isSame())) {
        for (const until = Date.now() + this.patienceMs; isCurrent() && Date.now() < until; ) await sleep(50);
        if (isCurrent() && !(await isSame())) {
          this.stale++;
          this.log.error({ id }, 'a cached value was stale, though the feed had brought nothing of it');
          drop();
        }
      }
      this.sampled++;
    } catch (error) {
      this.log.debug({ id, reason: (error as Error).message }, 'a cached value could not be compared');
    }
  }
}

/** As it is stored. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value ?? null));
}
