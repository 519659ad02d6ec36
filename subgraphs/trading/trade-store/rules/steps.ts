/**
 * What can happen to a managed trade. Each step takes the trade as it is and gives it as it will be; whoever stores it
 * gives it its version and its time of change.
 */
import { type Decimal, dec, toWire } from '../../../../platform/decimal.ts';
import { refuse } from '../../../../platform/errors.ts';
import { isBefore } from '../../rules/instants.ts';
import { isOpen, moveManagedTrade } from './lifecycle.ts';
import type { CloseReason, ManagedTrade, ManagedTradeStatus } from './managed-trade.ts';
import { amount, directionOf, grossPnl, isEntered, liquidationPrice, marginOf, resultsAt } from './results.ts';
import { checkBracket, checkStopMove, checkTarget, checkTrade, isBetter } from './terms.ts';

/** What a trade begins with. All that is left out has a default. */
export type TradeTerms = Pick<ManagedTrade, 'tradeId' | 'symbol' | 'side' | 'quantity' | 'entryTime'> &
  Partial<ManagedTrade>;

const NOTHING_YET = {
  leverage: '1',
  entryPrice: null,
  slPrice: null,
  tpPrice: null,
  trailPercent: null,
  exitPrice: null,
  exitTime: null,
  closeReason: null,
  pnlUsd: '0',
  pnlPct: '0',
  rMultiple: '0',
  entryFeeUsd: '0',
  exitFeeUsd: '0',
  fundingFeesUsd: '0',
  model: null,
  confidence: '0',
  metaStrategyId: null,
  regime: null,
  rlStateKey: null,
  rlActionKey: null,
  rlLeverageOriginal: null,
  exchangeOrderId: null,
  slOrderId: null,
  tpOrderId: null,
  metadata: {},
  accountId: null,
  strategyId: null,
  venueId: null,
  realizedPartialPnlUsd: '0',
  traceId: null,
  archivedAt: null,
} satisfies Partial<ManagedTrade>;

/**
 * A trade that is new: open where it has an entry price, pending where it has none.
 * @throws Refusal (validation) when its stop or target lies on the wrong side, or an invariant does not hold
 */
export function newTrade(terms: TradeTerms, now: string): ManagedTrade {
  const { entryPrice = null, leverage = '1', initialQuantity = terms.quantity } = terms;
  if (entryPrice !== null) checkBracket({ slPrice: null, tpPrice: null, ...terms }, entryPrice);
  const trade: ManagedTrade = {
    ...NOTHING_YET,
    status: entryPrice === null ? 'pending' : 'open',
    initialQuantity,
    marginUsd: entryPrice === null ? '0' : amount(marginOf(dec(initialQuantity), dec(entryPrice), dec(leverage))),
    initialSlPrice: terms.slPrice ?? null,
    highestPrice: entryPrice,
    lowestPrice: entryPrice,
    liquidationPrice: entryPrice === null ? null : amount(liquidationPrice(terms.side, dec(entryPrice), dec(leverage))),
    createdAt: now,
    updatedAt: now,
    version: 1,
    ...terms,
  };
  checkTrade(trade);
  return trade;
}

/** What `update_trade` may change; everything else is set by a step, or for good. */
export const ADJUSTABLE_FIELDS = [
  'status',
  'slPrice',
  'tpPrice',
  'trailPercent',
  'fundingFeesUsd',
  'highestPrice',
  'lowestPrice',
  'model',
  'confidence',
  'metaStrategyId',
  'regime',
  'rlStateKey',
  'rlActionKey',
  'rlLeverageOriginal',
  'slOrderId',
  'tpOrderId',
  'metadata',
] as const satisfies (keyof ManagedTrade)[];

export type Adjustments = Partial<Pick<ManagedTrade, (typeof ADJUSTABLE_FIELDS)[number]>>;

/**
 * The trade with some of its fields changed.
 * @throws Refusal (validation) on a field that is not adjustable, a stop that moves against the trade, or a broken
 * invariant; (invalid transition) on a state it cannot go to, or when it has ended
 */
