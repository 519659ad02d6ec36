/** Runs and breaks: what is stored of them and how they are read. */
import { assetCode } from '../../../platform/asset-code.ts';
import { raw, type Sql } from '../../../platform/database/sql.ts';
import { equals, equalsUuid, isOneOf, within } from '../../../platform/filters.ts';
import { entity } from '../../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../../platform/paging.ts';
import type { ReconciliationBreakFilter, ReconciliationRunFilter } from '../generated/resolvers.ts';
import type { BreakKind, BreakLevel, BreakStatus } from './comparing.ts';

/** A row of `reconciliation_runs`. */
export interface RunRow {
  runId: string;
  scope: 'ALL' | 'ACCOUNT';
  accountId: string | null;
  status: 'RUNNING' | 'BALANCED' | 'BREAKS_FOUND' | 'FAILED';
  checked: number;
  matched: number;
  breakCount: number;
  toleranceUsd: string;
  failureReason: string | null;
  actor: string | null;
  startedAt: string;
  finishedAt: string | null;
  traceId: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
}

/** A row of `reconciliation_breaks`. */
export interface BreakRow {
  breakId: string;
  runId: string;
  venueId: string;
  accountId: string;
  asset: string;
  internalAmount: string;
  inFlightAmount: string;
  externalAmount: string;
  difference: string;
  usdDifference: string | null;
  kind: BreakKind;
  level: BreakLevel;
  status: BreakStatus;
  assignee: string | null;
  resolution: string | null;
  reopenedCount: number;
  actor: string | null;
  openedAt: string;
  resolvedAt: string | null;
  traceId: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
}

export type RunPage = Connection<RunRow>;
export type BreakPage = Connection<BreakRow>;

export const runs = entity<RunRow>({
  name: 'ReconciliationRun',
  table: 'reconciliation_runs',
  key: 'run_id',
  keyType: 'uuid',
});

export const runList = connectionSource<RunRow>({
  table: 'reconciliation_runs',
  id: 'run_id',
  sorts: { STARTED_AT: 'started_at' },
});

export const breaks = entity<BreakRow>({
  name: 'ReconciliationBreak',
  table: 'reconciliation_breaks',
  key: 'break_id',
  keyType: 'uuid',
});

export const breakList = connectionSource<BreakRow>({
  table: 'reconciliation_breaks',
  id: 'break_id',
  sorts: { OPENED_AT: 'opened_at', UPDATED_AT: 'updated_at' },
  parents: { account_id: 'text' },
});

export const isOpenBreak: Sql = raw(`status in ('OPEN', 'INVESTIGATING')`);

export function breakConditions(filter: ReconciliationBreakFilter | null | undefined): Sql[] {
  if (!filter) return [];
  return [
    ...equals('account_id', filter.accountId),
    ...equals('venue_id', filter.venueId),
    ...equals('asset', filter.asset && assetCode(filter.asset, ['filter', 'asset'])),
    ...equals('kind', filter.kind),
    ...equals('level', filter.level),
    ...isOneOf('status', filter.statuses),
    ...equals('assignee', filter.assignee),
    ...equalsUuid('run_id', filter.runId),
    ...within('opened_at', filter),
  ];
}

export function runConditions(filter: ReconciliationRunFilter | null | undefined): Sql[] {
  if (!filter) return [];
  return [
    ...equals('account_id', filter.accountId),
    ...equals('status', filter.status),
    ...within('started_at', filter),
  ];
}
