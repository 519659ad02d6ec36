/** What people do with settlements: initiate, start, complete, fail, cancel, try again. */
import { assetCode } from '../../../platform/asset-code.ts';
import { beforehand, type CommandPayload, command } from '../../../platform/command.ts';
import { sql } from '../../../platform/database/sql.ts';
import { type Decimal, dec, toWire } from '../../../platform/decimal.ts';
import { refuse } from '../../../platform/errors.ts';
import { boundedText } from '../../../platform/texts.ts';
import { requireAsset } from '../assets.ts';
import { readCalendars } from '../calendar/calendars.ts';
import type { Context, Tx } from '../context.ts';
import type {
  CancelSettlementInput,
  CompleteSettlementInput,
  FailSettlementInput,
  InitiateSettlementInput,
  RetrySettlementInput,
  StartSettlementInput,
} from '../generated/resolvers.ts';
import { readUsdPrices, usdValue } from '../prices.ts';
import { EXTERNAL_ACCOUNT_ID, positiveAmount, REASON_LENGTH } from '../rules/ids.ts';
import { checkNoStop } from '../transfer/stops.ts';
import { type Instruction, instruct } from './instructing.ts';
import { restOf } from './legs.ts';
import { leaves } from './lifecycle.ts';
import { giveUp, type LockedSettlement, lockSettlement, settle, start } from './settling.ts';

export type SettlementPayload = CommandPayload<{ settlementId: string; isNew: boolean }>;

/** A single settlement or transfer, in US dollars. */
export const VALUE_LIMIT = dec('10000000');

const EXTERNAL_ID_LENGTH = 100;

/** Stores an instruction and reserves what it will take; one of the same external id is given as it is. */
export async function initiateSettlement(context: Context, input: InitiateSettlementInput): Promise<SettlementPayload> {
  const remember = await requireAsset(context, input.asset);
  const rememberCurrency = input.currency ? await requireAsset(context, input.currency) : null;
  const value = await beforehand(context.domain, () => worthOf(context, input.asset, dec(input.quantity)));
  const calendars = await beforehand(context.domain, () => readCalendars(context));
  return command(context, 'initiateSettlement', input, async (tx) => {
    const instruction = readInstruction(input, context.now());
    const existing = await existingOf(tx, instruction);
    if (existing) return { settlementId: existing, isNew: false };
    await remember(tx);
    await rememberCurrency?.(tx);
    const settlementId = await instruct(tx, context, { ...instruction, usdValue: value() }, calendars());
    if (settlementId) return { settlementId, isNew: true };
    const meanwhile = await existingOf(tx, instruction);
    if (!meanwhile) throw refuse.conflict(null, 'Another instruction stands in its place.');
    return { settlementId: meanwhile, isNew: false };
  });
}

/**
 * What that much of the asset is worth in US dollars.
 * @throws Refusal (validation) when nobody knows its price, or it is more than one settlement may be; (domain unavailable)
 */
export async function worthOf(context: Context, asset: string, quantity: Decimal): Promise<Decimal> {
  const code = assetCode(asset);
  const price = (await readUsdPrices(context.graph, [code])).get(code);
  if (!price) {
    throw refuse.validation(`There is no price of ${code} in US dollars, by which to tell its worth.`, [
      'input',
      'asset',
    ]);
  }
  const value = usdValue(quantity, price);
  if (value.gt(VALUE_LIMIT)) {
    const message = `It is worth ${toWire(value)} US dollars; one settlement is at most ${toWire(VALUE_LIMIT)}.`;
    throw refuse.validation(message, ['input']);
  }
  return value;
}

function readInstruction(input: InitiateSettlementInput, at: Date): Instruction {
  const { type, accountId, counterpartyAccountId = null, externalId = null, rail = 'CRYPTO_INTERNAL' } = input;
  const quantity = positiveAmount(input.quantity, ['input', 'quantity']);
  const asset = assetCode(input.asset);
  const { currency = null, cashAmount = null } = input;
  if ((currency === null) !== (cashAmount === null)) {
    throw refuse.validation('A payment has a currency and an amount.', ['input', 'cashAmount']);
  }
  const payment =
    currency === null || cashAmount === null
      ? { currency: null, cashAmount: null }
      : {
          currency: assetCode(currency, ['input', 'currency']),
          cashAmount: positiveAmount(cashAmount, ['input', 'cashAmount']),
        };
  if (payment.currency === asset) throw refuse.validation('It is not paid for with itself.', ['input', 'currency']);
  return {
    externalId: externalId === null ? null : boundedText(externalId, EXTERNAL_ID_LENGTH, ['input', 'externalId']),
    type,
    accountId,
    ...endsOf(type, accountId, counterpartyAccountId),
    asset,
    quantity,
    ...payment,
    rail,
    usdValue: null,
    at,
  };
}

function endsOf(type: InitiateSettlementInput['type'], accountId: string, counterparty: string | null) {
  const path = ['input', 'counterpartyAccountId'];
  if ((type === 'TRANSFER') !== (counterparty !== null)) {
    throw refuse.validation('A TRANSFER, and nothing else, has a counterparty.', path);
  }
  const other = counterparty ?? EXTERNAL_ACCOUNT_ID;
  if (other === accountId) throw refuse.validation('Source and destination must differ.', path);
  return type === 'DEPOSIT'
    ? { sourceAccountId: other, destinationAccountId: accountId }
    : { sourceAccountId: accountId, destinationAccountId: other };
}

