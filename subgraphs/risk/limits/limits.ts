/** Limits: what is stored of them and how they are read. */
import { raw, type Sql, sql } from '../../../platform/database/sql.ts';
import { dec } from '../../../platform/decimal.ts';
import { stored } from '../../../platform/enums.ts';
import { equals, equalsSymbol, is, within } from '../../../platform/filters.ts';
import { childList, entity } from '../../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../../platform/paging.ts';
import type { RiskLimitFilter } from '../generated/resolvers.ts';
import { accountReference, assetCode } from '../references.ts';
import type { Direction, LimitTerms, LimitType } from '../rules/limit-terms.ts';

/** A row of `risk_limits`. */
export interface RiskLimitRow {
  limitId: string;
  limitType: LimitType;
  direction: Direction;
  thresholdValue: string;
  warningValue: string | null;
  instrumentId: string | null;
  asset: string | null;
  accountId: string | null;
  strategyId: string | null;
  globalLimit: boolean;
  enabled: boolean;
  description: string | null;
  effectiveFrom: string | null;
  effectiveTo: string | null;
  author: string;
  approvedBy: string | null;
  traceId: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
}

/** A row of `limit_versions`. */
export interface LimitVersionRow {
  versionId: string;
  limitId: string;
  limitVersion: number;
  thresholdValue: string;
  warningValue: string | null;
  enabled: boolean;
  description: string | null;
  author: string;
  approvedBy: string | null;
  changedAt: string;
}

/** A row of `limit_changes`. */
export interface LimitChangeRow {
  changeId: string;
  limitId: string;
  limitVersion: number;
  thresholdValue: string;
  warningValue: string | null;
  enabled: boolean;
  status: 'pending' | 'approved' | 'rejected';
  requestedBy: string;
  decidedBy: string | null;
  decidedAt: string | null;
  reason: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
}

export type RiskLimitPage = Connection<RiskLimitRow>;
export type LimitVersionPage = Connection<LimitVersionRow>;
export type LimitChangePage = Connection<LimitChangeRow>;

/** A limit as it is measured: its row, and its terms as numbers. */
export interface Limit extends LimitTerms {
  row: RiskLimitRow;
}

export const limits = entity<RiskLimitRow>({
  name: 'RiskLimit',
  table: 'risk_limits',
  key: 'limit_id',
  keyType: 'text',
});

export const limitChanges = entity<LimitChangeRow>({
  name: 'LimitChange',
  table: 'limit_changes',
  key: 'change_id',
  keyType: 'uuid',
});

const LIMITS_OF_INSTRUMENT = 100;

export const limitsOfInstrument = childList<RiskLimitRow>({
  name: 'limits of an instrument',
  table: 'risk_limits',
  parent: 'instrument_id',
  keyType: 'text',
  orderBy: 'created_at',
  limit: LIMITS_OF_INSTRUMENT,
});

/** The latest come last; one at most is pending. */
export const changesOfLimit = childList<LimitChangeRow>({
  name: 'changes of a limit',
  table: 'limit_changes',
  parent: 'limit_id',
  keyType: 'text',
  orderBy: 'status',
  limit: 1_000,
});

export const limitList = connectionSource<RiskLimitRow>({
  table: 'risk_limits',
  id: 'limit_id',
  sorts: { CREATED_AT: 'created_at', TYPE: 'limit_type' },
});

export const versionList = connectionSource<LimitVersionRow>({
  table: 'limit_versions',
  id: 'version_id',
  sorts: { VERSION: 'limit_version' },
});

export const changeList = connectionSource<LimitChangeRow>({
  table: 'limit_changes',
  id: 'change_id',
  sorts: { CREATED_AT: 'created_at' },
});

/** The conditions of a filter. Throws a validation Refusal on a symbol, asset or account that is none. */
export function limitConditions(filter: RiskLimitFilter | null | undefined): Sql[] {
  if (!filter) return [];
  const { type, symbol, asset, accountId, strategyId, isGlobal, isEnabled } = filter;
  return [
    ...equals('limit_type', type && stored(type)),
    ...equalsSymbol('instrument_id', symbol),
    ...equals('asset', asset && assetCode(asset, ['filter', 'asset'])),
    ...equals('account_id', accountId && accountReference(accountId, ['filter', 'accountId'])),
    ...equals('strategy_id', strategyId),
    ...is('global_limit', isGlobal),
    ...is('enabled', isEnabled),
    ...within('created_at', filter),
  ];
}

export const allEnabled: Sql = sql`select * from risk_limits where ${raw('enabled')} order by created_at, limit_id`;

/** A row as its terms are computed with. */
export function limitOf(row: RiskLimitRow): Limit {
  return {
    row,
    limitType: row.limitType,
    direction: row.direction,
    thresholdValue: dec(row.thresholdValue),
    warningValue: row.warningValue === null ? null : dec(row.warningValue),
    instrumentId: row.instrumentId,
    asset: row.asset,
    accountId: row.accountId,
    strategyId: row.strategyId,
  };
}

/** Whether the limit is in force at the instant. */
export function isInForce({ enabled, effectiveFrom, effectiveTo }: RiskLimitRow, now: Date): boolean {
  const at = now.getTime();
  return (
    enabled &&
    (effectiveFrom === null || Date.parse(effectiveFrom) <= at) &&
    (effectiveTo === null || at < Date.parse(effectiveTo))
  );
}
