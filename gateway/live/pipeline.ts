/** The events of one upstream, completed by other domains a few at once and told in their order. */
import type { Cursor } from '../../platform/feed/cursor.ts';
import { LiveResult } from './live-result.ts';
import type { Upstream, UpstreamEvent, UpstreamParts } from './upstream.ts';

/** An event as every client that shares it is sent it. */
export interface Entry {
  result: LiveResult;
  /** Undefined for an event that holds no change, only errors. */
  kind: string | undefined;
  cursor: string | undefined;
  /** Null where the cursor cannot be compared with those of other streams. */
  place: Cursor | null;
  /** Whether the subscription ended with it. */
  isLast: boolean;
  /** Members that have not taken it. */
  waiting: number;
}

/** Events that are completed at once, or wait completed for their turn. */
const WINDOW = 8;

export class Pipeline {
  readonly #parts: UpstreamParts;
  readonly #upstream: Upstream;
  readonly #window: (Entry | Promise<Entry>)[] = [];
  #isReading = false;
  #isOver = false;
  #wake: (() => void) | undefined;

  constructor(parts: UpstreamParts, upstream: Upstream) {
    this.#parts = parts;
    this.#upstream = upstream;
  }

  /** The next event; null after the last. One at a time. Does not come back once it is closed. */
  async next(): Promise<Entry | null> {
    void this.#read();
    if (this.#window.length === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const entry = this.#window.shift();
    return entry ?? null;
  }

  close(): void {
    this.#upstream.close();
  }

  async #read(): Promise<void> {
    if (this.#isReading || this.#isOver) return;
    this.#isReading = true;
    while (!this.#isOver && this.#window.length < WINDOW) {
      const event = await this.#upstream.next();
      if (event) this.#window.push(this.#complete(event));
      this.#isOver = !event || event.isLast;
      this.#wake?.();
      this.#wake = undefined;
    }
    this.#isReading = false;
  }

  #complete(read: UpstreamEvent): Entry | Promise<Entry> {
    const { source } = this.#parts;
    const { event, mark, isLast } = read;
    if (!event.data) return this.#entry(read, event);
    try {
      const completed = source.complete(event, mark);
      if (!(completed instanceof Promise)) return this.#entry(read, completed);
      return completed.then(
        (result) => this.#entry(read, result),
        (error) => this.#entry(read, { data: null, errors: [error] }),
      );
    } catch (error) {
      return this.#entry({ event, mark, isLast }, { data: null, errors: [error as never] });
    }
  }

  #entry({ mark, isLast }: UpstreamEvent, result: UpstreamEvent['event']): Entry {
    const { source, counters } = this.#parts;
    counters.events++;
    return {
      result: new LiveResult(source.present(result)),
      kind: mark?.kind,
      cursor: mark?.cursor,
      place: mark?.place ?? null,
      isLast,
      waiting: 0,
    };
  }
}
