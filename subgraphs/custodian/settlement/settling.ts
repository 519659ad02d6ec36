/** How a locked settlement is moved on: posted in part or whole, failed, cancelled. Its transfer follows. */
import { type Sql, sql } from '../../../platform/database/sql.ts';
import { type Decimal, dec } from '../../../platform/decimal.ts';
import { refuse } from '../../../platform/errors.ts';
import { isUuid } from '../../../platform/uuid.ts';
import type { Context, Tx } from '../context.ts';
import { checkOpen, holdAccount, lockHoldings } from '../locks.ts';
import { post } from '../posting.ts';
import type { EntryKind } from '../rules/entries.ts';
import { entriesOf, owedFor, partOf, placesOf, releaseEntries, reservedAfter, restOf, type Terms } from './legs.ts';
import { moveSettlement, type SettlementStatus, type SettlementType, TRANSFER_OF_SETTLEMENT } from './lifecycle.ts';

export interface LockedSettlement extends Terms {
  settlementId: string;
  type: SettlementType;
  status: SettlementStatus;
  accountId: string;
  transferId: string | null;
  dueAt: Date;
  deadlineAt: Date;
  waitReason: string | null;
  /** Trace of what changed it last. */
  traceId: string | null;
  version: number;
}

/** Locks the first settlement that the rest of the statement finds. */
export async function lockSettlementWhere(tx: Tx, rest: Sql): Promise<LockedSettlement | undefined> {
  const [row] = await tx.$queryRaw<LockedSettlement[]>(
    sql`select settlement_id as "settlementId", instruction_type as type, status, account_id as "accountId",
               source_account_id as "sourceAccountId", destination_account_id as "destinationAccountId", asset, quantity,
               settled_quantity as "settledQuantity", reserved_quantity as "reservedQuantity", currency,
               cash_amount as "cashAmount", settled_cash as "settledCash", reserved_cash as "reservedCash",
               transfer_id as "transferId", due_at as "dueAt",
               deadline_at as "deadlineAt", wait_reason as "waitReason", trace_id as "traceId", version
          from settlements ${rest}`,
  );
  return (
    row && {
      ...row,
      quantity: dec(row.quantity),
      settledQuantity: dec(row.settledQuantity),
      reservedQuantity: dec(row.reservedQuantity),
      cashAmount: row.cashAmount === null ? null : dec(row.cashAmount),
      settledCash: dec(row.settledCash),
      reservedCash: dec(row.reservedCash),
    }
  );
}

/** @throws Refusal (not found); (conflict) on another version */
export async function lockSettlement(
  tx: Tx,
  id: string,
  expectedVersion: number | null = null,
): Promise<LockedSettlement> {
  const found = isUuid(id)
    ? await lockSettlementWhere(tx, sql`where settlement_id = ${id}::uuid for no key update`)
    : undefined;
  if (!found) throw refuse.notFound('Settlement', id, ['input', 'settlementId']);
  if (expectedVersion !== null && found.version !== expectedVersion) throw refuse.conflict(found.version);
  return found;
}

const KINDS: Record<SettlementType, EntryKind> = {
  DEPOSIT: 'DEPOSIT',
  WITHDRAWAL: 'WITHDRAWAL',
  TRANSFER: 'TRANSFER',
  TRADE_SETTLEMENT: 'TRADE',
};

/** PENDING → IN_PROGRESS. */
export function start(tx: Tx, context: Context, settlement: LockedSettlement): Promise<LockedSettlement> {
  const startedAt = context.now().toISOString();
  return advance(tx, context, settlement, 'IN_PROGRESS', sql`started_at = ${startedAt}::timestamptz`);
}

/**
 * Posts that much of it, both legs at once or neither.
 * @throws Refusal (insufficient funds); (validation) when the source is frozen, or an account closed; (invalid transition)
 */
export async function settle(
  tx: Tx,
  context: Context,
  settlement: LockedSettlement,
  quantity: Decimal,
): Promise<LockedSettlement> {
  const { settlementId, sourceAccountId, destinationAccountId } = settlement;
  const part = partOf(settlement, quantity);
  const settledQuantity = settlement.settledQuantity.plus(part.quantity);
  const status = settledQuantity.eq(settlement.quantity) ? 'COMPLETED' : 'PARTIALLY_SETTLED';
  if (!(status === 'PARTIALLY_SETTLED' && settlement.status === status)) moveSettlement(settlement.status, status);
  for (const id of [sourceAccountId, destinationAccountId].sort()) {
    const account = await holdAccount(tx, id, 'settlementId');
    checkOpen(account, 'settlementId', id === destinationAccountId && settlement.currency === null);
  }
  const holdings = await lockHoldings(tx, placesOf(settlement));
  const entries = entriesOf(settlement, part, holdings);
  await post(tx, context, { kind: KINDS[settlement.type], refType: 'SETTLEMENT', refId: settlementId }, entries);
  const left = reservedAfter(settlement, part);
  const settledCash = settlement.settledCash.plus(part.cash);
  const now = context.now().toISOString();
  const moved = await advance(
    tx,
    context,
    settlement,
    status,
    sql`settled_quantity = ${settledQuantity}, settled_cash = ${settledCash},
        reserved_quantity = ${left.reservedQuantity}, reserved_cash = ${left.reservedCash},
        completed_at = case when ${status} = 'COMPLETED' then greatest(${now}::timestamptz, initiated_at) end`,
  );
  return { ...moved, settledQuantity, settledCash, ...left };
}

/** Ends it without what is left of it: FAILED or CANCELLED. What it had reserved is available again. */
export async function giveUp(
  tx: Tx,
  context: Context,
  settlement: LockedSettlement,
  status: 'FAILED' | 'CANCELLED',
  reason: string | null,
): Promise<void> {
  moveSettlement(settlement.status, status);
  const entries = releaseEntries(settlement);
  if (entries.length > 0) {
    await lockHoldings(tx, owedFor(settlement, restOf(settlement)));
    await post(tx, context, { kind: 'RELEASE', refType: 'SETTLEMENT', refId: settlement.settlementId }, entries);
  }
  const failure = status === 'FAILED' ? reason : null;
  await advance(
    tx,
    context,
    settlement,
    status,
    sql`failure_reason = ${failure}, reserved_quantity = 0, reserved_cash = 0`,
  );
}

async function advance(
  tx: Tx,
  context: Context,
  settlement: LockedSettlement,
  status: SettlementStatus,
  changes: Sql,
): Promise<LockedSettlement> {
  const { settlementId, transferId } = settlement;
  if (status !== settlement.status) moveSettlement(settlement.status, status);
  await tx.$executeRaw(
    sql`update settlements set status = ${status}, wait_reason = null, trace_id = ${context.traceId}, ${changes}
         where settlement_id = ${settlementId}::uuid`,
  );
  if (transferId !== null) await moveTransfer(tx, context, transferId, settlementId, status);
  return { ...settlement, status };
}

/** The transfer's state follows its settlement's. */
async function moveTransfer(
  tx: Tx,
  { traceId, now }: Context,
  transferId: string,
  settlementId: string,
  settled: SettlementStatus,
): Promise<void> {
  const status = TRANSFER_OF_SETTLEMENT[settled];
  await tx.$executeRaw(
    sql`update transfers
           set status = ${status}, trace_id = ${traceId},
               completed_at = case when ${status} = 'COMPLETED' then ${now().toISOString()}::timestamptz end,
               failure_reason = (select failure_reason from settlements where settlement_id = ${settlementId}::uuid)
         where transfer_id = ${transferId}::uuid and settlement_id = ${settlementId}::uuid and status <> ${status}`,
  );
}
