/** Transfers with which compliance is not sure: they wait, with their amount set aside, for its decision. */
import { command } from '../../../platform/command.ts';
import type { Context, Tx } from '../context.ts';
import type { DecideTransferReviewInput } from '../generated/resolvers.ts';
import { requestApproval } from './approval-requests.ts';
import { moveTransfer } from './lifecycle.ts';
import type { TransferPayload } from './transfer-commands.ts';
import { askForApprovals, findTransfer, lockTransfer } from './transfer-steps.ts';
import { vote } from './voting.ts';

/** One person of compliance decides. */
const OFFICERS = 1;

/** Opens the review of a transfer that the command has just stored, and has set aside the amount of. */
export async function requestReview(
  tx: Tx,
  context: Context,
  transferId: string,
  requestedBy: string,
): Promise<string> {
  const { fromAccountId: accountId, usdValue } = await lockTransfer(tx, transferId);
  const subject = { subjectType: 'REVIEW', subjectId: transferId, accountId } as const;
  return requestApproval(tx, context, { ...subject, usdValue, tier: 0, required: OFFICERS, requestedBy });
}

/** The decision of compliance on a transfer that waits for it. */
export function decideTransferReview(context: Context, input: DecideTransferReviewInput): Promise<TransferPayload> {
  return command(context, 'decideTransferReview', input, async (tx) => {
    const { transferId, reviewRequestId, status } = await findTransfer(tx, input.transferId);
    if (reviewRequestId === null) {
      moveTransfer(status, 'PENDING_APPROVAL');
      throw new Error(`Transfer ${transferId} is ${status} without a review`);
    }
    const { officerId: approverId, reason, signature } = input;
    await vote(tx, context, reviewRequestId, input.decision, { approverId, reason, signature }, 'COMPLIANCE');
    return { transferId };
  });
}

/** Requested → pending approval. Whoever has let it pass is not asked again. */
export async function clearReview(tx: Tx, context: Context, id: string, officerId: string): Promise<void> {
  const transfer = await lockTransfer(tx, id);
  moveTransfer(transfer.status, 'PENDING_APPROVAL');
  const findings = await tx.complianceCheck.findMany({ where: { subjectId: id, result: 'REVIEW' } });
  await askForApprovals(tx, context, transfer, {
    isHeld: findings.some(({ kind }) => kind === 'AML'),
    actor: officerId,
    voters: [officerId],
  });
}
