/** Subscriptions as server-sent events, in graphql-sse's "distinct connections" mode: `next` a result, `complete` at the end. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { ExecutionResult } from 'graphql';
import type { RequestScope } from '../scope.ts';
import { isStream } from '../streams.ts';

/** A comment that keeps proxies from closing a silent connection. */
const PING_INTERVAL_MS = 12_000; // 12 seconds

/** Sends each result as it comes, no faster than the client takes them, and ends the stream when the client goes. */
export async function sendEvents(
  result: ExecutionResult | AsyncIterable<ExecutionResult>,
  response: ServerResponse,
  scope: RequestScope,
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
    const iterator = result[Symbol.asyncIterator]();
    const ping = setInterval(() => response.write(':\n\n'), PING_INTERVAL_MS);
    response.on('close', () => {
      clearInterval(ping);
      void iterator.return?.();
    });
    for (let next = await iterator.next(); !next.done && !response.destroyed; next = await iterator.next()) {
      await send('next', JSON.stringify(next.value));
    }
    clearInterval(ping);
  }
  await send('complete', '');
  response.end();
}
