/** The ledger and the audit trail: what is stored of them and how they are read. */
import { assetCode } from '../../platform/asset-code.ts';
import type { Sql } from '../../platform/database/sql.ts';
import { equals, equalsUuid, within } from '../../platform/filters.ts';
import { type Connection, connectionSource } from '../../platform/paging.ts';
import type { CustodyAuditFilter, CustodyLedgerFilter, CustodySubject } from './generated/resolvers.ts';
import type { Bucket, EntryKind, RefType } from './rules/entries.ts';

/** A row of `ledger_entries`. */
export interface LedgerEntryRow {
  entryId: string;
  postingId: string;
  accountId: string;
  asset: string;
  bucket: Bucket;
  /** Signed. */
  amount: string;
  unitCost: string | null;
  kind: EntryKind;
  refType: RefType;
  refId: string;
  traceId: string | null;
  createdAt: string;
}

/** A row of `audit_trail`. */
export interface AuditEntryRow {
  entryId: string;
  subjectType: CustodySubject;
  subjectId: string;
  accountId: string | null;
  fromStatus: string | null;
  toStatus: string;
  actor: string | null;
  reason: string | null;
  traceId: string | null;
  at: string;
}

export type LedgerEntryPage = Connection<LedgerEntryRow>;
export type AuditEntryPage = Connection<AuditEntryRow>;

export const ledgerList = connectionSource<LedgerEntryRow>({
  table: 'ledger_entries',
  id: 'entry_id',
  sorts: { CREATED_AT: 'created_at' },
  parents: { account_id: 'text' },
});

export const auditList = connectionSource<AuditEntryRow>({
  table: 'audit_trail',
  id: 'entry_id',
  sorts: { AT: 'at' },
});

/** The conditions of a filter. Throws a validation Refusal on an asset code that is none. */
export function ledgerConditions(filter: CustodyLedgerFilter | null | undefined): Sql[] {
  if (!filter) return [];
  return [
    ...equals('account_id', filter.accountId),
    ...equals('asset', filter.asset && assetCode(filter.asset, ['filter', 'asset'])),
    ...equals('kind', filter.kind),
    ...equalsUuid('posting_id', filter.postingId),
    ...equals('ref_id', filter.refId),
    ...within('created_at', filter),
  ];
}

export function auditConditions(filter: CustodyAuditFilter | null | undefined): Sql[] {
  if (!filter) return [];
  return [
    ...equals('account_id', filter.accountId),
    ...equals('subject_type', filter.subject),
    ...equals('subject_id', filter.subjectId),
    ...equals('actor', filter.actor),
    ...within('at', filter),
  ];
}
