/** How often something may be done: `burst` times at once, and then `perSecond`. */
export interface Rate {
  perSecond: number;
  burst: number;
}

/** Counts what is done against a rate. */
export class RateMeter {
  readonly #rate: Rate;
  #left: number;
  #countedAt: number;

  /** @param now in milliseconds */
  constructor(rate: Rate, now: number) {
    this.#rate = rate;
    this.#left = rate.burst;
    this.#countedAt = now;
  }

  /** Whether it may be done once more now. 'flood' once as much has been refused as may be done at once. */
  take(now: number): 'allowed' | 'refused' | 'flood' {
    const { perSecond, burst } = this.#rate;
    this.#left = Math.min(burst, this.#left + ((now - this.#countedAt) * perSecond) / 1_000);
    this.#countedAt = now;
    this.#left--;
    if (this.#left >= 0) return 'allowed';
    return this.#left > -burst ? 'refused' : 'flood';
  }
}
