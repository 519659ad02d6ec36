/** What can be asked for, and what happens to it when it is approved or comes to its end. */
import type { Context, Tx } from '../context.ts';
import { approveWriteOff } from '../reconciliation/break-commands.ts';
import { approveAdjustment, endAdjustment } from './adjustments.ts';
import type { ApprovalSubject } from './lifecycle.ts';
import { clearReview } from './reviews.ts';
import { approveTransferOf, checkTransferable, endTransfer } from './transfer-steps.ts';

export interface Subject {
  /** @throws Refusal when now is no time to approve such a thing */
  checkApprovable(tx: Tx, subjectId: string): Promise<void>;
  /** All approvals are there. */
  approve(tx: Tx, context: Context, subjectId: string, approverId: string): Promise<void>;
  /** There will be none. */
  end(
    tx: Tx,
    context: Context,
    subjectId: string,
    how: 'REJECTED' | 'EXPIRED',
    reason: string | null,
    approverId: string | null,
  ): Promise<void>;
}

const always = async () => undefined;

export const subjects: Record<ApprovalSubject, Subject> = {
  TRANSFER: { checkApprovable: checkTransferable, approve: approveTransferOf, end: endTransfer },
  REVIEW: { checkApprovable: checkTransferable, approve: clearReview, end: endTransfer },
  ADJUSTMENT: { checkApprovable: always, approve: approveAdjustment, end: endAdjustment },
  WRITE_OFF: { checkApprovable: always, approve: approveWriteOff, end: always },
};
