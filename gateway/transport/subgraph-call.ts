/** How the gateway asks a subgraph, wherever it runs, and what it makes of one that does not answer. */
import { type DocumentNode, type ExecutionResult, GraphQLError } from 'graphql';
import { isUnreachable } from '../../platform/database/database-error.ts';
import { OUTCOME_UNKNOWN, Refusal, RequestCode, unavailable } from '../../platform/errors.ts';
import type { Logger } from '../../platform/log.ts';
import { isStream, mapStream } from '../../platform/streams.ts';
import { type DegradedStore, noteDegraded, type RequestScope } from '../scope.ts';
import type { Circuit } from './circuit.ts';
import { CircuitOpen, DomainUnavailable } from './domain-unavailable.ts';

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

/** A page that waits longer for one domain is better shown without it. */
export const FETCH_TIMEOUT_MS = 10_000; // 10 seconds

export interface GuardOptions {
  log: Logger;
  /** @default FETCH_TIMEOUT_MS */
  timeoutMs?: number | undefined;
  /** What queries and commands pass. Subscriptions have a way of their own to come back. @default none */
  circuit?: Circuit | undefined;
}

/** A transport bounded in time, whose failures are typed errors. Says in the log when the domain goes and comes back. */
export function guard(domain: string, transport: SubgraphTransport, options: GuardOptions): SubgraphExecutor {
  const { log, timeoutMs = FETCH_TIMEOUT_MS, circuit } = options;
  let away = false;

  function failure(error: unknown, call: SubgraphCall): ExecutionResult {
    const isLeft = call.scope.signal?.aborted === true; // nobody waits, and the domain is not to blame
    if (!isAway(error) && !isLeft) return { data: null, errors: [bug(error)] };
    if (isLeft) return { data: null, errors: [unavailable(domain)] };
    if (!away) log.warn({ domain, err: error }, 'a domain went away');
    away = true;
    return { data: null, errors: [call.kind === 'mutation' ? notAnswered(domain, error) : unavailable(domain)] };
  }

  /** What the transport gives, within the time it has. */
  async function inTime(call: SubgraphCall, aborter: AbortController): Promise<SubgraphAnswer> {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        const cause = new Error(`No answer within ${timeoutMs} ms`);
        reject(new DomainUnavailable(domain, { cause }));
        aborter.abort(cause);
      }, timeoutMs);
    });
    try {
      return await Promise.race([transport(call, aborter.signal), tooLate]);
    } catch (error) {
      // The domain is not to blame for a call that the client has left.
      throw call.scope.signal?.aborted ? new Error('The client has left', { cause: error }) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  return async (call) => {
    const aborter = new AbortController();
    const release = followClient(call, aborter);
    const ask = () => inTime(call, aborter);
    try {
      const answer = await (circuit && call.kind !== 'subscription' ? circuit.pass(ask) : ask());
      if (away) log.info({ domain }, 'a domain is back');
      away = false;
      if (isStream<ExecutionResult>(answer)) return typedStream(domain, answer);
      release();
      noteDegraded(call.scope, answer.extensions?.degraded as DegradedStore[] | undefined);
      return oncePerFetch(answer);
    } catch (error) {
      release();
      return failure(error, call);
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

/** A command that was sent and not answered may have been carried out; one that found nobody to send it to was not. */
function notAnswered(domain: string, error: unknown): GraphQLError {
  const isUnsent = error instanceof CircuitOpen || codeOf((error as Error).cause) === 'ECONNREFUSED';
  const outcome = isUnsent ? 'The command was not carried out; try again later.' : OUTCOME_UNKNOWN;
  return new GraphQLError(`The ${domain} domain does not answer. ${outcome}`, {
    extensions: { code: RequestCode.DOMAIN_UNAVAILABLE, domain },
  });
}

function codeOf(error: unknown): unknown {
  return (error as { code?: unknown } | undefined)?.code;
}
