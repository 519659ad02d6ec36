/** How often a client wants to be told at most. */
import { badInput } from '../errors.ts';

const MAX_INTERVAL_MS = 60_000; // a minute

/** @throws GraphQLError (bad input) outside 0 to 60,000 */
export function readMinInterval(minIntervalMs: number): number {
  if (minIntervalMs >= 0 && minIntervalMs <= MAX_INTERVAL_MS) return minIntervalMs;
  throw badInput(`minIntervalMs must be from 0 to ${MAX_INTERVAL_MS}, but got ${minIntervalMs}.`, ['minIntervalMs']);
}
