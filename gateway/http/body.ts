import type { IncomingMessage } from 'node:http';
import { BODY_LIMIT_BYTES } from '../../platform/http.ts';

/** How long a client that sends too much may take to read that it does. */
const DISCARD_MS = 1_000; // 1 second

/**
 * The body as text, or null when it is larger than BODY_LIMIT_BYTES. What is too large is read no further than it takes
 * the client to see the answer; a connection that is cut at once shows it nothing.
 * @throws Error when the client goes while sending
 */
export function readText(request: IncomingMessage): Promise<string | null> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const refuse = () => {
      request.off('data', keep).resume();
      setTimeout(() => request.destroy(), DISCARD_MS).unref();
      resolve(null);
    };
    const keep = (chunk: Buffer) => {
      size += chunk.length;
      if (size > BODY_LIMIT_BYTES) refuse();
      else chunks.push(chunk);
    };
    request.on('error', reject);
    request.on('close', () => reject(new Error('The client went while sending')));
    request.on('end', () => resolve(Buffer.concat(chunks, Math.min(size, BODY_LIMIT_BYTES)).toString()));
    if (Number(request.headers['content-length']) > BODY_LIMIT_BYTES) refuse();
    else request.on('data', keep);
  });
}
