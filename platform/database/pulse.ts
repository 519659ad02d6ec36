/**
 * Tells a database that takes long from one that says nothing at all: a server that is stopped or cut off keeps its
 * connections and answers none of them. Nobody waits for such a one until his own time is over. One that is overloaded may
 * have no time for a question of ours, but says something to somebody.
 */
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import type { Logger } from '../log.ts';

/** Whoever waits so long for the database gives cause to ask whether it is there. */
const DOUBT_MS = 1_000; // 1 second

/** A database has so long to answer that question, or anybody. */
const ANSWER_MS = 2_000; // 2 seconds
/** The time in which it answers is counted in steps: where this process gets no turn, a database beside it may get none either. */
const STEP_MS = 100;

/** How often it is asked, while there is cause to. */
const INTERVAL_MS = 1_000; // 1 second

/** The database said nothing. Its code makes it an unreachable one (database-error.ts). */
export class Silent extends Error {
  readonly code = 'ETIMEDOUT';

  constructor() {
    super('The database does not answer');
    this.name = 'Silent';
  }
}

export interface PulseOptions {
  /** Asks the database for anything; resolves, whatever it says, as soon as it says something. */
  ask(signal: AbortSignal): Promise<void>;
  /** Gives up whatever waits for an answer. */
  giveUp(): void;
  log: Logger;
}

export class Pulse {
  isSilent = false;
  /** Something has come from the database since it was asked. */
  private isHeard = false;
  private readonly options: PulseOptions;
  /** Since when each waits. */
  private readonly waits = new Map<object, number>();
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(options: PulseOptions) {
    this.options = options;
  }

  /** Something waits for the database from now on. */
  begin(wait: object): void {
    this.waits.set(wait, Date.now());
    this.timer ??= this.later();
  }

  /** It waits no longer. */
  end(wait: object): void {
    this.waits.delete(wait);
  }

  /** Something has come from the database, whatever it is. */
  hear(): void {
    this.isHeard = true;
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
  }

  private later(): NodeJS.Timeout {
    return setTimeout(() => void this.look(), INTERVAL_MS).unref();
  }

  private async look(): Promise<void> {
    if (this.isSilent || this.isInDoubt(Date.now())) this.judge(await this.answers());
    this.timer = (this.isSilent || this.waits.size > 0) && !this.isClosed ? this.later() : undefined;
  }

  private isInDoubt(now: number): boolean {
    for (const since of this.waits.values()) return now - since >= DOUBT_MS; // the first waits longest
    return false;
  }

  private async answers(): Promise<boolean> {
    const aborter = new AbortController();
    const { signal } = aborter;
    this.isHeard = false;
    const asked = this.options.ask(signal).then(() => {
      if (!signal.aborted) this.hear();
    });
    for (let left = ANSWER_MS; left > 0 && !this.isHeard; left -= STEP_MS) {
      await Promise.race([asked, sleep(STEP_MS, undefined, { ref: false })]);
    }
    await turn(); // an answer may be there that this process, being busy, has not read yet
    await turn();
    aborter.abort();
    return this.isHeard;
  }

  private judge(hasAnswered: boolean): void {
    const { giveUp, log } = this.options;
    if (hasAnswered === !this.isSilent || this.isClosed) return;
    this.isSilent = !hasAnswered;
    if (hasAnswered) log.info('the database answers again');
    else {
      log.warn('the database is silent');
      giveUp();
    }
  }
}
