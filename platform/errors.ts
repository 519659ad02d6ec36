/**
 * The one catalogue of what can go wrong.
 *
 * A `Refusal` is an expected answer to a command and becomes an entry of the payload's `errors`. A `GraphQLError` with
 * a code of `RequestCode` is the caller's fault outside a payload, or a domain that is away. Everything else is a bug:
 * it is logged whole and shown as "Internal error" with the request's id.
 */
import { GraphQLError } from 'graphql';
import { isUnreachable, isUnstorableText } from './database/database-error.ts';
import { type Decimal, toWire } from './decimal.ts';

/** A refusal as clients see it: one of the types that implement `UserError` in schema/errors.graphql. */
export interface UserError {
  __typename: string;
  code: string;
  message: string;
  path: string[] | null;
  [extra: string]: unknown;
}

/** Thrown by rules and commands: the transaction is rolled back and the payload says why. */
export class Refusal extends Error {
  readonly userError: UserError;

  constructor(userError: UserError) {
    super(userError.message);
    this.name = 'Refusal';
    this.userError = userError;
  }
}

type Path = readonly (string | number)[];

const MESSAGE_LENGTH = 500;

/** The message, cut short: callers may send a megabyte of nonsense, and it need not come back whole. */
export function brief(message: string): string {
  return message.length <= MESSAGE_LENGTH ? message : `${message.slice(0, MESSAGE_LENGTH)}…`;
}

function refusal(typename: string, code: string, message: string, path: Path | undefined, extra: object = {}): Refusal {
  return new Refusal({
    __typename: typename,
    code,
    message: brief(message),
    path: path?.map(String) ?? null,
    ...extra,
  });
}

/** What is said of a command that may have been carried out. */
export const OUTCOME_UNKNOWN =
  'Whether it carried the command out is not known; send it again with the same idempotencyKey.';

/** Makes the refusals; `throw refuse.notFound('Strategy', id)`. `path` says where in the input the fault lies. */
export const refuse = {
  validation: (message: string, path?: Path) => refusal('ValidationFailed', 'VALIDATION_FAILED', message, path),

  notFound: (entity: string, id: string, path?: Path) =>
    refusal('NotFound', 'NOT_FOUND', `There is no ${entity} with id "${id}".`, path, { entity, id }),

  invalidTransition: (from: string, to: string, allowed: readonly string[], path?: Path) =>
    refusal(
      'InvalidTransition',
      'INVALID_TRANSITION',
      allowed.length === 0
        ? `It is ${from}, which is final, and cannot become ${to}.`
        : `It is ${from} and cannot become ${to}, only ${allowed.join(', ')}.`,
      path,
      { from, to, allowed: [...allowed] },
    ),

  conflict: (currentVersion: number | null, message?: string, path?: Path) =>
    refusal(
      'Conflict',
      'CONFLICT',
      message ?? `It was changed by somebody else: its version is ${currentVersion} now. Read it again and retry.`,
      path,
      { currentVersion },
    ),

  insufficientFunds: (asset: string, available: Decimal | string, required: Decimal | string, path?: Path) =>
    refusal(
      'InsufficientFunds',
      'INSUFFICIENT_FUNDS',
      `${toWire(required)} ${asset} are needed and ${toWire(available)} are available.`,
      path,
      { asset, available: toWire(available), required: toWire(required) },
    ),

  /** `limitId`: null where the circuit breaker is meant. */
  limitBreached: (limitId: string | null, message: string) =>
    refusal('LimitBreached', 'LIMIT_BREACHED', message, undefined, { limitId }),

  idempotencyConflict: (key: string) =>
    refusal(
      'IdempotencyConflict',
      'IDEMPOTENCY_CONFLICT',
      `The idempotency key "${key}" was used before with other content. Use a new key for a new command.`,
      ['input', 'idempotencyKey'],
      { key },
    ),

  /** `isUnderWay`: the domain went away when all was done and about to be committed. */
  domainUnavailable: (domain: string, isUnderWay = false) =>
    refusal(
      'DomainUnavailable',
      'DOMAIN_UNAVAILABLE',
      `The ${domain} domain does not answer. ${isUnderWay ? OUTCOME_UNKNOWN : 'Nothing was done; try again later.'}`,
      undefined,
      { domain },
    ),
};

