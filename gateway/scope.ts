/** What one request is known by, from the client through every subgraph it reaches. */
import { randomUUID } from 'node:crypto';
import { continueTrace } from '../platform/trace.ts';

/** A store of a domain that was not to be had. */
export interface DegradedStore {
  domain: string;
  store: string;
  /** What the answer shows of the domain had been committed until then, RFC 3339; null where it is not old. */
  asOf: string | null;
}

export interface RequestScope {
  requestId: string;
  /** W3C trace id: 32 lower-case hex digits. */
  traceId: string;
  /** What every subgraph is sent: x-request-id, traceparent, and of the caller's headers those of FORWARDED. */
  headers: Record<string, string>;
  /** Stores that were not to be had, as the subgraphs that were asked say; each once. */
  degraded: DegradedStore[];
  /** Aborts when the client has gone. */
  signal?: AbortSignal;
}

/** Who asks, and how old an answer may be. */
const FORWARDED = ['authorization', 'cache-control', 'x-read-after'];

/** A request id of a client is taken over if it is one that a log line bears. */
const REQUEST_ID = /^[\w.:/=+-]{1,128}$/;

/** The scope of a request with these headers: it continues the caller's trace, or starts one. */
export function createScope(
  headers: Record<string, string | string[] | undefined> = {},
  signal?: AbortSignal,
): RequestScope {
  const given = headers['x-request-id'];
  const requestId = typeof given === 'string' && REQUEST_ID.test(given) ? given : randomUUID();
  const forwarded = FORWARDED.filter((name) => typeof headers[name] === 'string');
  const { traceId, traceparent } = continueTrace(
    typeof headers.traceparent === 'string' ? headers.traceparent : undefined,
  );
  return {
    requestId,
    traceId,
    headers: {
      'x-request-id': requestId,
      traceparent,
      ...Object.fromEntries(forwarded.map((name) => [name, headers[name] as string])),
    },
    degraded: [],
    ...(signal && { signal }),
  };
}

/** Notes stores that were not to be had: each once, with the oldest that was seen of it. */
export function noteDegraded({ degraded }: RequestScope, states: readonly DegradedStore[] = []): void {
  for (const state of states) {
    const known = degraded.findIndex(({ domain, store }) => domain === state.domain && store === state.store);
    if (known < 0) degraded.push(state);
    else if ((state.asOf ?? '~') < (degraded[known]?.asOf ?? '~')) degraded[known] = state;
  }
}
