/** Transfers, approval requests, votes and compliance checks: what is stored of them and how they are read. */
import { assetCode } from '../../../platform/asset-code.ts';
import { raw, type Sql, sql } from '../../../platform/database/sql.ts';
import { equals, equalsUuid, isOneOf, within } from '../../../platform/filters.ts';
import { childList, entity } from '../../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../../platform/paging.ts';
import { isStorable } from '../../../platform/texts.ts';
import type { Rail } from '../calendar/business-days.ts';
import type { ApprovalRequestFilter, ComplianceCheckFilter, TransferFilter } from '../generated/resolvers.ts';
import type { ComplianceKind, ComplianceResult } from '../rules/compliance.ts';
import type { ApprovalStatus, ApprovalSubject, TransferStatus } from './lifecycle.ts';

/** A row of `transfers`. */
export interface TransferRow {
  transferId: string;
  fromAccountId: string;
  toAccountId: string;
  asset: string;
  amount: string;
  usdValue: string;
  rail: Rail;
  isUrgent: boolean;
  status: TransferStatus;
  reservedAmount: string;
  approvalRequestId: string | null;
  settlementId: string | null;
  reviewRequestId: string | null;
  requestedBy: string;
  memo: string | null;
  failureReason: string | null;
  actor: string | null;
  completedAt: string | null;
  traceId: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
}

/** A row of `approval_requests`. */
export interface ApprovalRequestRow {
  requestId: string;
  subjectType: ApprovalSubject;
  subjectId: string;
  accountId: string;
  usdValue: string;
  tier: number;
  required: number;
  approvedCount: number;
  status: ApprovalStatus;
  requestedBy: string;
  voters: string[];
  expiresAt: string;
  policyVersion: number;
  actor: string | null;
  traceId: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
}

/** A row of `votes`. */
export interface VoteRow {
  voteId: string;
  requestId: string;
  approverId: string;
  decision: 'APPROVE' | 'REJECT';
  reason: string | null;
  signature: string | null;
  traceId: string | null;
  decidedAt: string;
}

/** A row of `compliance_checks`. */
export interface ComplianceCheckRow {
  checkId: string;
  subjectType: 'TRANSFER';
  subjectId: string;
  accountId: string;
  kind: ComplianceKind;
  result: ComplianceResult;
  details: string;
  traceId: string | null;
  checkedAt: string;
}

export type TransferPage = Connection<TransferRow>;
export type ApprovalRequestPage = Connection<ApprovalRequestRow>;
export type ComplianceCheckPage = Connection<ComplianceCheckRow>;

export const transfers = entity<TransferRow>({
  name: 'Transfer',
  table: 'transfers',
  key: 'transfer_id',
  keyType: 'uuid',
});

export const transferList = connectionSource<TransferRow>({
  table: 'transfers',
  id: 'transfer_id',
  sorts: { CREATED_AT: 'created_at', USD_VALUE: 'usd_value', UPDATED_AT: 'updated_at' },
});

export const approvalRequests = entity<ApprovalRequestRow>({
  name: 'ApprovalRequest',
  table: 'approval_requests',
  key: 'request_id',
  keyType: 'uuid',
});

export const approvalRequestList = connectionSource<ApprovalRequestRow>({
  table: 'approval_requests',
  id: 'request_id',
  sorts: { CREATED_AT: 'created_at', EXPIRES_AT: 'expires_at', USD_VALUE: 'usd_value' },
});

export const votesOf = childList<VoteRow>({
  name: 'ApprovalRequest.votes',
  table: 'votes',
  parent: 'request_id',
  keyType: 'uuid',
  orderBy: 'decided_at',
  limit: 100,
});

export const complianceList = connectionSource<ComplianceCheckRow>({
  table: 'compliance_checks',
  id: 'check_id',
  sorts: { CHECKED_AT: 'checked_at' },
});

export function transferConditions(filter: TransferFilter | null | undefined): Sql[] {
  if (!filter) return [];
  const { accountId } = filter;
  const either =
    accountId === null || accountId === undefined
      ? []
      : [isStorable(accountId) ? sql`(from_account_id = ${accountId} or to_account_id = ${accountId})` : raw('false')];
  return [
    ...either,
    ...isOneOf('status', filter.statuses),
    ...equals('asset', filter.asset && assetCode(filter.asset, ['filter', 'asset'])),
    ...equals('requested_by', filter.requestedBy),
    ...(filter.minUsdValue ? [sql`usd_value >= ${filter.minUsdValue}::numeric`] : []),
    ...within('created_at', filter),
  ];
}

export function approvalConditions(filter: ApprovalRequestFilter | null | undefined): Sql[] {
  if (!filter) return [];
  const { forApprover } = filter;
  return [
    ...isOneOf('status', filter.statuses),
    ...equals('subject_type', filter.subject),
    ...equals('account_id', filter.accountId),
    ...equals('requested_by', filter.requestedBy),
    ...(forApprover
      ? [
          isStorable(forApprover)
            ? sql`status = 'PENDING' and requested_by <> ${forApprover} and not ${forApprover} = any(voters)`
            : raw('false'),
        ]
      : []),
    ...within('created_at', filter),
  ];
}

export function complianceConditions(filter: ComplianceCheckFilter | null | undefined): Sql[] {
  if (!filter) return [];
  return [
    ...equals('account_id', filter.accountId),
    ...equalsUuid('subject_id', filter.subjectId),
    ...equals('kind', filter.kind),
    ...equals('result', filter.result),
    ...within('checked_at', filter),
  ];
}
