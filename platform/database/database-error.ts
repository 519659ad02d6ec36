import { isStalePlan } from './message.ts';

/** What PostgreSQL or the way to it said, whichever library passed it on. */
export interface DatabaseFault {
  /** SQLSTATE ("40P01"), or the system's code where no server answered ("ECONNREFUSED"). */
  code: string;
  /** The constraint that refused the row, where one did. */
  constraint: string | undefined;
}

const UNREACHABLE = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOTFOUND',
  'EPIPE',
  'ETIMEDOUT',
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
  '53300', // too_many_connections
  '55P03', // lock_not_available: waited for a row longer than the role's lock_timeout
  '57014', // query_canceled: ran longer than statement_timeout
]);
const UNREACHABLE_PREFIX = '08'; // connection_exception
const UNREACHABLE_MESSAGES =
  /connection terminated|timeout exceeded when trying to connect|client has encountered a connection error/i;
/** Prisma's codes for a server that is not reached, does not answer in time, or closed the connection. */
const PRISMA_UNREACHABLE = new Set(['P1001', 'P1002', 'P1008', 'P1017']);
const PRISMA_CODE = /^P[1-6]\d{3}$/; // Prisma's own codes have the shape of a SQLSTATE
/** The same as Prisma's adapter names them, where a connection breaks in the middle of a transaction. */
const ADAPTER_UNREACHABLE = new Set([
  'ConnectionClosed',
  'DatabaseNotReachable',
  'SocketTimeout',
  'TooManyConnections',
]);
const RETRYABLE = new Set(['40001', '40P01']); // serialization_failure, deadlock_detected

/** Another writer was faster: the transaction fails as PostgreSQL's own serialization failures do, and is run again. */
export class Outrun extends Error {
  readonly code = '40001';
}

/** The fault behind an error of pg, of Prisma, or of Prisma's adapter; null when it is something else. */
export function databaseFault(error: unknown): DatabaseFault | null {
  for (let current = error, depth = 0; current instanceof Object && depth < 5; depth++) {
    const found = readFault(current as Record<string, unknown>);
    if (found) return found;
    current = nested(current as Record<string, unknown>);
  }
  return null;
}

function nested(error: Record<string, unknown>): unknown {
  const meta = error.meta as Record<string, unknown> | undefined;
  return meta?.driverAdapterError ?? error.cause ?? (error.errors as unknown[] | undefined)?.[0];
}

function readFault(error: Record<string, unknown>): DatabaseFault | null {
  const code = error.originalCode ?? error.code;
  if (PRISMA_UNREACHABLE.has(code as string) || ADAPTER_UNREACHABLE.has(error.kind as string))
    return { code: 'ECONNREFUSED', constraint: undefined };
  if (typeof code === 'string' && (/^[0-9A-Z]{5}$/.test(code) || UNREACHABLE.has(code)) && !PRISMA_CODE.test(code)) {
    return { code, constraint: constraintOf(error) };
  }
  if (typeof error.message === 'string' && UNREACHABLE_MESSAGES.test(error.message)) {
    return { code: 'ECONNRESET', constraint: undefined };
  }
  return null;
}

function constraintOf(error: Record<string, unknown>): string | undefined {
  const constraint = error.constraint;
  if (typeof constraint === 'string') return constraint;
  if (constraint instanceof Object && 'index' in constraint) return String(constraint.index);
  const message = error.originalMessage ?? error.message;
  return typeof message === 'string' ? /constraint "([^"]+)"/.exec(message)?.[1] : undefined;
}

/** Whether the database could not be reached, went away, or did not answer in time. */
export function isUnreachable(error: unknown): boolean {
  const code = databaseFault(error)?.code;
  return code !== undefined && (UNREACHABLE.has(code) || code.startsWith(UNREACHABLE_PREFIX));
}

/** Whether the same transaction may succeed when run again. */
export function isRetryable(error: unknown): boolean {
  const code = databaseFault(error)?.code;
  return (code !== undefined && RETRYABLE.has(code)) || isStalePlan(error);
}

/** Whether a unique constraint (of that name, if given) refused the row. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  const fault = databaseFault(error);
  return fault?.code === '23505' && (constraint === undefined || fault.constraint === constraint);
}

/** Whether a number has more digits than its column holds. */
export function isOutOfRange(error: unknown): boolean {
  return databaseFault(error)?.code === '22003'; // numeric_value_out_of_range
}

const UNSTORABLE_TEXT = new Set(['22021', '22P05']); // character_not_in_repertoire, untranslatable_character

/** Whether a text held what PostgreSQL cannot store: NUL, or half a surrogate pair. */
export function isUnstorableText(error: unknown): boolean {
  const code = databaseFault(error)?.code;
  return code !== undefined && UNSTORABLE_TEXT.has(code);
}
