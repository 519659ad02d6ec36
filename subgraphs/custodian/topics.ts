/** What of the custodian can be followed. */
import { raw } from '../../platform/database/sql.ts';
import type { ChangeEvent } from '../../platform/feed/row-changes.ts';
import { topic } from '../../platform/feed/topic.ts';
import type { CustodyAccountRow } from './accounts.ts';
import { type BreakRow, isOpenBreak } from './reconciliation/breaks.ts';
import { isOpen, type SettlementRow } from './settlement/settlements.ts';
import type { ApprovalRequestRow, TransferRow } from './transfer/transfers.ts';

export type CustodyAccountEvent = ChangeEvent<CustodyAccountRow>;
export type SettlementEvent = ChangeEvent<SettlementRow>;
export type TransferEvent = ChangeEvent<TransferRow>;
export type ApprovalRequestEvent = ChangeEvent<ApprovalRequestRow>;
export type ReconciliationBreakEvent = ChangeEvent<BreakRow>;

export const custodyAccountTopic = topic<CustodyAccountRow>({
  table: 'accounts',
  key: 'account_id',
  fields: { clientId: 'text' },
  mode: 'lossless',
});

export const settlementTopic = topic<SettlementRow>({
  table: 'settlements',
  key: 'settlement_id',
  fields: { accountId: 'text', exchangeTradeId: 'uuid' },
  mode: 'lossless',
  snapshot: isOpen,
});

export const transferTopic = topic<TransferRow>({
  table: 'transfers',
  key: 'transfer_id',
  fields: { fromAccountId: 'text', toAccountId: 'text' },
  mode: 'lossless',
  snapshot: raw(`status in ('REQUESTED', 'PENDING_APPROVAL', 'APPROVED', 'PROCESSING')`),
});

export const approvalRequestTopic = topic<ApprovalRequestRow>({
  table: 'approval_requests',
  key: 'request_id',
  fields: { status: 'text' },
  mode: 'lossless',
});

export const reconciliationBreakTopic = topic<BreakRow>({
  table: 'reconciliation_breaks',
  key: 'break_id',
  fields: { accountId: 'text' },
  mode: 'lossless',
  snapshot: isOpenBreak,
});
