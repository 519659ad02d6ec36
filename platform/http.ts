import type { IncomingMessage } from 'node:http';

/** The largest request: a bulk ingestion of 10,000 rows takes about 3 MiB. */
export const BODY_LIMIT_BYTES = 8 * 1024 * 1024;

/** The JSON body of a POST; `json` is undefined for a request without one. Reads no further than the limit. */
export async function readBody(
  request: IncomingMessage,
): Promise<{ json: unknown } | { problem: string; status: number }> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > BODY_LIMIT_BYTES) return { problem: `A request takes at most ${BODY_LIMIT_BYTES} bytes.`, status: 413 };
    chunks.push(chunk);
  }
  if (size === 0) return { json: undefined };
  try {
    return { json: JSON.parse(Buffer.concat(chunks).toString()) };
  } catch {
    return { problem: 'The body is not JSON.', status: 400 };
  }
}
