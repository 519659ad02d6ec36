/** What people do with transfers: request, approve, reject, cancel. */
import { assetCode } from '../../../platform/asset-code.ts';
import { beforehand, type CommandPayload, command } from '../../../platform/command.ts';
import { dec } from '../../../platform/decimal.ts';
import { refuse } from '../../../platform/errors.ts';
import { boundedText } from '../../../platform/texts.ts';
import { requireAsset } from '../assets.ts';
import type { Context, Tx } from '../context.ts';
import type {
  ApproveTransferInput,
  CancelTransferInput,
  RejectTransferInput,
  RequestTransferInput,
} from '../generated/resolvers.ts';
import { checkOpen, holdAccount, type LockedAccount, lockHoldings } from '../locks.ts';
import { post } from '../posting.ts';
import { checkSameSide } from '../rules/account-lifecycle.ts';
import { isToBeReviewed } from '../rules/compliance.ts';
import { shift } from '../rules/entries.ts';
import { EXTERNAL_ACCOUNT_ID, PERSON_LENGTH, positiveAmount, REASON_LENGTH } from '../rules/ids.ts';
import { worthOf } from '../settlement/settlement-commands.ts';
import { giveUp, lockSettlement } from '../settlement/settling.ts';
import { withdrawRequest } from './approval-requests.ts';
import { checkTransfer, recordFindings } from './compliance.ts';
import { readFacts } from './compliance-facts.ts';
import { checkNotHalted } from './halt.ts';
import { moveTransfer, TRANSFER_TRANSITIONS } from './lifecycle.ts';
import { requestReview } from './reviews.ts';
import { askForApprovals, endTransfer, findTransfer, lockTransfer } from './transfer-steps.ts';
import { vote } from './voting.ts';

export type TransferPayload = CommandPayload<{ transferId: string }>;

const DAY_MS = 24 * 3_600_000;

/**
 * Stores a transfer, sets aside what it takes and asks for the approvals of its value, or first for a decision of
 * compliance where that is not sure; or stores it REJECTED when compliance finds against it.
 */
export async function requestTransfer(context: Context, input: RequestTransferInput): Promise<TransferPayload> {
  const remember = await requireAsset(context, input.asset);
  const [value, facts] = await Promise.all([
    beforehand(context.domain, () => worthOf(context, input.asset, dec(input.amount))),
    beforehand(context.domain, () => factsFor(context, input)),
  ]);
  return command(context, 'requestTransfer', input, async (tx) => {
    const wanted = readRequest(input);
    const { fromAccountId, toAccountId, asset, amount, requestedBy } = wanted;
    await checkNotHalted(tx);
    const { from, to } = await holdEnds(tx, fromAccountId, toAccountId);
    await remember(tx);
    const usdValue = value();
    const since = new Date(context.now().getTime() - DAY_MS);
    const findings = await checkTransfer(tx, { from, to, asset, usdValue, since, facts: facts() });
    const failed = findings.find(({ result }) => result === 'FAIL');
    const { traceId } = context;
    const data = { ...wanted, amount, usdValue, actor: requestedBy, createdAt: context.now(), traceId };
    const { transferId } = await tx.transfer.create({
      data: { ...data, ...(failed && { status: 'REJECTED', failureReason: failed.details }) },
      select: { transferId: true },
    });
    await recordFindings(tx, context, transferId, fromAccountId, findings);
    if (failed) return { transferId };

    const holding = (await lockHoldings(tx, [{ accountId: fromAccountId, asset }]))(fromAccountId, asset);
    if (holding.available.lt(amount)) {
      throw refuse.insufficientFunds(asset, holding.available, amount, ['input', 'amount']);
    }
    const entries = shift({ accountId: fromAccountId, asset }, 'AVAILABLE', 'RESERVED', amount);
    await post(tx, context, { kind: 'RESERVE', refType: 'TRANSFER', refId: transferId }, entries);
    if (isToBeReviewed(findings, from.clientId === to.clientId)) {
      const reviewRequestId = await requestReview(tx, context, transferId, requestedBy);
      await tx.transfer.update({ where: { transferId }, data: { reservedAmount: amount, reviewRequestId } });
      return { transferId };
    }
    const isHeld = findings.some(({ kind, result }) => kind === 'AML' && result === 'REVIEW');
    await askForApprovals(tx, context, await lockTransfer(tx, transferId), { isHeld, actor: requestedBy });
    return { transferId };
  });
}

