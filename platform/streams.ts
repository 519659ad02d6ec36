/** Whether a result is a stream of results. */
export function isStream<Value>(result: unknown): result is AsyncIterable<Value> {
  return typeof result === 'object' && result !== null && Symbol.asyncIterator in result;
}

/** The one result of an operation that is no subscription. Throws on a stream. */
export function single<Result extends object>(result: Result | AsyncIterable<Result>): Result {
  if (isStream(result)) throw new Error('A subscription has no single result');
  return result as Result;
}

/** What a stream says that has come to its end. */
export const END = { done: true, value: undefined } as const;

/**
 * The stream with each value mapped. Ending it ends the source at once, even while a value is awaited, which a generator
 * would do only after the next one; a value that cannot be mapped ends the source too.
 */
export function mapStream<In, Out>(
  source: AsyncIterable<In>,
  map: (value: In) => Out | Promise<Out>,
  /** Gives the error to throw instead. @default the same */
  mapError: (error: unknown) => unknown = (error) => error,
): AsyncIterableIterator<Out, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  const step = async (taken: Promise<IteratorResult<In>>): Promise<IteratorResult<Out, undefined>> => {
    let result: IteratorResult<In>;
    try {
      result = await taken;
    } catch (error) {
      throw mapError(error);
    }
    if (result.done) return END;
    try {
      return { done: false, value: await map(result.value) };
    } catch (error) {
      leave(iterator);
      throw error;
    }
  };
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: () => step(iterator.next()),
    async return() {
      await iterator.return?.();
      return END;
    },
  };
}

/** The stream of what `pick` makes of each value; what it makes null of is left out. */
export function pickStream<In, Out>(
  source: AsyncIterable<In>,
  pick: (value: In) => Out | null,
): AsyncIterableIterator<Out, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  const step = async (): Promise<IteratorResult<Out, undefined>> => {
    for (;;) {
      const { done, value } = await iterator.next();
      if (done) return END;
      const picked = pick(value);
      if (picked !== null) return { done: false, value: picked };
    }
  };
  return inTurn(step, () => leave(iterator));
}

/** Ends the stream at its source. How that goes concerns nobody any more. */
export function leave(iterator: AsyncIterator<unknown> | undefined): void {
  iterator?.return?.().catch(() => undefined);
}

/**
 * The stream that `open` gives, opened when it is first asked for a value. Ending it before, or while it is being
 * opened, ends what is opened.
 */
export function openLater<Value>(open: () => Promise<AsyncIterable<Value>>): AsyncIterableIterator<Value, undefined> {
  let opening: Promise<AsyncIterator<Value>> | undefined;
  let isEnded = false;
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      if (isEnded) return END;
      opening ??= open().then((stream) => stream[Symbol.asyncIterator]());
      const iterator = await opening;
      if (isEnded) return END;
      const { done, value } = await iterator.next();
      return done || isEnded ? END : { done: false, value };
    },
    async return() {
      isEnded = true;
      const iterator = await opening?.catch(() => undefined);
      await iterator?.return?.();
      return END;
    },
  };
}

/**
 * A stream of what `step` gives. Whoever asks for several values at once gets them one after the other; leaving the stream
 * closes it, and so does a step that fails.
 */
export function inTurn<Value>(
  step: () => Promise<IteratorResult<Value, undefined>>,
  close: () => void,
): AsyncIterableIterator<Value, undefined> {
  let taken: Promise<unknown> = Promise.resolve();
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next() {
      const next = taken.then(step).catch((error: unknown) => {
        close();
        throw error;
      });
      taken = next.catch(() => undefined);
      return next;
    },
    async return() {
      close();
      return END;
    },
  };
}

/** The stream until it is left or `signal` aborts: a value that is awaited then is not waited for any longer. */
export function endOn<Value>(
  signal: AbortSignal | undefined,
  source: AsyncIterable<Value>,
): AsyncIterableIterator<Value, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  let isEnded = false;
  let wake: () => void = () => undefined;
  const end = () => {
    isEnded = true;
    signal?.removeEventListener('abort', endEarly);
    wake();
  };
  const endEarly = () => {
    if (isEnded) return;
    end();
    leave(iterator);
  };
  signal?.addEventListener('abort', endEarly);
  if (signal?.aborted) endEarly();
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    async next() {
      if (isEnded) return END;
      return new Promise((resolve, reject) => {
        wake = () => resolve(END);
        iterator.next().then(
          (result) => {
            if (result.done) end();
            else resolve(result);
          },
          (error: unknown) => {
            reject(error);
            end();
          },
        );
      });
    },
    async return() {
      endEarly();
      return END;
    },
  };
}
