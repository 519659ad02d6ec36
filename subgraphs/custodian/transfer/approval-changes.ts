/** What one approver is to decide, live. */
import { pickStream } from '../../../platform/streams.ts';
import { isSamePerson } from '../../../platform/texts.ts';
import type { Context } from '../context.ts';
import type { SubscriptionApprovalRequestsArgs } from '../generated/resolvers.ts';
import { type ApprovalRequestEvent, approvalRequestTopic } from '../topics.ts';

/**
 * Requests that wait for the approver's word: those that are PENDING, that he did not ask for himself, and on which he has
 * not voted. One that ends, or that he votes on, is told as DELETE. Without an approver all that are PENDING.
 */
export function approvalRequestChanges(
  context: Context,
  { approverId, after }: Partial<SubscriptionApprovalRequestsArgs>,
): AsyncIterable<ApprovalRequestEvent> {
  const changes = context.changes(approvalRequestTopic, { choice: { status: 'PENDING' }, after });
  if (approverId === null || approverId === undefined) return changes;
  return pickStream(changes, (event) => asSeenBy(approverId, event));
}

/** What is none of his is not told. */
function asSeenBy(approverId: string, event: ApprovalRequestEvent): ApprovalRequestEvent | null {
  const { row, kind } = event;
  if (row === null) return event;
  if (isSamePerson(row.requestedBy, approverId)) return null;
  if (!row.voters.some((voter) => isSamePerson(voter, approverId))) return event;
  return kind === 'SNAPSHOT' ? null : { ...event, kind: 'DELETE' };
}
