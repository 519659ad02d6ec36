/** W3C trace context: which requests belong together. */
import { randomUUID } from 'node:crypto';

const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})/;
const LENGTH = 55;
const ZEROS = /^0+$/;

/**
 * In the place of a transaction's traceparent: it writes for several requests, and each row's own trace_id says for which
 * (the captures of prisma/common heed it).
 */
export const BY_ROW = 'row';

export interface Trace {
  /** 32 lower-case hex digits, not all zero. */
  traceId: string;
  /** The span that was under way, 16 hex digits. */
  spanId: string;
  /** Whether who began the trace keeps it: its caller gave it, and asked for it to be recorded. */
  isSampled: boolean;
}

/** What a header `traceparent` says, or null where it says nothing. */
export function parseTraceparent(traceparent: string | undefined): Trace | null {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  if (!traceId || !spanId || ZEROS.test(traceId) || ZEROS.test(spanId)) return null;
  return { traceId, spanId, isSampled: (Number.parseInt(String(flags), 16) & 1) === 1 };
}

/** The header by which a request goes on with a trace, in a span of its own. */
export function traceparentOf(traceId: string, isSampled = false): string {
  return `00-${traceId}-${newTraceId().slice(16)}-${isSampled ? '01' : '00'}`;
}

/** The header by which a request goes on with the caller's trace, or begins one, in a span of its own. */
export function continueTrace(traceparent: string | undefined): { traceId: string; traceparent: string } {
  const { traceId, isSampled } = parseTraceparent(traceparent) ?? { traceId: newTraceId(), isSampled: false };
  return { traceId, traceparent: traceparentOf(traceId, isSampled) };
}

/** The trace of a request with that header, in the span that it names; a new one without it. */
export function traceOf(traceparent: string | undefined): { traceId: string; traceparent: string } {
  const trace = parseTraceparent(traceparent);
  return trace
    ? { traceId: trace.traceId, traceparent: String(traceparent).slice(0, LENGTH) }
    : continueTrace(undefined);
}

/** 32 hex digits, for what no request began. Node draws UUIDs from a pool of random bytes, which costs a tenth of drawing bytes each time. */
export function newTraceId(): string {
  return randomUUID().replaceAll('-', '');
}
