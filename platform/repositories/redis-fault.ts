import { ReplyError } from 'ioredis';

/**
 * Answers of a Redis that is there and cannot serve: it loads, is a replica, has lost its primary or its disk, is busy or
 * full. Older servers put them behind the script that was refused.
 */
const NOT_SERVING =
  /(?:^|: ?-)(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|UNKILLABLE|OOM|MISCONF|NOREPLICAS) /;

/** What ioredis says by a plain Error: it has no class for these. */
const UNREACHABLE =
  /connection is closed|stream isn't writeable|command timed out|max retries per request|connect(ion)? (etimedout|econn)/i;

const CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'EAI_AGAIN']);

/** The code with which a Redis that is there says that it cannot serve, such as OOM; null of any other error. */
export function refusalOf(error: unknown): string | null {
  if (!(error instanceof Error) || !(error instanceof ReplyError)) return null;
  return NOT_SERVING.exec(error.message)?.[1] ?? null;
}

/** Whether Redis could not be reached, or did not answer in time. */
export function isRedisAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof ReplyError) return refusalOf(error) !== null;
  const { name, message, code } = error as Error & { code?: string };
  return (
    name === 'MaxRetriesPerRequestError' || name === 'AbortError' || CODES.has(code ?? '') || UNREACHABLE.test(message)
  );
}
