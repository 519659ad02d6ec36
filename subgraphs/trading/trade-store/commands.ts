/** Opening, adjusting and closing managed trades by hand. What fills do is in order-trades.ts. */
import { beforehand, type CommandPayload, command } from '../../../platform/command.ts';
import { sql } from '../../../platform/database/sql.ts';
import { type Decimal, dec } from '../../../platform/decimal.ts';
import { stored } from '../../../platform/enums.ts';
import { refuse } from '../../../platform/errors.ts';
import { normaliseSymbol } from '../../../platform/symbols.ts';
import { boundedText, storableJson } from '../../../platform/texts.ts';
import { isUuid } from '../../../platform/uuid.ts';
import type { Context, Tx } from '../context.ts';
import type { AdjustManagedTradeInput, CloseManagedTradeInput, OpenManagedTradeInput } from '../generated/resolvers.ts';
import { requireAccount, requireInstruments } from '../references.ts';
import { AMOUNT_LIMIT, amountFromZero, positiveAmount } from '../rules/amounts.ts';
import { pastInstant } from '../rules/instants.ts';
import { ID_LENGTH, NAME_LENGTH } from '../rules/texts.ts';
import { journal } from './backends/journal.ts';
import type { ManagedTrade } from './rules/managed-trade.ts';
import { amount } from './rules/results.ts';
import { type Adjustments, adjust, close, exitPart, seen, type TradeTerms } from './rules/steps.ts';
import { readTerms } from './terms-input.ts';
import { type TradeStore, tradeStore } from './trade-store.ts';

export type ManagedTradePayload = CommandPayload<{ tradeId: string }>;

/** Inserts an open trade that no order has opened. Its instrument, its account and its strategy must exist. */
export async function openManagedTrade(context: Context, input: OpenManagedTradeInput): Promise<ManagedTradePayload> {
  const checked = await beforehand(context.domain, async () => {
    const terms = newTerms(input, context.now());
    await Promise.all([
      requireInstruments(context.graph, [terms.symbol], 'symbol'),
      terms.accountId !== null && requireAccount(context.graph, terms.accountId),
    ]);
    return terms;
  });
  return command(context, 'openManagedTrade', input, async (tx) => {
    const terms = checked();
    const { accountId, maxLeverage } = await ownerOf(tx, terms);
    if (maxLeverage !== null && dec(terms.leverage).gt(maxLeverage)) throw tooMuchLeverage(terms.leverage, maxLeverage);
    await checkNoOrder(tx, terms.tradeId);
    const store = await storeIn(context, tx);
    const { tradeId } = await store.saveNewTrade({ ...terms, accountId });
    return { tradeId };
  });
}

function newTerms(input: OpenManagedTradeInput, now: Date) {
  const { tradeId = null, strategyId = null, accountId = null, venue = null } = input;
  if (accountId !== null && strategyId !== null) {
    throw refuse.validation('Give the strategy or the account, not both: the strategy has its own.', [
      'input',
      'accountId',
    ]);
  }
  if (accountId !== null && !isUuid(accountId)) {
    throw refuse.validation(`accountId must be a UUID, but got "${accountId}".`, ['input', 'accountId']);
  }
  return {
    ...readTerms(input, ['input']),
    tradeId: tradeId === null ? crypto.randomUUID() : boundedText(tradeId, ID_LENGTH, ['input', 'tradeId']),
    strategyId: strategyId === null ? null : boundedText(strategyId, ID_LENGTH, ['input', 'strategyId']),
    accountId: accountId === null ? null : accountId.toLowerCase(),
    symbol: normaliseSymbol(input.symbol),
    side: stored(input.side),
    quantity: positiveAmount(input.quantity, ['input', 'quantity']).toFixed(),
    entryPrice: positiveAmount(input.entryPrice, ['input', 'entryPrice']).toFixed(),
    entryTime: pastInstant(input.enteredAt ?? now.toISOString(), now, ['input', 'enteredAt']),
    entryFeeUsd: amountFromZero(input.entryFee ?? '0', ['input', 'entryFee']).toFixed(),
    venueId: venue === null ? null : boundedText(venue, NAME_LENGTH, ['input', 'venue']),
  } satisfies TradeTerms;
}

/** The strategy's account and limit; of a trade without a strategy what was given. */
async function ownerOf(tx: Tx, { strategyId, accountId }: Pick<ManagedTrade, 'strategyId' | 'accountId'>) {
  if (strategyId === null) return { accountId, maxLeverage: null };
  const [strategy] = await tx.$queryRaw<{ accountId: string; maxLeverage: Decimal | null }[]>(
    sql`select account_id as "accountId", max_leverage as "maxLeverage" from strategies where strategy_id = ${strategyId}`,
  );
  if (!strategy) throw refuse.notFound('Strategy', strategyId, ['input', 'strategyId']);
  return strategy;
}

export function tooMuchLeverage(leverage: string, limit: Decimal) {
  return refuse.validation(
    `leverage must be at most the strategy's maxLeverage, ${limit.toFixed()}, but got ${leverage}.`,
    ['input', 'leverage'],
  );
}

