/** The stretch of time that figures are asked for: half-open, and no later than now. */
import { badInput } from '../../../platform/errors.ts';
import type { Context } from '../context.ts';
import { LIVE } from './pnl.ts';

export interface Window {
  /** RFC 3339 in UTC. */
  from: string;
  to: string;
  /** Whether it ends now, so that its end is valued at live prices. */
  isLive: boolean;
}

const DEFAULT_DAYS = 30;
const DAY_MS = 86_400_000;

/** The window asked for; without an end it ends now, without a beginning it is 30 days long. */
export function windowOf(
  context: Context,
  { from, to }: { from?: string | null | undefined; to?: string | null | undefined },
): Window {
  const now = nowOf(context);
  const isLive = !to || Date.parse(to) >= Date.parse(now);
  const end = isLive ? now : to;
  const start = from ?? new Date(Date.parse(end) - DEFAULT_DAYS * DAY_MS).toISOString();
  if (Date.parse(start) >= Date.parse(end)) {
    throw badInput(`from must be before to, and before now, but got ${start} and ${end}.`, ['from']);
  }
  return { from: start, to: end, isLive };
}

/** The instants as the database is asked for them. */
export function asked(instants: readonly string[], { isLive }: Window): string[] {
  return isLive ? [...instants.slice(0, -1), LIVE] : [...instants];
}

/** One moment for all fields of a request, so that those of several parents are read together and fit together. */
function nowOf(context: Context): string {
  const known = moments.get(context) ?? context.now().toISOString();
  moments.set(context, known);
  return known;
}

const moments = new WeakMap<Context, string>();
