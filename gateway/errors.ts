/**
 * What clients see of an error: their own faults as they are, a domain that is away by its name, and of everything else
 * "Internal error" with the request's id. Codes of faults that only the gateway finds join the catalogue of
 * platform/errors.ts here.
 */
import { type ExecutionResult, GraphQLError, type GraphQLErrorOptions } from 'graphql';
import { RequestCode } from '../platform/errors.ts';
import type { Logger } from '../platform/log.ts';
import type { RequestScope } from './scope.ts';

export const GatewayCode = {
  ...RequestCode,
  /** The request has a form that is not served. */
  BAD_REQUEST: 'BAD_REQUEST',
  /** The document is not GraphQL. */
  GRAPHQL_PARSE_FAILED: 'GRAPHQL_PARSE_FAILED',
  /** The document does not fit the graph. */
  GRAPHQL_VALIDATION_FAILED: 'GRAPHQL_VALIDATION_FAILED',
  /** The operation is larger than a limit; `extensions.limit` says which, what it allows and what was asked. */
  LIMIT_EXCEEDED: 'LIMIT_EXCEEDED',
  /** The request does not say which operation of its document is meant. */
  OPERATION_RESOLUTION_FAILURE: 'OPERATION_RESOLUTION_FAILURE',
} as const;

type Code = keyof typeof GatewayCode;

const SHOWN_CODES: ReadonlySet<unknown> = new Set(Object.values(GatewayCode));

/** Extensions with which servers and transports tell how the graph is built. */
const HIDDEN_EXTENSIONS: ReadonlySet<string> = new Set([
  'exception',
  'http',
  'originalError',
  'request',
  'response',
  'serviceName',
  'stacktrace',
  'unexpected',
]);

/** One fault may reach every item of a long list; past this the rest says nothing new. */
const MAX_ERRORS = 100;

/** Statuses of answers that have no data because of the error. */
const statuses = new WeakMap<GraphQLError, number>();

/** A fault of the caller. `status` is the answer's where no data come with it. */
export function callerFault(
  message: string,
  code: Code = 'BAD_REQUEST',
  { status = 400, ...extensions }: Record<string, unknown> & { status?: number } = {},
): GraphQLError {
  return new GraphQLError(message, { extensions: { ...extensions, code, http: { status } } });
}

export interface Limit {
  name: 'depth' | 'selections' | 'aliases' | 'directives' | 'characters' | 'tokens' | 'cost' | 'subscriptions';
  max: number;
  /** What the operation asks for; absent where counting stops at the limit. */
  actual?: number;
}

/** An operation that is too large; `message` says the limit, what was asked, and what would do. */
export function limitExceeded(message: string, limit: Limit): GraphQLError {
  return callerFault(message, 'LIMIT_EXCEEDED', { limit });
}

/** The result as clients may see it; bugs are logged whole. */
export function presentResult(result: ExecutionResult, scope: RequestScope, log: Logger): ExecutionResult {
  const { errors, ...rest } = result;
  if (!errors) return result;
  if (errors.length === 0) return rest;
  const bugs = new Set<unknown>();
  const shown = errors.slice(0, MAX_ERRORS).map((error) => {
    if (isShown(error)) return showAsIs(error);
    const bug = rootCause(error);
    if (!bugs.has(bug)) {
      log.error({ err: bug, requestId: scope.requestId, path: error.path }, 'an operation failed');
    }
    bugs.add(bug);
    return mask(error, scope.requestId);
  });
  return { errors: shown, ...rest };
}

function isShown(error: unknown): boolean {
  return error instanceof GraphQLError && SHOWN_CODES.has(error.extensions.code);
}

function showAsIs(error: GraphQLError): GraphQLError {
  const kept = Object.entries(error.extensions).filter(([name]) => !HIDDEN_EXTENSIONS.has(name));
  const shown = new GraphQLError(error.message, { ...placeOf(error), extensions: Object.fromEntries(kept) });
  const { http } = error.extensions as { http?: { status?: number } };
  if (http?.status !== undefined) statuses.set(shown, http.status);
  return shown;
}

function mask(error: unknown, requestId: string): GraphQLError {
  const place = error instanceof GraphQLError ? placeOf(error) : {};
  const extensions = { code: GatewayCode.INTERNAL_SERVER_ERROR, requestId };
  const shown = new GraphQLError('Internal error', { ...place, extensions });
  statuses.set(shown, 500);
  return shown;
}

/** Positions of an error with a path are in a document that the planner wrote, not the client. */
function placeOf({ path, nodes, source, positions }: GraphQLError): GraphQLErrorOptions {
  if (path) return { path };
  return { nodes: nodes ?? null, source: source ?? null, positions: positions ?? null };
}

function rootCause(error: unknown): unknown {
  return error instanceof GraphQLError && error.originalError ? rootCause(error.originalError) : error;
}

/**
 * The HTTP status of an answer. `application/json` keeps 200 for an operation that was read and refused, so that old
 * clients look into the body; `application/graphql-response+json` says 400.
 */
export function statusOf(result: ExecutionResult, isGraphQLResponse: boolean): number {
  if (result.data !== undefined || !result.errors) return 200;
  const status = Math.max(...result.errors.map((error) => statuses.get(error) ?? 400));
  const isReadable = result.errors.some((error) => error.extensions.code !== GatewayCode.BAD_REQUEST);
  return isReadable && !isGraphQLResponse ? 200 : status;
}