function factsFor(context: Context, { fromAccountId, toAccountId, asset }: RequestTransferInput) {
  return readFacts(context, {
    fromAccountId,
    toAccountId: toAccountId ?? EXTERNAL_ACCOUNT_ID,
    asset: assetCode(asset),
  });
}

function readRequest(input: RequestTransferInput) {
  const { fromAccountId, rail = 'CRYPTO_INTERNAL', isUrgent, memo = null } = input;
  const toAccountId = input.toAccountId ?? EXTERNAL_ACCOUNT_ID;
  if (fromAccountId === toAccountId) {
    throw refuse.validation('Source and destination must differ.', ['input', 'toAccountId']);
  }
  return {
    fromAccountId,
    toAccountId,
    asset: assetCode(input.asset),
    amount: positiveAmount(input.amount, ['input', 'amount']),
    rail,
    isUrgent: isUrgent ?? false,
    requestedBy: boundedText(input.requestedBy, PERSON_LENGTH, ['input', 'requestedBy']),
    memo: memo === null ? null : boundedText(memo, REASON_LENGTH, ['input', 'memo']),
  };
}

async function holdEnds(tx: Tx, fromId: string, toId: string): Promise<{ from: LockedAccount; to: LockedAccount }> {
  const hold = (id: string) => holdAccount(tx, id, id === fromId ? 'fromAccountId' : 'toAccountId');
  const first = await hold(fromId < toId ? fromId : toId);
  const second = await hold(fromId < toId ? toId : fromId);
  const [from, to] = first.accountId === fromId ? [first, second] : [second, first];
  if (from.kind === 'EXTERNAL') {
    throw refuse.validation('What comes from outside is deposited, not transferred.', ['input', 'fromAccountId']);
  }
  checkOpen(from, 'fromAccountId');
  checkOpen(to, 'toAccountId', true);
  checkSameSide(from.kind, to.kind);
  return { from, to };
}

/** One approval of the transfer's request. */
export function approveTransfer(context: Context, input: ApproveTransferInput): Promise<TransferPayload> {
  return decide(context, 'approveTransfer', 'APPROVE', input);
}

/** Ends the transfer's request. */
export function rejectTransfer(context: Context, input: RejectTransferInput): Promise<TransferPayload> {
  return decide(context, 'rejectTransfer', 'REJECT', input);
}

function decide(
  context: Context,
  operation: string,
  decision: 'APPROVE' | 'REJECT',
  input: ApproveTransferInput | RejectTransferInput,
): Promise<TransferPayload> {
  return command(context, operation, input, async (tx) => {
    const { transferId, approvalRequestId, status } = await findTransfer(tx, input.transferId);
    if (approvalRequestId === null) {
      const path = ['input', 'transferId'];
      throw refuse.invalidTransition(status, 'APPROVED', TRANSFER_TRANSITIONS[status], path);
    }
    await vote(tx, context, approvalRequestId, decision, input);
    return { transferId };
  });
}

/** Requested, pending approval or approved → cancelled. */
export function cancelTransfer(context: Context, input: CancelTransferInput): Promise<TransferPayload> {
  return command(context, 'cancelTransfer', input, async (tx) => {
    const actor = boundedText(input.actor, PERSON_LENGTH, ['input', 'actor']);
    const { reviewRequestId } = await findTransfer(tx, input.transferId);
    if (reviewRequestId !== null) await withdrawRequest(tx, context, reviewRequestId, actor);
    const { approvalRequestId } = await findTransfer(tx, input.transferId); // the review may have been decided meanwhile
    if (approvalRequestId !== null) await withdrawRequest(tx, context, approvalRequestId, actor);
    const { transferId, settlementId, status } = await findTransfer(tx, input.transferId);
    moveTransfer(status, 'CANCELLED');
    if (settlementId === null) {
      await endTransfer(tx, context, transferId, 'CANCELLED', null, actor);
      return { transferId };
    }
    const settlement = await lockSettlement(tx, settlementId);
    moveTransfer((await lockTransfer(tx, transferId)).status, 'CANCELLED');
    await giveUp(tx, context, settlement, 'CANCELLED', null);
    return { transferId };
  });
}