/** The instruction of the same external id; another content under it is a Conflict. */
async function existingOf(tx: Tx, instruction: Instruction): Promise<string | null> {
  const { externalId = null } = instruction;
  if (externalId === null) return null;
  const kept = await tx.settlement.findUnique({ where: { externalId } });
  if (!kept) return null;
  const isSame =
    kept.instructionType === instruction.type &&
    kept.sourceAccountId === instruction.sourceAccountId &&
    kept.destinationAccountId === instruction.destinationAccountId &&
    kept.asset === instruction.asset &&
    dec(kept.quantity).eq(instruction.quantity) &&
    kept.currency === instruction.currency &&
    (kept.cashAmount === null ? instruction.cashAmount === null : dec(kept.cashAmount).eq(instruction.cashAmount ?? 0));
  if (isSame) return kept.settlementId;
  const message = `There is another settlement with the external id "${externalId}".`;
  throw refuse.conflict(null, message, ['input', 'externalId']);
}

/** Pending → in progress. */
export function startSettlement(context: Context, input: StartSettlementInput): Promise<SettlementPayload> {
  return onLocked(context, 'startSettlement', input, async (tx, settlement) => {
    await checkMayLeave(tx, settlement);
    await start(tx, context, settlement);
  });
}

/** In progress → completed, or settled in part; what is completed already is given as it is. */
export function completeSettlement(context: Context, input: CompleteSettlementInput): Promise<SettlementPayload> {
  return onLocked(context, 'completeSettlement', input, async (tx, settlement) => {
    if (settlement.status === 'COMPLETED') return;
    const rest = restOf(settlement).quantity;
    const quantity = input.quantity ? positiveAmount(input.quantity, ['input', 'quantity']) : rest;
    if (quantity.gt(rest)) {
      const message = `${toWire(rest)} are left to settle, fewer than ${toWire(quantity)}.`;
      throw refuse.validation(message, ['input', 'quantity']);
    }
    await checkMayLeave(tx, settlement);
    await settle(tx, context, settlement, quantity);
  });
}

async function checkMayLeave(tx: Tx, { type, sourceAccountId, destinationAccountId }: LockedSettlement): Promise<void> {
  if (leaves(type)) await checkNoStop(tx, sourceAccountId, destinationAccountId);
}

/** Open → failed. */
export function failSettlement(context: Context, input: FailSettlementInput): Promise<SettlementPayload> {
  const reason = input.reason;
  return onLocked(context, 'failSettlement', input, (tx, settlement) =>
    giveUp(tx, context, settlement, 'FAILED', boundedText(reason, REASON_LENGTH, ['input', 'reason'])),
  );
}

/** Pending → cancelled. */
export function cancelSettlement(context: Context, input: CancelSettlementInput): Promise<SettlementPayload> {
  return onLocked(context, 'cancelSettlement', input, async (tx, settlement) => {
    if (settlement.type === 'TRADE_SETTLEMENT') {
      const message = 'What has been traded must be settled. Let it fail, and try it again.';
      throw refuse.validation(message, ['input', 'settlementId']);
    }
    await giveUp(tx, context, settlement, 'CANCELLED', null);
  });
}

/** A new instruction for what a failed one left. A transfer is asked for anew instead: its approvals were for once. */
export async function retrySettlement(context: Context, input: RetrySettlementInput): Promise<SettlementPayload> {
  const calendars = await beforehand(context.domain, () => readCalendars(context));
  return command(context, 'retrySettlement', input, async (tx) => {
    const path = ['input', 'settlementId'];
    const failed = await lockSettlement(tx, input.settlementId);
    if (failed.status !== 'FAILED') {
      throw refuse.validation(`The settlement is ${failed.status}; only a FAILED one is tried again.`, path);
    }
    if (failed.transferId !== null) {
      throw refuse.validation('A transfer needs new approvals: request it again.', path);
    }
    const kept = await tx.settlement.findUniqueOrThrow({ where: { settlementId: failed.settlementId } });
    const rest = restOf(failed);
    const settlementId = await instruct(
      tx,
      context,
      {
        type: failed.type,
        accountId: failed.accountId,
        sourceAccountId: failed.sourceAccountId,
        destinationAccountId: failed.destinationAccountId,
        asset: failed.asset,
        quantity: rest.quantity,
        currency: rest.cash.isZero() ? null : failed.currency,
        cashAmount: rest.cash.isZero() ? null : rest.cash,
        rail: kept.rail as Instruction['rail'],
        usdValue: kept.usdValue === null ? null : dec(kept.usdValue),
        at: context.now(),
        retryOf: failed.settlementId,
        ...(kept.venueId !== null && { venueId: kept.venueId }),
        ...(kept.exchangeTradeId !== null && { exchangeTradeId: kept.exchangeTradeId }),
      },
      calendars(),
    );
    if (!settlementId) throw refuse.conflict(null, 'The settlement has been tried again already.', path);
    return { settlementId, isNew: true };
  });
}

interface SettlementInput {
  settlementId: string;
  actor?: string | null | undefined;
  expectedVersion?: number | null | undefined;
  idempotencyKey?: string | null | undefined;
}

function onLocked(
  context: Context,
  operation: string,
  input: SettlementInput,
  work: (tx: Tx, settlement: LockedSettlement) => Promise<unknown>,
): Promise<SettlementPayload> {
  return command(context, operation, input, async (tx) => {
    const settlement = await lockSettlement(tx, input.settlementId, input.expectedVersion ?? null);
    const { settlementId } = settlement;
    if (input.actor) {
      const actor = boundedText(input.actor, 255, ['input', 'actor']);
      if (settlement.status !== 'COMPLETED' && settlement.status !== 'FAILED' && settlement.status !== 'CANCELLED') {
        await tx.$executeRaw(sql`update settlements set actor = ${actor} where settlement_id = ${settlementId}::uuid`);
      }
    }
    await work(tx, settlement);
    return { settlementId, isNew: false };
  });
}
