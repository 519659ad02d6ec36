/** Ids and amounts a caller gives. */
import { type Decimal, dec, toWire } from '../../../platform/decimal.ts';
import { refuse } from '../../../platform/errors.ts';

export const PERSON_LENGTH = 255;
export const REASON_LENGTH = 1_000;

const ACCOUNT_ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,99}$/;

/** The ledger's side of the world outside; it holds nothing. Made by the first migration, as are the other two. */
export const EXTERNAL_ACCOUNT_ID = 'external';

/** The client id of the custodian's own accounts. */
export const CUSTODIAN_CLIENT_ID = 'custodian';

/** @throws Refusal (validation) when the text cannot be the id of an account */
export function accountIdOf(text: string, path: readonly string[]): string {
  if (ACCOUNT_ID.test(text)) return text;
  const rule = 'must have 1 to 100 letters, digits and any of . _ : - and begin with a letter or digit';
  throw refuse.validation(`${path.at(-1)} ${rule}, but got "${text}".`, path);
}

/**
 * The amount as a decimal above zero.
 * @throws Refusal (validation) when it is zero or negative
 */
export function positiveAmount(text: string, path: readonly string[]): Decimal {
  const amount = dec(text);
  if (amount.lte(0)) throw refuse.validation(`${path.at(-1)} must be above zero, but got ${toWire(text)}.`, path);
  return amount;
}
