/** How instructions come to be: from a caller, from a transfer that was approved, from a trade at the exchange. */
import { sql } from '../../../platform/database/sql.ts';
import { type Decimal, dec } from '../../../platform/decimal.ts';
import { refuse } from '../../../platform/errors.ts';
import { type Calendars, expectedSettlement, type Rail, regionsOf } from '../calendar/business-days.ts';
import type { Context, Tx } from '../context.ts';
import { checkOpen, holdAccount, type LockedAccount, type LockedHoldings, lockHoldings } from '../locks.ts';
import { post } from '../posting.ts';
import { checkSameSide } from '../rules/account-lifecycle.ts';
import { EXTERNAL_ACCOUNT_ID } from '../rules/ids.ts';
import { owedFor, reserveEntries, restOf, type Terms } from './legs.ts';
import type { SettlementType } from './lifecycle.ts';

/** An instruction, before it is stored. */
export interface Instruction {
  externalId?: string | null;
  type: SettlementType;
  accountId: string;
  sourceAccountId: string;
  destinationAccountId: string;
  asset: string;
  quantity: Decimal;
  currency: string | null;
  cashAmount: Decimal | null;
  rail: Rail;
  usdValue: Decimal | null;
  at: Date;
  /** It is not worked on before. @default its rail's */
  notBefore?: Date;
  venueId?: string;
  exchangeTradeId?: string;
  transferId?: string;
  retryOf?: string;
  /**
   * Whether what it takes must be there: `all`, or it is refused; `if there`, for what has been traded and must be settled
   * anyway; `already`, for what a transfer has set aside. @default all
   */
  reserve?: 'all' | 'if there' | 'already';
}

/**
 * Stores an instruction and sets aside what it will take. Its accounts and holdings are locked within; its assets must be
 * known. Gives null when one of that external id, trade or retry is there.
 */
export async function instruct(
  tx: Tx,
  context: Context,
  instruction: Instruction,
  calendars: Calendars,
): Promise<string | null> {
  const { sourceAccountId, destinationAccountId, at, rail, reserve = 'all' } = instruction;
  const ids = [sourceAccountId, destinationAccountId].sort();
  const held: LockedAccount[] = [];
  for (const id of ids) held.push(await holdAccount(tx, id));
  const [source, destination] = (sourceAccountId === ids[0] ? held : held.reverse()) as [LockedAccount, LockedAccount];
  if (reserve === 'all') {
    checkOpen(source, 'accountId');
    checkOpen(destination, 'accountId', true);
    checkSameSide(source.kind, destination.kind);
  }

  const regions = regionsOf(await jurisdictionsOf(tx, ids));
  const expected = expectedSettlement(rail, at, regions, calendars);
  const dueAt = later(expected.dueAt, instruction.notBefore);
  const deadlineAt = later(expected.deadlineAt, dueAt);
  const terms = newTerms(instruction);
  const holdings = await lockHoldings(tx, owedFor(terms, restOf(terms)));
  const reserved = reserve === 'already' ? owedInFull(terms) : reserveOf(terms, holdings, reserve === 'all');

  const [stored] = await tx.$queryRaw<{ settlementId: string }[]>(
    sql`insert into settlements (
          external_id, instruction_type, rail, cycle, account_id, source_account_id, destination_account_id, asset,
          quantity, reserved_quantity, currency, cash_amount, reserved_cash, usd_value, trade_date,
          expected_settlement_date, due_at, deadline_at, venue_id, exchange_trade_id, transfer_id, retry_of,
          initiated_at, trace_id)
        values (
          ${instruction.externalId ?? null}, ${instruction.type}, ${rail}, ${expected.cycle}, ${instruction.accountId},
          ${sourceAccountId}, ${destinationAccountId}, ${terms.asset}, ${terms.quantity}, ${reserved.reservedQuantity},
          ${terms.currency}, ${terms.cashAmount}, ${reserved.reservedCash}, ${instruction.usdValue},
          ${expected.tradeDate}::date, ${expected.date}::date, ${dueAt.toISOString()}::timestamptz,
          ${deadlineAt.toISOString()}::timestamptz, ${instruction.venueId ?? null},
          ${instruction.exchangeTradeId ?? null}::uuid, ${instruction.transferId ?? null}::uuid,
          ${instruction.retryOf ?? null}::uuid, ${at.toISOString()}::timestamptz, ${context.traceId})
        on conflict do nothing
        returning settlement_id as "settlementId"`,
  );
  if (!stored) return null;
  const { settlementId } = stored;
  const entries = reserve === 'already' ? [] : reserveEntries({ ...terms, ...reserved });
  if (entries.length > 0) {
    await post(tx, context, { kind: 'RESERVE', refType: 'SETTLEMENT', refId: settlementId }, entries);
  }
  return settlementId;
}

function newTerms(instruction: Instruction): Terms {
  const { sourceAccountId, destinationAccountId, asset, quantity, currency, cashAmount } = instruction;
  const zero = dec(0);
  const none = { settledQuantity: zero, reservedQuantity: zero, settledCash: zero, reservedCash: zero };
  return { sourceAccountId, destinationAccountId, asset, quantity, currency, cashAmount, ...none };
}

type Reserve = Pick<Terms, 'reservedQuantity' | 'reservedCash'>;

/** All that its payers owe, those of the world outside apart. */
function owedInFull(terms: Terms): Reserve {
  const [delivery, payment] = owedFor(terms, restOf(terms)).map(({ accountId, amount }) =>
    accountId === EXTERNAL_ACCOUNT_ID ? dec(0) : amount,
  );
  return { reservedQuantity: delivery ?? dec(0), reservedCash: payment ?? dec(0) };
}

function reserveOf(terms: Terms, holdings: LockedHoldings, mustBeThere: boolean): Reserve {
  const wanted = owedInFull(terms);
  for (const { accountId, asset, amount } of owedFor(terms, restOf(terms))) {
    if (accountId === EXTERNAL_ACCOUNT_ID) continue;
    const { available } = holdings(accountId, asset);
    if (available.gte(amount)) continue;
    if (mustBeThere) throw refuse.insufficientFunds(asset, available, amount, ['input']);
    return { reservedQuantity: dec(0), reservedCash: dec(0) };
  }
  return wanted;
}

export async function jurisdictionsOf(tx: Tx, accountIds: readonly string[]): Promise<(string | null)[]> {
  const rows = await tx.account.findMany({
    where: { accountId: { in: [...accountIds] } },
    select: { jurisdiction: true },
  });
  return rows.map(({ jurisdiction }) => jurisdiction);
}

function later(one: Date, other: Date | undefined): Date {
  return other && other > one ? other : one;
}
