/** Settlements: what is stored of them and how they are read. */
import { assetCode } from '../../../platform/asset-code.ts';
import { raw, type Sql, sql } from '../../../platform/database/sql.ts';
import { equals, equalsUuid, isOneOf, within } from '../../../platform/filters.ts';
import { childList, entity } from '../../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../../platform/paging.ts';
import { isStorable } from '../../../platform/texts.ts';
import type { Cycle, Rail } from '../calendar/business-days.ts';
import type { Context } from '../context.ts';
import type { SettlementFilter } from '../generated/resolvers.ts';
import type { SettlementStatus, SettlementType } from './lifecycle.ts';

/** A row of `settlements`. */
export interface SettlementRow {
  settlementId: string;
  externalId: string | null;
  instructionType: SettlementType;
  rail: Rail;
  cycle: Cycle;
  status: SettlementStatus;
  accountId: string;
  sourceAccountId: string;
  destinationAccountId: string;
  asset: string;
  quantity: string;
  settledQuantity: string;
  reservedQuantity: string;
  currency: string | null;
  cashAmount: string | null;
  settledCash: string;
  reservedCash: string;
  usdValue: string | null;
  tradeDate: string;
  expectedSettlementDate: string;
  dueAt: string;
  deadlineAt: string;
  venueId: string | null;
  exchangeTradeId: string | null;
  transferId: string | null;
  retryOf: string | null;
  failureReason: string | null;
  waitReason: string | null;
  actor: string | null;
  initiatedAt: string;
  startedAt: string | null;
  completedAt: string | null;
  traceId: string | null;
  createdAt: string;
  updatedAt: string;
  version: number;
}

export type SettlementPage = Connection<SettlementRow>;

export const settlements = entity<SettlementRow>({
  name: 'Settlement',
  table: 'settlements',
  key: 'settlement_id',
  keyType: 'uuid',
});

export const settlementList = connectionSource<SettlementRow>({
  table: 'settlements',
  id: 'settlement_id',
  sorts: {
    INITIATED_AT: 'initiated_at',
    EXPECTED_DATE: 'expected_settlement_date',
    QUANTITY: 'quantity',
    UPDATED_AT: 'updated_at',
  },
  parents: { account_id: 'text' },
});

/** The instructions of a trade, the one that counts last. */
export const tradeSettlements = childList<SettlementRow>({
  name: 'ExchangeTrade.settlement',
  table: 'settlements',
  parent: 'exchange_trade_id',
  keyType: 'uuid',
  orderBy: 'created_at',
  limit: 100,
});

export const isOpen: Sql = raw(`status in ('PENDING', 'IN_PROGRESS', 'PARTIALLY_SETTLED')`);

/** The account is on either side. */
export function ofAccount(accountId: string | null | undefined): Sql[] {
  if (accountId === null || accountId === undefined) return [];
  return [
    isStorable(accountId)
      ? sql`(source_account_id = ${accountId} or destination_account_id = ${accountId})`
      : raw('false'),
  ];
}

/** The conditions of a filter. Throws a validation Refusal on an asset code that is none. */
export function settlementConditions(filter: SettlementFilter | null | undefined): Sql[] {
  if (!filter) return [];
  return [
    ...ofAccount(filter.accountId),
    ...equals('client_id', filter.clientId).map(
      (theirs) => sql`account_id in (select account_id from accounts where ${theirs})`,
    ),
    ...isOneOf('status', filter.statuses),
    ...equals('instruction_type', filter.type),
    ...equals('rail', filter.rail),
    ...equals('asset', filter.asset && assetCode(filter.asset, ['filter', 'asset'])),
    ...equalsUuid('exchange_trade_id', filter.exchangeTradeId),
    ...(filter.dueBefore ? [sql`due_at < ${filter.dueBefore}::timestamptz`] : []),
    ...(filter.deadlineBefore ? [sql`deadline_at < ${filter.deadlineBefore}::timestamptz`] : []),
    ...within('initiated_at', filter),
  ];
}

/** The settlement that its giver knows by an id of its own, or null. */
export async function settlementByExternalId({ db }: Context, externalId: string): Promise<SettlementRow | null> {
  if (!isStorable(externalId)) return null;
  return db.one<SettlementRow>(sql`select * from settlements where external_id = ${externalId}`);
}
