import { ReplyError } from 'ioredis';

/** Answers of a Redis that is there and cannot serve: it loads, is a replica, has lost its primary, or is busy. */
const NOT_SERVING = /^(LOADING|READONLY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY|UNKILLABLE) /;

/** What ioredis says by a plain Error: it has no class for these. */
const UNREACHABLE =
  /connection is closed|stream isn't writeable|command timed out|max retries per request|connect(ion)? (etimedout|econn)/i;

const CODES = new Set(['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'EAI_AGAIN']);

/** Whether Redis could not be reached, or did not answer in time. */
export function isRedisAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof ReplyError) return NOT_SERVING.test(error.message);
  const { name, message, code } = error as Error & { code?: string };
  return (
    name === 'MaxRetriesPerRequestError' || name === 'AbortError' || CODES.has(code ?? '') || UNREACHABLE.test(message)
  );
}
