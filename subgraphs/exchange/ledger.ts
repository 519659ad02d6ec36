/** The ledger: what is stored of it and how it is read. */
import type { Sql } from '../../platform/database/sql.ts';
import { equals, equalsUuid, within } from '../../platform/filters.ts';
import { type Connection, connectionSource } from '../../platform/paging.ts';
import { equalsAsset } from './filters.ts';
import type { LedgerEntryFilter } from './generated/resolvers.ts';
import type { Bucket, EntryKind, RefType } from './rules/settlement.ts';

/** A row of `ledger_entries`. */
export interface LedgerEntryRow {
  entryId: string;
  postingId: string;
  accountId: string;
  asset: string;
  bucket: Bucket;
  /** Signed. */
  amount: string;
  kind: EntryKind;
  refType: RefType;
  refId: string;
  traceId: string | null;
  createdAt: string;
}

export type LedgerEntryPage = Connection<LedgerEntryRow>;

export const ledgerList = connectionSource<LedgerEntryRow>({
  table: 'ledger_entries',
  id: 'entry_id',
  sorts: { CREATED_AT: 'created_at' },
  parents: { account_id: 'uuid' },
});

/** The conditions of a filter. Throws a validation Refusal on an asset code that is none. */
export function ledgerConditions(filter: LedgerEntryFilter | null | undefined): Sql[] {
  if (!filter) return [];
  return [
    ...equalsAsset('asset', filter.asset),
    ...equals('kind', filter.kind),
    ...equals('bucket', filter.bucket),
    ...equalsUuid('posting_id', filter.postingId),
    ...equals('ref_id', filter.refId),
    ...within('created_at', filter),
  ];
}
