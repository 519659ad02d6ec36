/** W3C trace context: which requests belong together. */
import { randomUUID } from 'node:crypto';

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/;

/** The header by which a request goes on with a trace. */
export function traceparentOf(traceId: string): string {
  return `00-${traceId}-${randomHex().slice(16)}-01`;
}

/** The trace the caller is in, or a new one. */
export function traceIdOf(traceparent: string | undefined): string {
  const traceId = TRACEPARENT.exec(traceparent ?? '')?.[1];
  return traceId && !/^0+$/.test(traceId) ? traceId : randomHex();
}

/** 32 hex digits. Node draws UUIDs from a pool of random bytes, which costs a tenth of drawing bytes each time. */
function randomHex(): string {
  return randomUUID().replaceAll('-', '');
}