export function adjust(trade: ManagedTrade, fields: Adjustments): ManagedTrade {
  for (const name of Object.keys(fields)) {
    if ((ADJUSTABLE_FIELDS as readonly string[]).includes(name)) continue;
    throw refuse.validation(`${name} of a managed trade cannot be changed.`, ['input', name]);
  }
  const status = statusAfter(trade, fields);
  if (fields.slPrice !== undefined) checkNewStop(trade, fields.slPrice);
  const next = { ...trade, ...fields, status };
  checkTarget(next.side, next.tpPrice, next.entryPrice, 'the entry');
  checkTarget(next.side, next.tpPrice, next.slPrice, 'the stop');
  if (trade.status === 'pending') next.initialSlPrice = next.slPrice;
  else if (trade.initialSlPrice === null && isFirstRisk(next)) next.initialSlPrice = next.slPrice;
  checkTrade(next);
  return next;
}

function statusAfter(trade: ManagedTrade, { status, slPrice }: Adjustments): ManagedTradeStatus {
  if (status === 'closed') {
    throw refuse.validation('A managed trade is closed by closing it, not by its status.', ['input', 'status']);
  }
  if (status === 'failed' && isOpen(trade) && trade.exchangeOrderId !== null) {
    throw refuse.invalidTransition(trade.status.toUpperCase(), 'FAILED', [], ['input', 'tradeId']); // it has fills
  }
  if (status !== undefined) return moveManagedTrade(trade.status, status);
  moveManagedTrade(trade.status, trade.status === 'pending' ? 'open' : trade.status); // whether it has ended
  const covers =
    typeof slPrice === 'string' && trade.entryPrice !== null && !isBetter(trade.side, trade.entryPrice, slPrice);
  return covers && trade.status !== 'trailing' ? 'breakeven' : trade.status;
}

/** Of a trade that is only planned, the stop may be anywhere, or nowhere. */
function checkNewStop({ side, status, slPrice, tpPrice }: ManagedTrade, to: string | null): void {
  if (status === 'pending') return;
  if (to === null) {
    if (slPrice === null) return;
    throw refuse.validation('A stop can be moved, but not taken away.', ['input', 'stopLossPrice']);
  }
  checkStopMove(side, slPrice, to);
  checkTarget(side, tpPrice, to, 'the stop');
}

/** A stop that is given later is the one by which the trade is measured, as long as it risks something. */
function isFirstRisk({ side, slPrice, entryPrice }: ManagedTrade): boolean {
  return slPrice !== null && entryPrice !== null && isBetter(side, entryPrice, slPrice);
}

/** Part of an exit, or the whole of it. */
export interface Exit {
  quantity: Decimal;
  price: Decimal;
  fee: Decimal;
}

/**
 * The trade with a part of it closed.
 * @throws Refusal (validation) unless something is left; (invalid transition) unless it is open
 */
export function exitPart(trade: ManagedTrade, { quantity, price, fee }: Exit): ManagedTrade {
  const status = trade.status === 'open' ? 'partial_tp' : trade.status;
  moveManagedTrade(trade.status, status);
  if (!isEntered(trade)) throw refuse.invalidTransition(trade.status.toUpperCase(), 'PARTIAL_TP', []);
  if (quantity.gte(trade.quantity)) {
    throw refuse.validation(
      `A partial exit must leave something of the trade, ${trade.quantity}, but got ${toWire(quantity)}.`,
      ['input', 'partialExit', 'quantity'],
    );
  }
  const gained = grossPnl(trade, price, quantity);
  return seen(
    {
      ...trade,
      status,
      quantity: amount(dec(trade.quantity).minus(quantity)),
      realizedPartialPnlUsd: amount(dec(trade.realizedPartialPnlUsd).plus(gained)),
      exitFeeUsd: amount(dec(trade.exitFeeUsd).plus(fee)),
    },
    price,
  );
}

/**
 * The trade closed with what is left of it, and its results.
 * @throws Refusal (invalid transition) unless it is open; (validation) when it would end before it began
 */