/** Codes of `extensions.code` that a client may see outside payloads. */
export const RequestCode = {
  BAD_USER_INPUT: 'BAD_USER_INPUT',
  DOMAIN_UNAVAILABLE: 'DOMAIN_UNAVAILABLE',
  FORBIDDEN: 'FORBIDDEN',
  INTERNAL_SERVER_ERROR: 'INTERNAL_SERVER_ERROR',
  UNAUTHENTICATED: 'UNAUTHENTICATED',
} as const;

/** The caller's fault in a query: what was wrong and what would be right. */
export function badInput(message: string, path?: Path): GraphQLError {
  return new GraphQLError(brief(message), {
    extensions: { code: RequestCode.BAD_USER_INPUT, ...(path && { inputPath: path.map(String) }) },
  });
}

/** The caller does not show who it is, or not in a way that is trusted. */
export function unauthenticated(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: RequestCode.UNAUTHENTICATED } });
}

/** The caller is known, and may not. */
export function forbidden(message: string): GraphQLError {
  return new GraphQLError(message, { extensions: { code: RequestCode.FORBIDDEN } });
}

/** A domain that does not answer: its fields are null, the rest of the page stands. */
export function unavailable(domain: string): GraphQLError {
  return new GraphQLError(`The ${domain} domain does not answer. Its fields are empty; try again later.`, {
    extensions: { code: RequestCode.DOMAIN_UNAVAILABLE, domain },
  });
}

/**
 * The error to show for one that a resolver threw: the caller's faults as they are, a lost database as
 * DOMAIN_UNAVAILABLE, anything else as "Internal error". `bug` is set in the last case, for the log.
 */
export function publicError(
  error: GraphQLError,
  context: { domain: string; requestId: string },
): { shown: GraphQLError; bug?: unknown } {
  const place = {
    nodes: error.nodes ?? null,
    path: error.path ?? null,
    source: error.source ?? null,
    positions: error.positions ?? null,
  };
  const cause = rootCause(error);
  if (cause instanceof Refusal) {
    return { shown: new GraphQLError(cause.message, { ...place, extensions: { ...extensionsOf(cause) } }) };
  }
  if (isUnstorableText(cause)) {
    const { message, extensions } = badInput('Text must be valid and hold no NUL character.');
    return { shown: new GraphQLError(message, { ...place, extensions }) };
  }
  if (isUnreachable(cause)) {
    const { message, extensions } = unavailable(context.domain);
    return { shown: new GraphQLError(message, { ...place, extensions }) };
  }
  if (cause instanceof GraphQLError) {
    // graphql-js itself refuses an argument without giving a code.
    const code = error.extensions.code ?? RequestCode.BAD_USER_INPUT;
    return { shown: new GraphQLError(error.message, { ...place, extensions: { ...error.extensions, code } }) };
  }
  const extensions = { code: RequestCode.INTERNAL_SERVER_ERROR, requestId: context.requestId };
  return { shown: new GraphQLError('Internal error', { ...place, extensions }), bug: cause };
}

function extensionsOf(refusal: Refusal): Record<string, unknown> {
  const { code, domain } = refusal.userError;
  return domain === undefined ? { code: RequestCode.BAD_USER_INPUT } : { code, domain };
}

/** The thrown value under GraphQL's own wrapping; a GraphQLError thrown on purpose has no original beneath it. */
function rootCause(error: GraphQLError): unknown {
  let cause: unknown = error;
  while (cause instanceof GraphQLError && cause.originalError) cause = cause.originalError;
  return cause;
}
