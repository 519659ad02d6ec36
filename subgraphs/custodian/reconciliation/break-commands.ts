/** What people do with breaks: take them on, resolve them, ask to write them off. */
import { type CommandPayload, command } from '../../../platform/command.ts';
import { sql } from '../../../platform/database/sql.ts';
import { type Decimal, dec } from '../../../platform/decimal.ts';
import { refuse } from '../../../platform/errors.ts';
import { boundedText } from '../../../platform/texts.ts';
import { isUuid } from '../../../platform/uuid.ts';
import type { Context, Tx } from '../context.ts';
import type { AssignBreakInput, ResolveBreakInput, WriteOffBreakInput } from '../generated/resolvers.ts';
import { checkOpen, holdAccount, lockHoldings } from '../locks.ts';
import { post } from '../posting.ts';
import { move, outside } from '../rules/entries.ts';
import { PERSON_LENGTH, REASON_LENGTH } from '../rules/ids.ts';
import { requestApproval } from '../transfer/approval-requests.ts';
import { tierOf } from '../transfer/tiers.ts';
import { BREAK_TRANSITIONS, type BreakStatus } from './comparing.ts';

export type BreakPayload = CommandPayload<{ breakId: string }>;
export type WriteOffPayload = CommandPayload<{ breakId: string; requestId: string }>;

interface LockedBreak {
  breakId: string;
  accountId: string;
  asset: string;
  difference: Decimal;
  usdDifference: Decimal | null;
  status: BreakStatus;
}

async function lockBreak(tx: Tx, id: string): Promise<LockedBreak> {
  const [found] = isUuid(id)
    ? await tx.$queryRaw<LockedBreak[]>(
        sql`select break_id as "breakId", account_id as "accountId", asset, difference, usd_difference as "usdDifference",
                   status
              from reconciliation_breaks where break_id = ${id}::uuid for no key update`,
      )
    : [];
  if (!found) throw refuse.notFound('ReconciliationBreak', id, ['input', 'breakId']);
  return { ...found, difference: dec(found.difference) };
}

function moveBreak(from: BreakStatus, to: BreakStatus): BreakStatus {
  const allowed = BREAK_TRANSITIONS[from];
  if (!allowed.includes(to)) throw refuse.invalidTransition(from, to, allowed, ['input', 'breakId']);
  return to;
}

/** Open → investigating; or another person takes it over. */
export function assignBreak(context: Context, input: AssignBreakInput): Promise<BreakPayload> {
  return command(context, 'assignBreak', input, async (tx) => {
    const { breakId, status } = await lockBreak(tx, input.breakId);
    const assignee = boundedText(input.assignee, PERSON_LENGTH, ['input', 'assignee']);
    if (status !== 'INVESTIGATING') moveBreak(status, 'INVESTIGATING');
    const data = { status: 'INVESTIGATING', assignee, actor: assignee, traceId: context.traceId };
    await tx.reconciliationBreak.update({ where: { breakId }, data });
    return { breakId };
  });
}

/** Open or investigating → resolved: somebody says why it was, and that it will be gone. */
export function resolveBreak(context: Context, input: ResolveBreakInput): Promise<BreakPayload> {
  return command(context, 'resolveBreak', input, async (tx) => {
    const { breakId, status } = await lockBreak(tx, input.breakId);
    const resolution = boundedText(input.resolution, REASON_LENGTH, ['input', 'resolution']);
    const actor = boundedText(input.actor, PERSON_LENGTH, ['input', 'actor']);
    const data = { status: moveBreak(status, 'RESOLVED'), resolution, actor, traceId: context.traceId };
    await tx.reconciliationBreak.update({ where: { breakId }, data: { ...data, resolvedAt: context.now() } });
    return { breakId };
  });
}

/** Asks for the approvals of its value; the last of them writes it off. */
export function writeOffBreak(context: Context, input: WriteOffBreakInput): Promise<WriteOffPayload> {
  return command(context, 'writeOffBreak', input, async (tx) => {
    const { breakId, accountId, difference, usdDifference, status } = await lockBreak(tx, input.breakId);
    moveBreak(status, 'WRITTEN_OFF');
    const path = ['input', 'breakId'];
    if (difference.isZero()) throw refuse.validation('There is no difference to write off.', path);
    if (await tx.approvalRequest.findFirst({ where: { subjectType: 'WRITE_OFF', subjectId: breakId } })) {
      throw refuse.conflict(null, 'It has been asked for already.', path);
    }
    const requestedBy = boundedText(input.requestedBy, PERSON_LENGTH, ['input', 'requestedBy']);
    const resolution = boundedText(input.reason, REASON_LENGTH, ['input', 'reason']);
    const usdValue = dec(usdDifference ?? 0);
    const { tier, required } = usdDifference === null ? { tier: 0, required: 1 } : tierOf(usdValue);
    const subject = { subjectType: 'WRITE_OFF', subjectId: breakId, accountId } as const;
    const requestId = await requestApproval(tx, context, { ...subject, usdValue, tier, required, requestedBy });
    await tx.reconciliationBreak.update({
      where: { breakId },
      data: { resolution, actor: requestedBy, traceId: context.traceId },
    });
    return { breakId, requestId };
  });
}

/**
 * Brings the books here to what the venue says, against the world outside.
 * @throws Refusal (insufficient funds) when the account has not what is missing; (validation) when it is closed;
 * (invalid transition) when the break is
 */
export async function approveWriteOff(tx: Tx, context: Context, id: string, actor: string): Promise<void> {
  const { breakId, accountId, asset, difference, status } = await lockBreak(tx, id);
  const data = { status: moveBreak(status, 'WRITTEN_OFF'), actor, traceId: context.traceId };
  checkOpen(await holdAccount(tx, accountId), 'requestId', true);
  const { available } = (await lockHoldings(tx, [{ accountId, asset }]))(accountId, asset);
  if (available.lt(difference)) throw refuse.insufficientFunds(asset, available, difference);
  const entries = move({ accountId, asset, bucket: 'AVAILABLE' }, outside(asset), difference);
  await post(tx, context, { kind: 'WRITE_OFF', refType: 'BREAK', refId: breakId }, entries);
  await tx.reconciliationBreak.update({ where: { breakId }, data: { ...data, resolvedAt: context.now() } });
}
