import { isUnreachable } from '../../platform/database/database-error.ts';
import { Refusal, refuse, type UserError } from '../../platform/errors.ts';
import type { Context } from './context.ts';

/** Runs what comes before a command and the command itself; what is refused on the way becomes the payload's errors. */
export async function refusable<Payload>(
  context: Context,
  run: () => Promise<Payload>,
): Promise<Payload | { errors: UserError[] }> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof Refusal) return { errors: [error.userError] };
    if (isUnreachable(error)) return { errors: [refuse.domainUnavailable(context.domain).userError] };
    throw error;
  }
}
