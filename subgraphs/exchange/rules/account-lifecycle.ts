/** The states of an account and of its owner's identification (domain.md §3.3). */
import { refuse } from '../../../platform/errors.ts';

export type AccountStatus = 'ACTIVE' | 'SUSPENDED' | 'CLOSED';
export type KycStatus = 'PENDING' | 'APPROVED' | 'REJECTED';

/** Where an account can go from each state; CLOSED is final. */
export const ACCOUNT_TRANSITIONS: Record<AccountStatus, readonly AccountStatus[]> = {
  ACTIVE: ['SUSPENDED', 'CLOSED'],
  SUSPENDED: ['ACTIVE', 'CLOSED'],
  CLOSED: [],
};

/** A rejected client may apply again; an approval may be revoked. */
export const KYC_TRANSITIONS: Record<KycStatus, readonly KycStatus[]> = {
  PENDING: ['APPROVED', 'REJECTED'],
  APPROVED: ['REJECTED'],
  REJECTED: ['PENDING'],
};

/**
 * `to`, when an account can go there.
 * @throws Refusal (invalid transition) when it cannot
 */
export function moveAccount(from: AccountStatus, to: AccountStatus): AccountStatus {
  const allowed = ACCOUNT_TRANSITIONS[from];
  if (!allowed.includes(to)) throw refuse.invalidTransition(from, to, allowed, ['input', 'accountId']);
  return to;
}

/**
 * The identification status `to` with the account status that follows: revoking an approval suspends an active account.
 * @throws Refusal (invalid transition) when `to` cannot be reached, or the account is closed
 */
export function moveKyc(
  account: { status: AccountStatus; kycStatus: KycStatus },
  to: KycStatus,
): { status: AccountStatus; kycStatus: KycStatus } {
  if (account.status === 'CLOSED') throw refuse.invalidTransition('CLOSED', to, [], ['input', 'accountId']);
  const allowed = KYC_TRANSITIONS[account.kycStatus];
  if (!allowed.includes(to)) throw refuse.invalidTransition(account.kycStatus, to, allowed, ['input', 'status']);
  const isRevoked = account.kycStatus === 'APPROVED' && to === 'REJECTED';
  return { kycStatus: to, status: isRevoked ? 'SUSPENDED' : account.status };
}

/** Why an account may not trade, or null when it may. */
export function tradingBar(
  account: { status: AccountStatus; kycStatus: KycStatus },
  terms: { requireKyc: boolean },
): 'ACCOUNT_NOT_ACTIVE' | 'KYC_NOT_APPROVED' | null {
  if (account.status !== 'ACTIVE') return 'ACCOUNT_NOT_ACTIVE';
  return terms.requireKyc && account.kycStatus !== 'APPROVED' ? 'KYC_NOT_APPROVED' : null;
}
