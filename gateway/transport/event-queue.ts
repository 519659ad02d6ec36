/** Events of a subgraph that nobody can hold back, kept until they are taken. */

/** Thrown after the events that were kept of a stream that came faster than it was taken: open it again from there. */
export class StreamCut extends Error {
  constructor() {
    super('The stream came faster than it was taken');
    this.name = 'StreamCut';
  }
}

/** Events kept of one stream before it is cut. A cut costs: what the subgraph has sent by then, it sends again. */
const KEPT_EVENTS = 4_096;

/** Events kept even when there is no room. */
const LEAST_KEPT_EVENTS = 16;

/** Events kept of all streams together; one alone gets a part of what is free. */
const KEPT_BY_ALL = 100_000;

/** A stream that may not be cut, such as a snapshot, still has an end. */
const MAX_EVENTS = 100_000;

let keptByAll = 0;

function boundNow(): number {
  return Math.max(LEAST_KEPT_EVENTS, Math.min(KEPT_EVENTS, (KEPT_BY_ALL - keptByAll) / 4));
}

export interface EventQueueOptions<Event> {
  /** Ends the stream at its source. */
  leave(): void;
  /** Whether the stream can be opened again right after the event. @default never */
  mayBeCut?: ((event: Event) => boolean) | undefined;
}

export class EventQueue<Event> implements AsyncIterableIterator<Event, undefined> {
  readonly #options: EventQueueOptions<Event>;
  #events: Event[] = [];
  /** Events of the array that have been taken. */
  #taken = 0;
  #isOver = false;
  #error: unknown;
  #wake: (() => void) | undefined;

  constructor(options: EventQueueOptions<Event>) {
    this.#options = options;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  push(event: Event): void {
    if (this.#isOver) return;
    this.#events.push(event);
    keptByAll++;
    this.#wake?.();
    const kept = this.#events.length - this.#taken;
    if (kept < boundNow()) return;
    if (this.#options.mayBeCut?.(event)) this.#cut(new StreamCut());
    else if (kept >= MAX_EVENTS) this.#cut(new Error(`More than ${MAX_EVENTS} events of a stream were not taken`));
  }

  /** No event follows. @param error what whoever takes the events is told after them */
  end(error?: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#error = error;
    this.#wake?.();
  }

  /** One at a time. */
  async next(): Promise<IteratorResult<Event, undefined>> {
    if (this.#taken === this.#events.length && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    if (this.#taken < this.#events.length) return { done: false, value: this.#take() };
    if (this.#error === undefined) return { done: true, value: undefined };
    const error = this.#error;
    this.#error = undefined;
    throw error;
  }

  async return(): Promise<IteratorResult<Event, undefined>> {
    keptByAll -= this.#events.length - this.#taken;
    this.#events = [];
    this.#taken = 0;
    if (!this.#isOver) this.#options.leave();
    this.#error = undefined;
    this.end();
    return { done: true, value: undefined };
  }

  #take(): Event {
    const event = this.#events[this.#taken++] as Event;
    keptByAll--;
    if (this.#taken === this.#events.length) {
      this.#events = [];
      this.#taken = 0;
    }
    return event;
  }

  #cut(error: Error): void {
    this.#options.leave();
    this.end(error);
  }
}