/** A trade that fills open has its order's id. */
async function checkNoOrder(tx: Tx, tradeId: string): Promise<void> {
  const orders = await tx.$queryRaw<unknown[]>(sql`select from all_orders where order_id = ${tradeId}`);
  if (orders.length === 0) return;
  throw refuse.conflict(null, `"${tradeId}" is an order's id: its fills open the managed trade.`, ['input', 'tradeId']);
}

/** Changes an open trade: all that is given, or nothing. */
export function adjustManagedTrade(context: Context, input: AdjustManagedTradeInput): Promise<ManagedTradePayload> {
  return command(context, 'adjustManagedTrade', input, async (tx) => {
    const step = adjustment(input);
    return take(context, tx, input, (trade) => {
      const live = context.service.marks.now().get(trade.symbol);
      const next = step(trade);
      return live ? seen(next, dec(live.price)) : next;
    });
  });
}

function adjustment(input: AdjustManagedTradeInput): (trade: ManagedTrade) => ManagedTrade {
  const { partialExit = null, funding = null } = input;
  const fields = fieldsOf(input);
  const paid = funding === null ? null : fundingAmount(funding);
  const exit = partialExit && {
    quantity: positiveAmount(partialExit.quantity, ['input', 'partialExit', 'quantity']),
    price: positiveAmount(partialExit.price, ['input', 'partialExit', 'price']),
    fee: amountFromZero(partialExit.fee ?? '0', ['input', 'partialExit', 'fee']),
  };
  if (Object.keys(fields).length === 0 && paid === null && exit === null) {
    throw refuse.validation('Give at least one thing to change.', ['input']);
  }
  return (trade) => {
    const funded = paid && { fundingFeesUsd: amount(dec(trade.fundingFeesUsd).plus(paid)) };
    const adjusted = adjust(trade, { ...fields, ...funded });
    return exit ? exitPart(adjusted, exit) : adjusted;
  };
}

function fieldsOf(input: AdjustManagedTradeInput): Adjustments {
  const price = (value: string | null, field: string) =>
    value === null ? null : positiveAmount(value, ['input', field]).toFixed();
  const id = (value: string | null, field: string) =>
    value === null ? null : boundedText(value, ID_LENGTH, ['input', field]);
  const { stopLossPrice, takeProfitPrice, trailFraction, stopLossOrderId, takeProfitOrderId, metadata } = input;
  return {
    ...(stopLossPrice !== undefined && { slPrice: price(stopLossPrice, 'stopLossPrice') }),
    ...(takeProfitPrice !== undefined && { tpPrice: price(takeProfitPrice, 'takeProfitPrice') }),
    ...(trailFraction && {
      trailPercent: price(trailFraction, 'trailFraction'),
      status: 'trailing' as const,
    }),
    ...(stopLossOrderId !== undefined && { slOrderId: id(stopLossOrderId, 'stopLossOrderId') }),
    ...(takeProfitOrderId !== undefined && { tpOrderId: id(takeProfitOrderId, 'takeProfitOrderId') }),
    ...(metadata && { metadata: storableJson(metadata, ['input', 'metadata']) }),
  };
}

/** Of either sign, below 10^12 either way. */
function fundingAmount(text: string): Decimal {
  const funding = dec(text);
  if (funding.abs().lt(AMOUNT_LIMIT)) return funding;
  throw refuse.validation(`funding must be below ${AMOUNT_LIMIT.toFixed()} either way, but got ${text}.`, [
    'input',
    'funding',
  ]);
}

/** Closes an open trade with what is left of it. */
export function closeManagedTrade(context: Context, input: CloseManagedTradeInput): Promise<ManagedTradePayload> {
  return command(context, 'closeManagedTrade', input, async (tx) => {
    const now = context.now();
    const ending = {
      price: positiveAmount(input.exitPrice, ['input', 'exitPrice']),
      time: pastInstant(input.exitedAt ?? now.toISOString(), now, ['input', 'exitedAt']),
      reason: stored(input.reason ?? 'MANUAL'),
      fee: amountFromZero(input.exitFee ?? '0', ['input', 'exitFee']),
    };
    return take(context, tx, input, (trade) => close(trade, ending));
  });
}

/** One step with the trade under its row lock. */
async function take(
  context: Context,
  tx: Tx,
  { tradeId, expectedVersion = null }: { tradeId: string; expectedVersion?: number | null | undefined },
  step: (trade: ManagedTrade) => ManagedTrade,
): Promise<{ tradeId: string }> {
  const store = await storeIn(context, tx);
  const changed = await store.change(tradeId, (trade) => {
    if (expectedVersion !== null && expectedVersion !== trade.version) throw refuse.conflict(trade.version);
    return step(trade);
  });
  if (!changed) throw refuse.notFound('ManagedTrade', tradeId, ['input', 'tradeId']);
  return { tradeId };
}

/** The trade store over the journal, as this transaction sees it. */
async function storeIn(context: Context, tx: Tx): Promise<TradeStore> {
  const store = tradeStore(journal(tx, context.traceId), () => context.now().getTime());
  await store.initialize();
  return store;
}
