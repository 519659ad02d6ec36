import { Refusal } from '../../../platform/errors.ts';

/** The result of the work, or the refusal that it threw. */
export function attempt<Result>(work: () => Result): Result | Refusal['userError'] {
  try {
    return work();
  } catch (error) {
    if (error instanceof Refusal) return error.userError;
    throw error;
  }
}