export function close(
  trade: ManagedTrade,
  { price, time, reason, fee }: { price: Decimal; time: string; reason: CloseReason; fee: Decimal },
): ManagedTrade {
  const status = moveManagedTrade(trade.status, 'closed');
  if (!isEntered(trade)) throw refuse.invalidTransition(trade.status.toUpperCase(), 'CLOSED', []);
  const left = { ...trade, exitFeeUsd: amount(dec(trade.exitFeeUsd).plus(fee)) };
  const { net, percent, rMultiple } = resultsAt(left, price);
  const closed = {
    ...left,
    status,
    exitPrice: amount(price),
    exitTime: time,
    closeReason: reason,
    pnlUsd: amount(net),
    pnlPct: amount(percent),
    rMultiple: rMultiple && amount(rMultiple),
  };
  checkTrade(closed);
  return seen(closed, price);
}

/**
 * The trade with one more execution of its entry: its size grows, its entry price is the quantity-weighted mean. The
 * first makes a pending trade an open one; a stop or target that its price has passed is void, and kept as a note.
 */
export function enter(
  trade: ManagedTrade,
  { quantity, price, fee, time }: { quantity: Decimal; price: Decimal; fee: Decimal; time: string },
): ManagedTrade {
  const isFirst = !isEntered(trade);
  const held = isFirst ? dec(0) : dec(trade.quantity);
  const total = held.plus(quantity);
  const cost = isFirst ? dec(0) : held.times(trade.entryPrice);
  const entryPrice = amount(cost.plus(price.times(quantity)).div(total));
  const initial = isFirst ? quantity : dec(trade.initialQuantity).plus(quantity);
  const leverage = dec(trade.leverage);
  return seen(
    {
      ...trade,
      ...(isFirst && voided(trade, entryPrice)),
      status: isFirst ? moveManagedTrade(trade.status, 'open') : trade.status,
      quantity: amount(total),
      initialQuantity: amount(initial),
      entryPrice,
      entryTime: isFirst || isBefore(time, trade.entryTime) ? time : trade.entryTime,
      entryFeeUsd: amount(dec(trade.entryFeeUsd).plus(fee)),
      marginUsd: amount(marginOf(initial, dec(entryPrice), leverage)),
      liquidationPrice: amount(liquidationPrice(trade.side, dec(entryPrice), leverage)),
    },
    price,
  );
}

/** What of the bracket the entry has passed. A fill is a fact: it is not refused for its stop. */
function voided(trade: ManagedTrade, entryPrice: string): Partial<ManagedTrade> {
  const { side, slPrice, tpPrice, metadata } = trade;
  const isStopVoid = slPrice !== null && !isBetter(side, entryPrice, slPrice);
  const isTargetVoid = tpPrice !== null && !isBetter(side, tpPrice, entryPrice);
  return {
    ...(isStopVoid && { slPrice: null, initialSlPrice: null }),
    ...(isTargetVoid && { tpPrice: null }),
    metadata: {
      ...metadata,
      ...(isStopVoid && { voidStopLossPrice: slPrice }),
      ...(isTargetVoid && { voidTakeProfitPrice: tpPrice }),
    },
  };
}

/** The trade that has seen one more price. */
export function seen(trade: ManagedTrade, price: Decimal): ManagedTrade {
  const { highestPrice, lowestPrice } = trade;
  return {
    ...trade,
    highestPrice: highestPrice === null || price.gt(highestPrice) ? amount(price) : highestPrice,
    lowestPrice: lowestPrice === null || price.lt(lowestPrice) ? amount(price) : lowestPrice,
  };
}

/** Why a trade is over that an execution at this price has closed, as far as the trade can tell. */
export function reasonOf(trade: ManagedTrade, orderId: string, orderType: string, price: Decimal): CloseReason {
  if (trade.slOrderId === orderId) return 'sl';
  if (trade.tpOrderId === orderId) return 'tp';
  if (orderType === 'trailing_stop') return 'trailing';
  const reached = (level: string | null, way: 1 | -1) =>
    level !== null && price.minus(level).times(way).times(directionOf(trade.side)).gte(0);
  if (reached(trade.tpPrice, 1)) return 'tp';
  if (reached(trade.slPrice, -1) || orderType.startsWith('stop')) {
    if (trade.status === 'trailing') return 'trailing';
    return trade.status === 'breakeven' ? 'breakeven' : 'sl';
  }
  return 'strategy';
}
