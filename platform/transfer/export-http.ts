/** Exports over HTTP: GET /export/<kind>?format=&since=&until=&…, at a subgraph and, handed through, at the gateway. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExportAnswer, ExportCall } from './exports.ts';

export const EXPORT_PATH = '/export/';

/** What is asked for, and by whom. */
export function readExportCall({ url = '/', headers }: IncomingMessage): ExportCall {
  const { pathname, searchParams: parameters } = new URL(url, 'http://graph');
  return { kind: pathname.slice(EXPORT_PATH.length), parameters, authorization: headers.authorization };
}

/** A reader that takes nothing for so long is cut off: the snapshot is not held for him. */
const STALL_MS = 60_000; // a minute

/**
 * Sends the file. Whatever goes wrong on the way cuts the connection, so that a part is never taken for the whole.
 * @param signal ends it
 */
export async function sendExport(
  answer: ExportAnswer,
  request: Pick<IncomingMessage, 'method'>,
  response: ServerResponse,
  signal?: AbortSignal,
): Promise<void> {
  if (answer.status !== 200) {
    const headers = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' };
    response.writeHead(answer.status, headers).end(JSON.stringify({ error: answer.problem }));
    return;
  }
  response.writeHead(200, {
    'content-type': answer.mediaType,
    'content-disposition': `attachment; filename="${answer.fileName}"`,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  });
  const iterator = answer.body[Symbol.asyncIterator]();
  const cut = () => void response.destroy();
  signal?.addEventListener('abort', cut, { once: true });
  try {
    let step = await iterator.next();
    if (request.method === 'HEAD') return void response.end();
    for (; !step.done; step = await iterator.next()) {
      if (response.destroyed || signal?.aborted) return cut();
      if (!response.write(step.value)) await drained(response);
    }
    response.end();
  } catch (error) {
    cut();
    throw error;
  } finally {
    signal?.removeEventListener('abort', cut);
    await iterator.return?.();
  }
}

/** Waits until more can be written, or nothing ever will. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const stalled = setTimeout(() => response.destroy(), STALL_MS);
    const done = () => {
      clearTimeout(stalled);
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.once('drain', done);
    response.once('close', done);
    if (response.destroyed) done();
  });
}
