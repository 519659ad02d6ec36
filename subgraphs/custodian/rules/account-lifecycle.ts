/** The states of a custody account (domain.md §4.3). */
import { refuse } from '../../../platform/errors.ts';

export type AccountStatus = 'ACTIVE' | 'FROZEN' | 'CLOSED';
export type AccountKind = 'MASTER' | 'SEGREGATED' | 'OMNIBUS' | 'FEE' | 'SUSPENSE' | 'EXTERNAL';

/** Where an account can go from each state; CLOSED is final. */
export const ACCOUNT_TRANSITIONS: Record<AccountStatus, readonly AccountStatus[]> = {
  ACTIVE: ['FROZEN', 'CLOSED'],
  FROZEN: ['ACTIVE', 'CLOSED'],
  CLOSED: [],
};

/** Those that hold things of clients; the others are the custodian's own. */
const CLIENTS: readonly AccountKind[] = ['MASTER', 'SEGREGATED', 'OMNIBUS'];

/**
 * `to`, when an account can go there.
 * @throws Refusal (invalid transition) when it cannot
 */
export function moveAccount(from: AccountStatus, to: AccountStatus): AccountStatus {
  const allowed = ACCOUNT_TRANSITIONS[from];
  if (!allowed.includes(to)) throw refuse.invalidTransition(from, to, allowed, ['input', 'accountId']);
  return to;
}

export function isClients(kind: AccountKind): boolean {
  return CLIENTS.includes(kind);
}

/**
 * Passes when something may go from an account of one kind to one of the other. What clients own never pays what the
 * house owes: only what stood in SUSPENSE, without an owner, may find its client.
 * @throws Refusal (validation) otherwise
 */
export function checkSameSide(from: AccountKind, to: AccountKind): void {
  const meetsWorld = from === 'EXTERNAL' || to === 'EXTERNAL';
  if (meetsWorld || isClients(from) === isClients(to) || (from === 'SUSPENSE' && isClients(to))) return;
  throw refuse.validation(
    `Assets of clients and those of the house are kept apart: nothing goes from ${from} to ${to}.`,
    ['input'],
  );
}
