import { Refusal } from '../../../platform/errors.ts';

/** The message of the validation refusal that the work throws, or null when the work passed. */
export function refusal(work: () => unknown): string | null {
  try {
    work();
    return null;
  } catch (error) {
    if (error instanceof Refusal && error.userError.code === 'VALIDATION_FAILED') return error.message;
    throw error;
  }
}

/** The refusal that the work must throw, as clients see it. */
export function refusalOf(work: () => unknown): Refusal['userError'] {
  try {
    work();
  } catch (error) {
    if (error instanceof Refusal) return error.userError;
    throw error;
  }
  throw new Error('nothing was refused');
}
