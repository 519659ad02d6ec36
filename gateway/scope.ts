/** What one request is known by, from the client through every subgraph it reaches. */
import { randomUUID } from 'node:crypto';
import { traceIdOf } from '../platform/context.ts';

export interface RequestScope {
  requestId: string;
  /** W3C trace id: 32 lower-case hex digits. */
  traceId: string;
  /** What every subgraph is sent: x-request-id, traceparent, and the caller's authorization if it came with one. */
  headers: Record<string, string>;
  /** Aborts when the client has gone. */
  signal?: AbortSignal;
}

/** A request id of a client is taken over if it is one that a log line bears. */
const REQUEST_ID = /^[\w.:/=+-]{1,128}$/;

/** The scope of a request with these headers: it continues the caller's trace, or starts one. */
export function createScope(
  headers: Record<string, string | string[] | undefined> = {},
  signal?: AbortSignal,
): RequestScope {
  const given = headers['x-request-id'];
  const requestId = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
  const { traceparent, authorization } = headers;
  const traceId = typeof traceparent === 'string' ? traceIdOf(traceparent) : randomHex();
  return {
    requestId,
    traceId,
    headers: {
      'x-request-id': requestId,
      traceparent: `00-${traceId}-${randomHex().slice(16)}-01`,
      ...(typeof authorization === 'string' && { authorization }),
    },
    ...(signal && { signal }),
  };
}

/** 32 hex digits. Node draws UUIDs from a pool of random bytes, which costs a tenth of drawing bytes each time. */
function randomHex(): string {
  return randomUUID().replaceAll('-', '');
}
