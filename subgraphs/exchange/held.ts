import { isUnreachable } from '../../platform/database/database-error.ts';
import { Refusal, refuse } from '../../platform/errors.ts';

/** The value or refusal of work that comes before a transaction, to be had within it: a repeat must meet neither. */
export async function held<Value>(work: () => Promise<Value>): Promise<() => Value> {
  try {
    const value = await work();
    return () => value;
  } catch (error) {
    const refusal = isUnreachable(error) ? refuse.domainUnavailable('exchange') : error;
    if (!(refusal instanceof Refusal)) throw refusal;
    return () => {
      throw refusal;
    };
  }
}
