/** Corrections of a holding by hand: one person asks, another approves (domain.md §4.2). */
import { assetCode } from '../../../platform/asset-code.ts';
import { beforehand, type CommandPayload, command } from '../../../platform/command.ts';
import { dec } from '../../../platform/decimal.ts';
import { refuse } from '../../../platform/errors.ts';
import { entity } from '../../../platform/loaders.ts';
import { boundedText } from '../../../platform/texts.ts';
import { requireAsset } from '../assets.ts';
import type { Context, Tx } from '../context.ts';
import type { AdjustCustodyBalanceInput } from '../generated/resolvers.ts';
import { holdAccount, lockHoldings } from '../locks.ts';
import { post } from '../posting.ts';
import { readUsdPrices, usdValue } from '../prices.ts';
import { move, outside } from '../rules/entries.ts';
import { PERSON_LENGTH, REASON_LENGTH } from '../rules/ids.ts';
import { requestApproval } from './approval-requests.ts';

/** A row of `adjustments`. */
export interface AdjustmentRow {
  adjustmentId: string;
  accountId: string;
  asset: string;
  /** Signed. */
  amount: string;
  reason: string;
  requestedBy: string;
  status: 'PENDING_APPROVAL' | 'COMPLETED' | 'REJECTED' | 'EXPIRED' | 'CANCELLED' | 'FAILED';
  actor: string;
  postingId: string | null;
  traceId: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
}

export type AdjustmentPayload = CommandPayload<{ adjustmentId: string; requestId: string }>;

export const adjustments = entity<AdjustmentRow>({
  name: 'CustodyAdjustment',
  table: 'adjustments',
  key: 'adjustment_id',
  keyType: 'uuid',
});

/** Besides whoever asks. */
const APPROVERS = 1;

/** Asks for a correction. Nothing moves before a second person approves it. */
export async function adjustCustodyBalance(
  context: Context,
  input: AdjustCustodyBalanceInput,
): Promise<AdjustmentPayload> {
  const remember = await requireAsset(context, input.asset);
  const priced = await beforehand(context.domain, async () => {
    const code = assetCode(input.asset);
    return (await readUsdPrices(context.graph, [code])).get(code) ?? dec(0);
  });
  return command(context, 'adjustCustodyBalance', input, async (tx) => {
    const asset = assetCode(input.asset);
    const amount = dec(input.amount);
    if (amount.isZero()) throw refuse.validation('amount must not be zero.', ['input', 'amount']);
    const reason = boundedText(input.reason, REASON_LENGTH, ['input', 'reason']);
    const requestedBy = boundedText(input.requestedBy, PERSON_LENGTH, ['input', 'requestedBy']);
    const { accountId, status, kind } = await holdAccount(tx, input.accountId);
    if (status === 'CLOSED' || kind === 'EXTERNAL') {
      throw refuse.validation('The account is CLOSED, or the world outside.', ['input', 'accountId']);
    }
    await remember(tx);
    const { adjustmentId } = await tx.adjustment.create({
      data: { accountId, asset, amount, reason, requestedBy, actor: requestedBy, traceId: context.traceId },
      select: { adjustmentId: true },
    });
    const requestId = await requestApproval(tx, context, {
      subjectType: 'ADJUSTMENT',
      subjectId: adjustmentId,
      accountId,
      usdValue: usdValue(amount.abs(), priced()),
      tier: 0,
      required: APPROVERS,
      requestedBy,
    });
    return { adjustmentId, requestId };
  });
}

/** Posts it against the world outside, or says that it FAILED: there is not enough to take, or the account is closed. */
export async function approveAdjustment(tx: Tx, context: Context, adjustmentId: string, actor: string): Promise<void> {
  const { accountId, asset, amount: stored } = await tx.adjustment.findUniqueOrThrow({ where: { adjustmentId } });
  const amount = dec(stored);
  const { traceId } = context;
  const { status } = await holdAccount(tx, accountId);
  const { available } = (await lockHoldings(tx, [{ accountId, asset }]))(accountId, asset);
  if (status === 'CLOSED' || available.plus(amount).isNegative()) {
    await tx.adjustment.update({ where: { adjustmentId }, data: { status: 'FAILED', actor, traceId } });
    return;
  }
  const entries = move(outside(asset), { accountId, asset, bucket: 'AVAILABLE' }, amount);
  const reference = { kind: 'ADJUSTMENT', refType: 'ADJUSTMENT', refId: adjustmentId } as const;
  const postingId = await post(tx, context, reference, entries);
  await tx.adjustment.update({ where: { adjustmentId }, data: { status: 'COMPLETED', postingId, actor, traceId } });
}

export async function endAdjustment(
  tx: Tx,
  { traceId }: Context,
  adjustmentId: string,
  status: 'REJECTED' | 'EXPIRED',
  _reason: string | null,
  actor: string | null,
): Promise<void> {
  await tx.adjustment.update({
    where: { adjustmentId },
    data: { status, traceId, ...(actor !== null && { actor }) },
  });
}
