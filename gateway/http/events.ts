/** Subscriptions as server-sent events, in graphql-sse's "distinct connections" mode: `next` a result, `complete` at the end. */
import type { ServerResponse } from 'node:http';
import type { ExecutionResult } from 'graphql';
import { isStream, leave } from '../../platform/streams.ts';
import { textOf } from '../live/live-result.ts';
import type { RequestScope } from '../scope.ts';

/** A comment that keeps proxies from closing a silent connection. */
const PING_INTERVAL_MS = 12_000; // 12 seconds

export interface EventOptions {
  /** Ends streams when it aborts. */
  draining: AbortSignal;
  /** Time in which a client takes nothing before its connection is closed. */
  stallMs: number;
}

/** Sends each result as it comes, no faster than the client takes them, until the stream or `draining` ends it. */
export async function sendEvents(
  result: ExecutionResult | AsyncIterable<ExecutionResult>,
  response: ServerResponse,
  scope: RequestScope,
  { draining, stallMs }: EventOptions,
): Promise<void> {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache',
    'x-request-id': scope.requestId,
  });
  response.write(':\n\n');
  const send = async (event: string, data: string) => {
    if (!response.write(`event: ${event}\ndata: ${data}\n\n`)) await untilTaken(response, stallMs);
  };

  if (!isStream<ExecutionResult>(result)) {
    await send('next', textOf(result));
  } else {
    const ping = setInterval(() => response.write(':\n\n'), PING_INTERVAL_MS);
    try {
      for await (const event of untilEnded(result, response, draining)) await send('next', textOf(event));
    } finally {
      clearInterval(ping);
    }
  }
  if (!draining.aborted) await send('complete', ''); // what was cut short is not complete: its client comes back
  response.end();
}

/** Waits until the client has taken what it was sent, or has gone; one that takes nothing is sent away. */
function untilTaken(response: ServerResponse, stallMs: number): Promise<void> {
  if (response.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => response.destroy(), stallMs);
    const end = () => {
      clearTimeout(timer);
      response.off('drain', end);
      response.off('close', end);
      resolve();
    };
    response.on('drain', end);
    response.on('close', end);
  });
}

/** The results until the client goes or `draining` aborts; a source that keeps silent then does not hold this up. */
async function* untilEnded<Value>(
  source: AsyncIterable<Value>,
  response: ServerResponse,
  draining: AbortSignal,
): AsyncGenerator<Value> {
  const iterator = source[Symbol.asyncIterator]();
  let isEnded = response.destroyed || draining.aborted;
  let wake = (): void => undefined;
  const end = () => {
    isEnded = true;
    wake();
  };
  response.once('close', end);
  draining.addEventListener('abort', end, { once: true });
  try {
    while (!isEnded) {
      const next = await new Promise<IteratorResult<Value> | undefined>((resolve, reject) => {
        wake = () => resolve(undefined);
        iterator.next().then(resolve, reject);
      });
      if (!next || next.done) return;
      yield next.value;
    }
  } finally {
    draining.removeEventListener('abort', end);
    leave(iterator);
  }
}
