/** One client's stream of changes: by an upstream of its own for as long as it must be, by a shared one when it can be. */
import type { ExecutionResult } from 'graphql';
import { type Cursor, compareCursors } from '../../platform/feed/cursor.ts';
import type { Group, Reader } from './group.ts';
import type { Entry, Pipeline } from './pipeline.ts';
import type { LiveSource } from './source.ts';

/** What a member asks of those who hold the streams together. */
export interface Sharing {
  /** An upstream of the member's own, after the cursor. */
  open(source: LiveSource, after: string | undefined): Pipeline;
  /** The stream that is shared by those with the key. */
  groupOf(key: string): Group | undefined;
  /** Makes the upstream a shared one, whose last event had the place. */
  share(key: string, pipeline: Pipeline, place: Cursor): Group;
  onEnd(member: Member): void;
}

type Result = IteratorResult<ExecutionResult, undefined>;

const END = { done: true, value: undefined } as const;

export class Member implements Reader, AsyncIterableIterator<ExecutionResult, undefined> {
  readonly #sharing: Sharing;
  readonly #source: LiveSource;
  #own: Pipeline | undefined;
  /** Of the last event that the client has. */
  #cursor: string | undefined;
  /** Up to here the client has had everything by its own upstream. */
  #had: Cursor | undefined;
  #isJoined = false;
  #isEnded = false;
  #answer: ((result: Result) => void) | undefined;

  group: Group | undefined;
  position = 0;
  isWaiting = false;

  /** @param own the upstream it begins with. @default the shared one, which it has joined */
  constructor(sharing: Sharing, source: LiveSource, own?: Pipeline) {
    this.#sharing = sharing;
    this.#source = source;
    this.#own = own;
    this.#cursor = source.after;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** One at a time. */
  next(): Promise<Result> {
    if (this.#isEnded) return Promise.resolve(END);
    return new Promise((resolve) => {
      this.#answer = resolve;
      this.#pull();
    });
  }

  return(): Promise<Result> {
    this.#end();
    return Promise.resolve(END);
  }

  /** Goes on by the shared stream from the place on, if that has everything since. */
  join(group: Group, place: Cursor): boolean {
    if (!group.join(this, place)) return false;
    this.#isJoined = true;
    this.#had = place;
    return true;
  }

  wants({ kind, place }: Entry): boolean {
    if (!this.#had || kind === undefined) return true;
    const ahead = place?.epoch === this.#had.epoch ? compareCursors(place, this.#had) : 1;
    if (ahead > 0) this.#had = undefined;
    return ahead > 0 || (ahead === 0 && kind === 'PROGRESS'); // while nothing happens, progress stays where it is
  }

  take(entry: Entry): void {
    if (entry.cursor !== undefined) this.#cursor = entry.cursor;
    this.#answer?.({ done: false, value: entry.result });
    this.#answer = undefined;
    if (entry.isLast) this.#end();
  }

  #pull(): void {
    if (this.#isJoined && this.group) {
      this.group.pull(this);
      return;
    }
    this.#isJoined = false;
    this.#own ??= this.#sharing.open(this.#source, this.#cursor);
    void this.#own.next().then((entry) => this.#takeOwn(entry));
  }

  #takeOwn(entry: Entry | null): void {
    if (this.#isEnded) return;
    if (entry?.place) this.#tryToShare(entry.place);
    if (entry) this.take(entry);
    else this.#end();
  }

  #tryToShare(place: Cursor): void {
    const own = this.#own as Pipeline;
    const group = this.#sharing.groupOf(this.#source.key);
    if (this.group !== group) this.group?.leave(this);
    if (!group) {
      this.#own = undefined;
      this.join(this.#sharing.share(this.#source.key, own, place), place);
    } else if (this.join(group, place)) {
      this.#own = undefined;
      own.close();
    } else if (!this.group) {
      group.hold(this);
    }
  }

  #end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.group?.leave(this);
    this.#own?.close();
    this.#own = undefined;
    this.#sharing.onEnd(this);
    this.#answer?.(END);
    this.#answer = undefined;
  }
}
