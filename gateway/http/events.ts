/** Subscriptions as server-sent events, in graphql-sse's "distinct connections" mode: `next` a result, `complete` at the end. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { ExecutionResult } from 'graphql';
import { isStream } from '../../platform/streams.ts';
import type { RequestScope } from '../scope.ts';

/** A comment that keeps proxies from closing a silent connection. */
const PING_INTERVAL_MS = 12_000; // 12 seconds

/** Sends each result as it comes, no faster than the client takes them, until the stream or `draining` ends it. */
export async function sendEvents(
  result: ExecutionResult | AsyncIterable<ExecutionResult>,
  response: ServerResponse,
  scope: RequestScope,
  draining: AbortSignal,
): Promise<void> {
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-cache',
    'x-request-id': scope.requestId,
  });
  response.write(':\n\n');
  const send = async (event: string, data: string) => {
    if (!response.write(`event: ${event}\ndata: ${data}\n\n`) && !response.destroyed) {
      await Promise.race([once(response, 'drain'), once(response, 'close')]);
    }
  };

  if (!isStream<ExecutionResult>(result)) {
    await send('next', JSON.stringify(result));
  } else {
    const ping = setInterval(() => response.write(':\n\n'), PING_INTERVAL_MS);
    for await (const event of untilEnded(result, response, draining)) await send('next', JSON.stringify(event));
    clearInterval(ping);
  }
  await send('complete', '');
  response.end();
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
    void iterator.return?.();
  }
}
