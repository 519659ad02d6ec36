/** How often the feed looks: at once when somebody rings, often while changes come, seldom when nothing does. */

/** Time between two looks while changes come; many writers' changes then share a tick. */
const BUSY_MS = 5;

/** Time between two looks when there has been nothing for a while: what plain SQL writes waits so long at most. */
export const IDLE_MS = 250;

/** Each look that finds nothing makes the next wait so much longer. */
const SLOWING = 1.5;

/** Where looks take long, since the server has much to do, they begin so many times their length apart, */
const TIMES_THEIR_LENGTH = 3;
/** and no further than this. */
const LONGEST_APART_MS = 20;

export class Pace {
  private waitMs = BUSY_MS;
  private lastAt = 0;
  private apartMs = BUSY_MS;
  private lastTookMs = 0;
  private hasRung = false;
  private isStopped = false;
  private wake: (() => void) | null = null;

  ring(): void {
    this.hasRung = true;
    this.wake?.();
  }

  stop(): void {
    this.isStopped = true;
    this.wake?.();
  }

  /** Whether nothing has been found for so long that it looks as seldom as can be. */
  get isIdle(): boolean {
    return this.waitMs === IDLE_MS;
  }

  /** How long a look has taken: its server shall have more to do than to look. A single long one says nothing. */
  took(ms: number): void {
    const length = Math.min(ms, this.lastTookMs);
    this.lastTookMs = ms;
    this.apartMs = Math.min(LONGEST_APART_MS, Math.max(BUSY_MS, length * TIMES_THEIR_LENGTH));
  }

  /**
   * Waits until the next look is due, and no longer than `longestMs`. Says whether it is likely to find something: the last
   * one did, or somebody rang.
   */
  async next(foundSomething: boolean, longestMs = IDLE_MS): Promise<boolean> {
    this.waitMs = foundSomething ? BUSY_MS : Math.min(IDLE_MS, this.waitMs * SLOWING);
    await this.sleep(Math.min(this.waitMs, longestMs));
    const tooSoonMs = this.lastAt + this.apartMs - Date.now();
    this.lastAt = Math.max(Date.now(), this.lastAt + this.apartMs);
    if (tooSoonMs > 0 && !this.isStopped) await new Promise((resolve) => setTimeout(resolve, tooSoonMs));
    const isLikely = foundSomething || this.hasRung;
    this.hasRung = false;
    return isLikely;
  }

  /** Waits so long, or until somebody rings. */
  async pause(ms: number): Promise<void> {
    await this.sleep(ms);
    this.hasRung = false;
  }

  private sleep(ms: number): Promise<void> {
    if (this.hasRung || this.isStopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.wake?.(), ms);
      this.wake = () => {
        clearTimeout(timer);
        this.wake = null;
        resolve();
      };
    });
  }
}
