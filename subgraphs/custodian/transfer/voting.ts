/** Votes on approval requests, and what they set off; requests that nobody decides in time. */
import { type CommandPayload, command } from '../../../platform/command.ts';
import { sql } from '../../../platform/database/sql.ts';
import { Refusal, refuse } from '../../../platform/errors.ts';
import { boundedText, isSamePerson } from '../../../platform/texts.ts';
import type { Context, Tx } from '../context.ts';
import type { ApproveRequestInput, RejectRequestInput } from '../generated/resolvers.ts';
import { PERSON_LENGTH, REASON_LENGTH } from '../rules/ids.ts';
import { lockRequest } from './approval-requests.ts';
import { type ApprovalSubject, moveApproval } from './lifecycle.ts';
import { subjects } from './subjects.ts';

export type VotePayload = CommandPayload<{ requestId: string; subjectId: string }>;

const SIGNATURE_LENGTH = 1_000;

export function approveRequest(context: Context, input: ApproveRequestInput): Promise<VotePayload> {
  return command(context, 'approveRequest', input, (tx) => vote(tx, context, input.requestId, 'APPROVE', input));
}

export function rejectRequest(context: Context, input: RejectRequestInput): Promise<VotePayload> {
  return command(context, 'rejectRequest', input, (tx) => vote(tx, context, input.requestId, 'REJECT', input));
}

interface Voice {
  approverId: string;
  reason?: string | null | undefined;
  signature?: string | null | undefined;
}

/**
 * One person's word, of those whose office it is. The last approval that is needed sets off what was asked for, in the same transaction; one rejection
 * ends it.
 */
export async function vote(
  tx: Tx,
  context: Context,
  id: string,
  decision: 'APPROVE' | 'REJECT',
  voice: Voice,
  office: 'APPROVERS' | 'COMPLIANCE' = 'APPROVERS',
): Promise<{ requestId: string; subjectId: string }> {
  const approverId = boundedText(voice.approverId, PERSON_LENGTH, ['input', 'approverId']);
  const reason = optional(voice.reason, REASON_LENGTH, 'reason');
  const signature = optional(voice.signature, SIGNATURE_LENGTH, 'signature');
  const request = await lockRequest(tx, id);
  const { requestId, subjectId } = request;
  if ((request.subjectType === 'REVIEW') !== (office === 'COMPLIANCE')) {
    throw refuse.validation('A review is decided by decideTransferReview.', ['input', 'requestId']);
  }
  const wanted = decision === 'APPROVE' ? 'APPROVED' : 'REJECTED';
  const status = request.status === 'PENDING' && request.expiresAt <= context.now() ? 'TIMED_OUT' : request.status;
  moveApproval(status, wanted);
  if (isSamePerson(approverId, request.requestedBy)) {
    throw refuse.validation('Nobody decides on what he asked for himself.', ['input', 'approverId']);
  }
  if (request.voters.some((voter) => isSamePerson(voter, approverId))) {
    throw refuse.conflict(null, `${approverId} has voted already, on it or on its review.`, ['input', 'approverId']);
  }
  const subject = subjects[request.subjectType];
  if (decision === 'APPROVE') await subject.checkApprovable(tx, subjectId);

  await tx.vote.create({ data: { requestId, approverId, decision, reason, signature, traceId: context.traceId } });
  const approvedCount = request.approvedCount + (decision === 'APPROVE' ? 1 : 0);
  const isDecided = decision === 'REJECT' || approvedCount >= request.required;
  await tx.$executeRaw(
    sql`update approval_requests
           set approved_count = ${approvedCount}, voters = voters || ${approverId}::text, actor = ${approverId},
               status = ${isDecided ? wanted : 'PENDING'}, trace_id = ${context.traceId}
         where request_id = ${requestId}::uuid`,
  );
  if (isDecided && decision === 'APPROVE') await subject.approve(tx, context, subjectId, approverId);
  if (isDecided && decision === 'REJECT') await subject.end(tx, context, subjectId, 'REJECTED', reason, approverId);
  return { requestId, subjectId };
}

function optional(text: string | null | undefined, longest: number, field: string): string | null {
  return text === null || text === undefined ? null : boundedText(text, longest, ['input', field]);
}

/** Requests of one round. */
const EXPIRY_BATCH = 100;

/** Ends requests whose time is up, and what they are about; any number of workers may. Gives how many there were. */
export async function expireRequests(context: Context): Promise<number> {
  const { ended = 0, errors } = await command(context, 'expireRequests', {}, async (tx) => {
    const due = await tx.$queryRaw<{ requestId: string; subjectType: ApprovalSubject; subjectId: string }[]>(
      sql`select request_id as "requestId", subject_type as "subjectType", subject_id as "subjectId"
            from approval_requests
           where status = 'PENDING' and expires_at <= ${context.now().toISOString()}::timestamptz
           order by expires_at limit ${EXPIRY_BATCH} for no key update skip locked`,
    );
    for (const { requestId, subjectType, subjectId } of due) {
      await tx.approvalRequest.update({
        where: { requestId },
        data: { status: 'TIMED_OUT', traceId: context.traceId },
      });
      await subjects[subjectType].end(tx, context, subjectId, 'EXPIRED', 'It was not decided in time.', null);
    }
    return { ended: due.length };
  });
  const [refusal] = errors;
  if (refusal) throw new Refusal(refusal);
  return ended;
}
