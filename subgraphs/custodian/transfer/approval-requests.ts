/** Approval requests as commands open, lock and withdraw them. */
import { sql } from '../../../platform/database/sql.ts';
import type { Decimal } from '../../../platform/decimal.ts';
import { refuse } from '../../../platform/errors.ts';
import { isUuid } from '../../../platform/uuid.ts';
import type { Context, Tx } from '../context.ts';
import type { ApprovalStatus, ApprovalSubject } from './lifecycle.ts';
import { APPROVAL_HOURS, POLICY_VERSION } from './tiers.ts';

/** Opens a request about something that the command has just stored. */
export async function requestApproval(
  tx: Tx,
  context: Context,
  request: {
    subjectType: ApprovalSubject;
    subjectId: string;
    accountId: string;
    usdValue: Decimal;
    tier: number;
    required: number;
    requestedBy: string;
    /** Who has had a word already, and is not asked. */
    voters?: string[];
  },
): Promise<string> {
  const expiresAt = new Date(context.now().getTime() + APPROVAL_HOURS * 3_600_000);
  const { requestId } = await tx.approvalRequest.create({
    data: { ...request, expiresAt, policyVersion: POLICY_VERSION, traceId: context.traceId },
    select: { requestId: true },
  });
  return requestId;
}

export interface LockedRequest {
  requestId: string;
  subjectType: ApprovalSubject;
  subjectId: string;
  required: number;
  approvedCount: number;
  status: ApprovalStatus;
  requestedBy: string;
  voters: string[];
  expiresAt: Date;
}

/** @throws Refusal (not found) */
export async function lockRequest(tx: Tx, id: string): Promise<LockedRequest> {
  const [request] = isUuid(id)
    ? await tx.$queryRaw<LockedRequest[]>(
        sql`select request_id as "requestId", subject_type as "subjectType", subject_id as "subjectId", required,
                   approved_count as "approvedCount", status, requested_by as "requestedBy", voters,
                   expires_at as "expiresAt"
              from approval_requests where request_id = ${id}::uuid for no key update`,
      )
    : [];
  if (!request) throw refuse.notFound('ApprovalRequest', id, ['input', 'requestId']);
  return request;
}

/** Ends a request that nobody has decided, for the sake of what it is about. */
export async function withdrawRequest(tx: Tx, { traceId }: Context, requestId: string, actor: string): Promise<void> {
  const request = await lockRequest(tx, requestId);
  if (request.status !== 'PENDING') return;
  await tx.approvalRequest.update({ where: { requestId }, data: { status: 'CANCELLED', actor, traceId } });
}
