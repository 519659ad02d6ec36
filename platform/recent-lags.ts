/** How long calls have taken of late, for who operates the graph. */

/** Calls over which it is told. */
const CALLS = 1_024;
/** Calls older than this say nothing of now. */
const PERIOD_MS = 60_000; // a minute

export class RecentLags {
  private readonly lags: { at: number; ms: number }[] = [];

  note(elapsedMs: readonly number[]): void {
    const at = performance.now();
    for (const ms of elapsedMs) this.lags.push({ at, ms });
    this.lags.splice(0, this.lags.length - CALLS);
  }

  /** Milliseconds within which each of these shares of the calls of the last minute was done; null without any. */
  within(...shares: number[]): (number | null)[] {
    const since = performance.now() - PERIOD_MS;
    const recent = this.lags.filter(({ at }) => at >= since).map(({ ms }) => ms);
    recent.sort((a, b) => a - b);
    return shares.map((share) => recent[Math.min(recent.length - 1, Math.floor(recent.length * share))] ?? null);
  }
}
