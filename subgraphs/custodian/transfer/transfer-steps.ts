/** How a locked transfer is moved on: approved, so that its settlement begins, or ended before. */
import { sql } from '../../../platform/database/sql.ts';
import { type Decimal, dec } from '../../../platform/decimal.ts';
import { refuse } from '../../../platform/errors.ts';
import { isUuid } from '../../../platform/uuid.ts';
import type { Rail } from '../calendar/business-days.ts';
import { calendarsWithin } from '../calendar/calendars.ts';
import type { Context, Tx } from '../context.ts';
import { lockHoldings } from '../locks.ts';
import { post } from '../posting.ts';
import { shift } from '../rules/entries.ts';
import { EXTERNAL_ACCOUNT_ID } from '../rules/ids.ts';
import { instruct } from '../settlement/instructing.ts';
import { requestApproval } from './approval-requests.ts';
import { moveTransfer, type TransferStatus } from './lifecycle.ts';
import { checkNoStop } from './stops.ts';
import { tierOf } from './tiers.ts';

export interface LockedTransfer {
  transferId: string;
  fromAccountId: string;
  toAccountId: string;
  asset: string;
  amount: Decimal;
  usdValue: Decimal;
  rail: Rail;
  isUrgent: boolean;
  status: TransferStatus;
  approvalRequestId: string | null;
  settlementId: string | null;
  requestedBy: string;
  createdAt: Date;
}

/** @throws Refusal (not found) */
export async function lockTransfer(tx: Tx, id: string): Promise<LockedTransfer> {
  const [row] = isUuid(id)
    ? await tx.$queryRaw<LockedTransfer[]>(
        sql`select transfer_id as "transferId", from_account_id as "fromAccountId", to_account_id as "toAccountId",
                   asset, amount, usd_value as "usdValue", rail, is_urgent as "isUrgent", status,
                   approval_request_id as "approvalRequestId", settlement_id as "settlementId",
                   requested_by as "requestedBy", created_at as "createdAt"
              from transfers where transfer_id = ${id}::uuid for no key update`,
      )
    : [];
  if (!row) throw refuse.notFound('Transfer', id, ['input', 'transferId']);
  return { ...row, amount: dec(row.amount), usdValue: dec(row.usdValue) };
}

/** Approvals of a transfer that compliance holds for a look. */
const HELD_APPROVALS = 2;

/**
 * Requested → pending approval, its amount set aside. Two persons at least look at what may be laundered, whatever its
 * value.
 */
export async function askForApprovals(
  tx: Tx,
  context: Context,
  { transferId, fromAccountId, amount, usdValue, requestedBy }: Omit<LockedTransfer, 'status'>,
  { isHeld, actor, voters = [] }: { isHeld: boolean; actor: string; voters?: string[] },
): Promise<void> {
  const { tier, required } = tierOf(usdValue);
  const approvalRequestId = await requestApproval(tx, context, {
    subjectType: 'TRANSFER',
    subjectId: transferId,
    accountId: fromAccountId,
    usdValue,
    tier,
    required: isHeld ? Math.max(required, HELD_APPROVALS) : required,
    requestedBy,
    voters,
  });
  await tx.transfer.update({
    where: { transferId },
    data: { status: 'PENDING_APPROVAL', reservedAmount: amount, approvalRequestId, actor, traceId: context.traceId },
  });
}

/**
 * Not locked: its ends, its requests and its settlement never change once they are there.
 * @throws Refusal (not found)
 */
export async function findTransfer(tx: Tx, id: string) {
  const found = isUuid(id) ? await tx.transfer.findUnique({ where: { transferId: id } }) : null;
  if (!found) throw refuse.notFound('Transfer', id, ['input', 'transferId']);
  return { ...found, status: found.status as TransferStatus };
}

/** @throws Refusal (validation) while transfers are halted, or one of its sides is on the list of compliance by now */
export async function checkTransferable(tx: Tx, id: string): Promise<void> {
  const { fromAccountId, toAccountId } = await findTransfer(tx, id);
  await checkNoStop(tx, fromAccountId, toAccountId);
}

/** Pending approval → approved: its settlement is instructed, and takes over what is reserved. */
export async function approveTransferOf(tx: Tx, context: Context, id: string, actor: string): Promise<void> {
  const transfer = await lockTransfer(tx, id);
  const { transferId, fromAccountId, toAccountId, asset, amount, usdValue, rail, isUrgent } = transfer;
  moveTransfer(transfer.status, 'APPROVED');
  const waitMinutes = isUrgent ? 0 : tierOf(usdValue).minutes[0];
  const settlementId = await instruct(
    tx,
    context,
    {
      type: toAccountId === EXTERNAL_ACCOUNT_ID ? 'WITHDRAWAL' : 'TRANSFER',
      accountId: fromAccountId,
      sourceAccountId: fromAccountId,
      destinationAccountId: toAccountId,
      asset,
      quantity: amount,
      currency: null,
      cashAmount: null,
      rail,
      usdValue,
      at: context.now(),
      notBefore: new Date(transfer.createdAt.getTime() + waitMinutes * 60_000),
      transferId,
      reserve: 'already',
    },
    await calendarsWithin(tx, context),
  );
  if (!settlementId) throw new Error(`Transfer ${transferId} has a settlement already`);
  await tx.transfer.update({
    where: { transferId },
    data: { status: 'APPROVED', settlementId, reservedAmount: 0, actor, traceId: context.traceId },
  });
}

/** Requested or pending approval → rejected, expired or cancelled: what was reserved is available again. */
export async function endTransfer(
  tx: Tx,
  context: Context,
  id: string,
  status: 'REJECTED' | 'EXPIRED' | 'CANCELLED',
  reason: string | null,
  actor: string | null,
): Promise<void> {
  const { transferId, fromAccountId: accountId, asset, amount, ...transfer } = await lockTransfer(tx, id);
  moveTransfer(transfer.status, status);
  await lockHoldings(tx, [{ accountId, asset }]);
  const reference = { kind: 'RELEASE', refType: 'TRANSFER', refId: transferId } as const;
  await post(tx, context, reference, shift({ accountId, asset }, 'RESERVED', 'AVAILABLE', amount));
  await tx.transfer.update({
    where: { transferId },
    data: { status, reservedAmount: 0, failureReason: reason, actor, traceId: context.traceId },
  });
}
