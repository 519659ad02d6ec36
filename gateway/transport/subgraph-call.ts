/** How the gateway asks a subgraph, wherever it runs, and what it makes of one that does not answer. */
import { type DocumentNode, type ExecutionResult, GraphQLError } from 'graphql';
import { isUnreachable } from '../../platform/database/database-error.ts';
import { Refusal, RequestCode, unavailable } from '../../platform/errors.ts';
import type { Logger } from '../../platform/log.ts';
import { isStream, mapStream } from '../../platform/streams.ts';
import type { DegradedStore, RequestScope } from '../scope.ts';

export interface SubgraphCall {
  document: DocumentNode;
  /** The document as text. */
  text: string;
  kind: 'query' | 'mutation' | 'subscription';
  variables?: Record<string, unknown> | undefined;
  operationName?: string | undefined;
  scope: RequestScope;
  /** Of a subscription that can be opened again where it was left: whether that is so right after the event. */
  mayBeCut?: ((event: ExecutionResult) => boolean) | undefined;
}

export type SubgraphAnswer = ExecutionResult | AsyncIterable<ExecutionResult>;

/** Asks one subgraph. `signal` aborts when the client has gone or the answer would come too late. */
export type SubgraphTransport = (call: SubgraphCall, signal: AbortSignal) => Promise<SubgraphAnswer>;

/** Asks one subgraph and never rejects: a domain that is away is an answer with one error. */
export type SubgraphExecutor = (call: SubgraphCall) => Promise<SubgraphAnswer>;

/** Thrown by a transport when the subgraph cannot be reached or does not answer like one. */
export class DomainUnavailable extends Error {
  constructor(domain: string, options?: ErrorOptions) {
    super(`The ${domain} subgraph does not answer`, options);
    this.name = 'DomainUnavailable';
  }
}

/** A page that waits longer for one domain is better shown without it. */
export const FETCH_TIMEOUT_MS = 10_000; // 10 seconds

export interface GuardOptions {
  log: Logger;
  /** @default FETCH_TIMEOUT_MS */
  timeoutMs?: number | undefined;
}

/** A transport bounded in time, whose failures are typed errors. Says in the log when the domain goes and comes back. */
export function guard(domain: string, transport: SubgraphTransport, options: GuardOptions): SubgraphExecutor {
  const { log, timeoutMs = FETCH_TIMEOUT_MS } = options;
  let away = false;

  function failure(error: unknown, call: SubgraphCall): ExecutionResult {
    const isLeft = call.scope.signal?.aborted === true; // nobody waits, and the domain is not to blame
    if (!isAway(error) && !isLeft) return { data: null, errors: [bug(error)] };
    if (isLeft) return { data: null, errors: [unavailable(domain)] };
    if (!away) log.warn({ domain, err: error }, 'a domain went away');
    away = true;
    return { data: null, errors: [call.kind === 'mutation' ? outcomeUnknown(domain) : unavailable(domain)] };
  }

  return async (call) => {
    const aborter = new AbortController();
    const release = followClient(call, aborter);
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const cause = new Error(`No answer within ${timeoutMs} ms`);
        reject(new DomainUnavailable(domain, { cause }));
        aborter.abort(cause);
      }, timeoutMs);
    });
    try {
      const answer = await Promise.race([transport(call, aborter.signal), tooLate]);
      if (away) log.info({ domain }, 'a domain is back');
      away = false;
      if (isStream<ExecutionResult>(answer)) return typedStream(domain, answer);
      release();
      const degraded = answer.extensions?.degraded as DegradedStore[] | undefined;
      if (degraded) call.scope.degraded.push(...degraded);
      return oncePerFetch(answer);
    } catch (error) {
      release();
      return failure(error, call);
    } finally {
      clearTimeout(timer);
    }
  };
}

/** Aborts with the client; a command is carried through even if nobody waits for its answer. */
function followClient(call: SubgraphCall, aborter: AbortController): () => void {
  const { signal } = call.scope;
  if (!signal || call.kind === 'mutation') return () => {};
  const abort = () => aborter.abort(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  return () => signal.removeEventListener('abort', abort);
}

/** A stream that breaks off because its domain went away says so. */
function typedStream(domain: string, source: AsyncIterable<ExecutionResult>): AsyncIterable<ExecutionResult> {
  return mapStream(
    source,
    (event) => event,
    (error) => (isAway(error) ? unavailable(domain) : error),
  );
}

/** A domain whose database is lost says so at each field; once a fetch is enough. */
function oncePerFetch(result: ExecutionResult): ExecutionResult {
  const { errors } = result;
  if (!errors || errors.length < 2) return result;
  const isTyped = (error: GraphQLError) => error.extensions?.code === RequestCode.DOMAIN_UNAVAILABLE;
  const first = errors.findIndex(isTyped);
  return { ...result, errors: errors.filter((error, index) => index === first || !isTyped(error)) };
}

function isAway(error: unknown): boolean {
  if (error instanceof DomainUnavailable || isUnreachable(error)) return true;
  return error instanceof Refusal && error.userError.code === RequestCode.DOMAIN_UNAVAILABLE;
}

function bug(error: unknown): GraphQLError {
  const originalError = error instanceof Error ? error : new Error(String(error));
  return new GraphQLError(originalError.message, { originalError });
}

/** A command that was sent and not answered may have been carried out. */
function outcomeUnknown(domain: string): GraphQLError {
  return new GraphQLError(
    `The ${domain} domain does not answer. Whether it carried the command out is not known; send it again with the same idempotencyKey.`,
    { extensions: { code: RequestCode.DOMAIN_UNAVAILABLE, domain } },
  );
}
