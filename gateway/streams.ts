/** Whether a result is a stream of results. */
export function isStream<Value>(result: unknown): result is AsyncIterable<Value> {
  return typeof result === 'object' && result !== null && Symbol.asyncIterator in result;
}

/**
 * The stream with each value mapped. Ending it ends the source at once, even while a value is awaited, which a generator
 * would do only after the next one.
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
    return result.done ? { done: true, value: undefined } : { done: false, value: await map(result.value) };
  };
  return {
    [Symbol.asyncIterator]() {
      return this;
    },
    next: () => step(iterator.next()),
    async return() {
      await iterator.return?.();
      return { done: true, value: undefined };
    },
  };
}
