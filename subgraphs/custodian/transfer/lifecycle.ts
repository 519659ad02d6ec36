/** The states of transfers and of approval requests (domain.md §4.3). */
import { refuse } from '../../../platform/errors.ts';

export type TransferStatus =
  | 'REQUESTED'
  | 'PENDING_APPROVAL'
  | 'APPROVED'
  | 'PROCESSING'
  | 'COMPLETED'
  | 'REJECTED'
  | 'EXPIRED'
  | 'CANCELLED'
  | 'FAILED';

export type ApprovalStatus = 'PENDING' | 'APPROVED' | 'REJECTED' | 'CANCELLED' | 'TIMED_OUT' | 'FAILED';
export type ApprovalSubject = 'TRANSFER' | 'ADJUSTMENT' | 'WRITE_OFF' | 'REVIEW';

export const TRANSFER_TRANSITIONS: Record<TransferStatus, readonly TransferStatus[]> = {
  // Where compliance is not sure, it stays REQUESTED until that is decided.
  REQUESTED: ['PENDING_APPROVAL', 'REJECTED', 'EXPIRED', 'CANCELLED'],
  PENDING_APPROVAL: ['APPROVED', 'REJECTED', 'EXPIRED', 'CANCELLED'],
  APPROVED: ['PROCESSING', 'CANCELLED', 'FAILED'],
  PROCESSING: ['COMPLETED', 'FAILED'],
  COMPLETED: [],
  REJECTED: [],
  EXPIRED: [],
  CANCELLED: [],
  FAILED: [],
};

export const APPROVAL_TRANSITIONS: Record<ApprovalStatus, readonly ApprovalStatus[]> = {
  PENDING: ['APPROVED', 'REJECTED', 'CANCELLED', 'TIMED_OUT', 'FAILED'],
  APPROVED: [],
  REJECTED: [],
  CANCELLED: [],
  TIMED_OUT: [],
  FAILED: [],
};

/** @throws Refusal (invalid transition) when a transfer cannot go there */
export function moveTransfer(from: TransferStatus, to: TransferStatus): TransferStatus {
  const allowed = TRANSFER_TRANSITIONS[from];
  if (!allowed.includes(to)) throw refuse.invalidTransition(from, to, allowed, ['input', 'transferId']);
  return to;
}

/** @throws Refusal (invalid transition) when a request cannot go there */
export function moveApproval(from: ApprovalStatus, to: ApprovalStatus): ApprovalStatus {
  const allowed = APPROVAL_TRANSITIONS[from];
  if (!allowed.includes(to)) throw refuse.invalidTransition(from, to, allowed, ['input', 'requestId']);
  return to;
}
