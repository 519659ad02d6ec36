/** One client's subscription to the rows of a topic: a snapshot or what it missed, then every change as it is committed. */
import type { Database } from '../database/database.ts';
import { END, inTurn } from '../streams.ts';
import type { FeedReader } from './feed.ts';
import { RoundTimer } from './round-timer.ts';
import { RowFollower } from './row-follower.ts';
import { type Choice, choose, type Topic } from './topic.ts';

export type ChangeKind = 'SNAPSHOT' | 'UPSERT' | 'DELETE' | 'PROGRESS' | 'RESYNC';

/** What a resolver hands on: the fields of `Change`, and the row that its type names. */
export interface ChangeEvent<Row> {
  kind: ChangeKind;
  cursor: string;
  /** When the change was written; of PROGRESS, until when nothing else happened. */
  at: string;
  row: Row | null;
}

export interface RowChangesOptions {
  choice: Choice;
  /** Cursor of the last event that the client has. @default begin with a snapshot */
  after?: string | null | undefined;
  /** Rounds of a conflated topic begin at most so often. @default as fast as the client takes them */
  minIntervalMs?: number;
}

/** Silence after which a client is told that there was nothing to tell: with a beat of the hub less than a second. */
export const PROGRESS_MS = 650;

/** @throws GraphQLError (bad input) when the choice can fit no row */
export function rowChanges<Row>(
  reader: FeedReader,
  db: Database,
  topic: Topic<Row>,
  { choice, after, minIntervalMs = 0 }: RowChangesOptions,
): AsyncIterableIterator<ChangeEvent<Row>, undefined> {
  const chosen = choose(topic, choice);
  const follower = new RowFollower<Row>({ reader, db, topic, chosen, after: after ?? null });
  const changes = new RowChanges<Row>(follower, minIntervalMs);
  return inTurn(
    () => changes.step(),
    () => follower.end(),
  );
}

/** Takes from the follower what the client asks for, event by event, and lets it wait while there is nothing. */
class RowChanges<Row> {
  private readonly follower: RowFollower<Row>;
  private readonly rounds: RoundTimer;
  private wake: (() => void) | null = null;
  /** Whether the client waits though there is something for it: the next round is not due. */
  private isHeld = false;
  private isProgressDue = false;
  private last: Pick<ChangeEvent<Row>, 'cursor' | 'at'> | null = null;
  private lastSentAt = Date.now();

  constructor(follower: RowFollower<Row>, minIntervalMs: number) {
    this.follower = follower;
    this.rounds = new RoundTimer(minIntervalMs);
    follower.onChange = () => {
      if (!this.isHeld) this.wake?.();
    };
    follower.onBreak = () => {
      this.rounds.clear();
      this.isProgressDue = false;
      this.wake?.();
    };
    follower.onBeat = (now) => {
      if (!this.wake || now - this.lastSentAt < PROGRESS_MS) return;
      this.isProgressDue = true;
      this.wake();
    };
  }

  /** The next event. */
  async step(): Promise<IteratorResult<ChangeEvent<Row>, undefined>> {
    const { follower } = this;
    for (;;) {
      if (follower.phase === 'closed') return END;
      follower.lookForBreak();
      const event = follower.ready.shift() ?? this.takeChange();
      if (event) return this.sent(event);
      if (this.isProgressDue) return this.sent(this.progress());
      if (follower.waiting > 0 || follower.isLive) await this.silence();
      else await this.advance();
    }
  }

  private async advance(): Promise<void> {
    await this.follower.advance();
    this.isProgressDue = this.follower.isReplaying && Date.now() - this.lastSentAt >= PROGRESS_MS;
  }

  private takeChange(): ChangeEvent<Row> | undefined {
    return this.rounds.letsOut(this.follower.waiting) ? this.follower.takeChange() : undefined;
  }

  /** While changes wait for their round, the client stands where it stood. */
  private progress(): ChangeEvent<Row> {
    const place = (this.follower.waiting > 0 && this.last) || this.follower.standing();
    return { kind: 'PROGRESS', cursor: place.cursor, at: place.at, row: null };
  }

  private sent(value: ChangeEvent<Row>): IteratorResult<ChangeEvent<Row>, undefined> {
    const { cursor, at } = value;
    this.last = { cursor, at };
    this.lastSentAt = Date.now();
    this.isProgressDue = false;
    return { done: false, value };
  }

  /** Until something is to be told, or the next round is due. */
  private silence(): Promise<void> {
    this.isHeld = this.follower.waiting > 0;
    return new Promise((resolve) => {
      const timer = this.isHeld ? setTimeout(() => this.wake?.(), this.rounds.dueInMs()) : undefined;
      this.wake = () => {
        clearTimeout(timer);
        this.wake = null;
        this.isHeld = false;
        resolve();
      };
    });
  }
}
