/** Lets out what waits for a client in rounds that begin at most so often. */
export class RoundTimer {
  private readonly intervalMs: number;
  private left = 0;
  private begunAt = Number.NEGATIVE_INFINITY;

  /** @param intervalMs from the begin of one round to that of the next; 0 lets everything out at once */
  constructor(intervalMs: number) {
    this.intervalMs = intervalMs;
  }

  /** Whether one of so many that wait may go now; if so, it counts as gone. */
  letsOut(waiting: number): boolean {
    if (this.intervalMs === 0) return true;
    if (this.left === 0) {
      if (waiting === 0 || this.dueInMs() > 0) return false;
      this.begunAt = performance.now();
      this.left = waiting;
    }
    this.left--;
    return true;
  }

  /** Time until something may go. */
  dueInMs(): number {
    return this.left > 0 ? 0 : Math.max(0, this.begunAt + this.intervalMs - performance.now());
  }

  /** Nothing waits any more. */
  clear(): void {
    this.left = 0;
  }
}
