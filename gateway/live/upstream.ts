/** One subscription at a subgraph, which is opened again where it broke, for as long as a restart takes. */
import { type ExecutionResult, GraphQLError } from 'graphql';
import { RequestCode, unavailable } from '../../platform/errors.ts';
import { isStream, leave } from '../../platform/streams.ts';
import { StreamCut } from '../transport/event-queue.ts';
import type { LiveCounters } from './counters.ts';
import type { Mark } from './live-fetch.ts';
import type { LiveSource } from './source.ts';

export interface UpstreamEvent {
  event: ExecutionResult;
  /** Undefined for an event that holds no change, only errors. */
  mark: Mark | undefined;
  /** Whether the subscription ended with it. */
  isLast: boolean;
}

export interface UpstreamParts {
  source: LiveSource;
  counters: LiveCounters;
  /** How long a broken upstream is tried again, in milliseconds. */
  retryMs: number;
}

/** Time before the first attempt to open an upstream again; each further one takes twice as long. */
const FIRST_WAIT_MS = 100;

/** Longest time between two attempts. */
const MAX_WAIT_MS = 2_000; // 2 seconds

export class Upstream {
  readonly #parts: UpstreamParts;
  #iterator: AsyncIterator<ExecutionResult> | undefined;
  /** After the last event that was read. */
  #cursor: string | undefined;
  /** Whether a client has had anything from it: what fails before is told at once. */
  #isProven: boolean;
  #brokenSince: number | undefined;
  #attempts = 0;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  /** @param stream what is open already; otherwise it is opened after the cursor */
  constructor(parts: UpstreamParts, cursor: string | undefined, stream?: AsyncIterable<ExecutionResult>) {
    this.#parts = parts;
    this.#cursor = cursor;
    this.#iterator = stream?.[Symbol.asyncIterator]();
    this.#isProven = stream === undefined;
    parts.counters.upstreams++;
  }

  /** The next event; null after the last. One at a time. Does not come back once it is closed. */
  async next(): Promise<UpstreamEvent | null> {
    while (!this.#isClosed) {
      const outcome = await this.#attempt();
      if (this.#isClosed) break;
      if ('event' in outcome) {
        this.#isProven = true;
        this.#brokenSince = undefined;
        this.#attempts = 0;
        if (outcome.mark) this.#cursor = outcome.mark.cursor;
        if (outcome.isLast) this.close();
        return outcome;
      }
      const { broken } = outcome;
      this.#iterator = undefined;
      if (broken instanceof StreamCut) continue;
      this.#brokenSince ??= Date.now();
      if (!this.#isProven || Date.now() - this.#brokenSince >= this.#parts.retryMs) {
        this.close();
        return {
          event: { data: null, errors: [unavailable(this.#parts.source.domain)] },
          mark: undefined,
          isLast: true,
        };
      }
      await this.#wait();
    }
    return null;
  }

  /** Ends the subscription at the subgraph. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#parts.counters.upstreams--;
    if (this.#timer) {
      clearTimeout(this.#timer);
      this.#parts.counters.timers--;
    }
    leave(this.#iterator);
  }

  async #attempt(): Promise<UpstreamEvent | { broken: unknown }> {
    const { source, counters } = this.#parts;
    try {
      if (!this.#iterator) {
        const answer = await source.open(this.#cursor);
        if (!isStream<ExecutionResult>(answer)) return this.#judge(answer);
        counters.opened++;
        this.#iterator = answer[Symbol.asyncIterator]();
        if (this.#isClosed) leave(this.#iterator);
      }
      const { done, value } = await this.#iterator.next();
      // Changes never come to an end: the subgraph is about to stop.
      return done ? { broken: undefined } : this.#judge(value);
    } catch (error) {
      if (error instanceof StreamCut || isAway(error)) return { broken: error };
      const fault =
        error instanceof GraphQLError ? error : new GraphQLError(String(error), { originalError: error as Error });
      return { event: { data: null, errors: [fault] }, mark: undefined, isLast: true };
    }
  }

  /** What holds no data is a domain that is away, or the refusal of the whole subscription. */
  #judge(event: ExecutionResult): UpstreamEvent | { broken: unknown } {
    if (event.data) return { event, mark: this.#parts.source.markOf(event), isLast: false };
    if (event.errors?.some(isAway)) return { broken: event.errors };
    return { event, mark: undefined, isLast: true };
  }

  /** Upstreams that broke together do not all come back at once. */
  #wait(): Promise<void> {
    const longest = Math.min(FIRST_WAIT_MS * 2 ** this.#attempts++, MAX_WAIT_MS);
    const { counters } = this.#parts;
    counters.timers++;
    return new Promise((resolve) => {
      const end = () => {
        this.#timer = undefined;
        counters.timers--;
        resolve();
      };
      this.#timer = setTimeout(end, longest * (0.5 + Math.random() / 2));
    });
  }
}

function isAway(error: unknown): boolean {
  return error instanceof GraphQLError && error.extensions.code === RequestCode.DOMAIN_UNAVAILABLE;
}
