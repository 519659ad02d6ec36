/** What a managed trade must satisfy (domain.md §9.4). */
import { type Decimal, dec, toWire } from '../../../../platform/decimal.ts';
import { refuse } from '../../../../platform/errors.ts';
import { isBefore } from '../../rules/instants.ts';
import { isOpen } from './lifecycle.ts';
import { MANAGED_TRADE_FIELDS, type ManagedTrade, type TradeSide } from './managed-trade.ts';
import { directionOf, MAINTENANCE } from './results.ts';

/** With as much leverage a trade would be liquidated as it is opened. */
export const LEVERAGE_LIMIT = dec(1).div(MAINTENANCE); // 200

/** A margin may differ from quantity × entry ÷ leverage by this share. */
const MARGIN_TOLERANCE = dec('0.005');

/** Texts of a trade are short; its metadata has a bound of its own. */
const TEXT_LENGTH = 255;

/** Whether the price lies further in the trade's favour than the other. */
export function isBetter(side: TradeSide, price: string | Decimal, than: string | Decimal): boolean {
  return dec(price).minus(than).times(directionOf(side)).gt(0);
}

/**
 * Passes when stop < entry < target for a long trade, and the other way round for a short one.
 * @throws Refusal (validation) otherwise
 */
export function checkBracket(trade: Pick<ManagedTrade, 'side' | 'slPrice' | 'tpPrice'>, entryPrice: string): void {
  const { side, slPrice, tpPrice } = trade;
  if (slPrice !== null && !isBetter(side, entryPrice, slPrice)) {
    throw misplaced(side, 'stop', slPrice, side === 'long' ? 'below' : 'above', `the entry, ${entryPrice}`);
  }
  checkTarget(side, tpPrice, entryPrice, 'the entry');
}

/**
 * Passes when the target lies beyond the price.
 * @throws Refusal (validation) otherwise
 */
export function checkTarget(side: TradeSide, target: string | null, price: string | null, name: string): void {
  if (target === null || price === null || isBetter(side, target, price)) return;
  throw misplaced(side, 'target', target, side === 'long' ? 'above' : 'below', `${name}, ${price}`);
}

function misplaced(side: TradeSide, what: 'stop' | 'target', price: string, where: string, than: string) {
  const field = what === 'stop' ? 'stopLossPrice' : 'takeProfitPrice';
  return refuse.validation(`The ${what} of a ${side} trade must lie ${where} ${than}, but got ${price}.`, [
    'input',
    field,
  ]);
}

/**
 * Passes when the stop moves in the trade's favour, or stays.
 * @throws Refusal (validation) otherwise
 */
export function checkStopMove(side: TradeSide, from: string | null, to: string): void {
  if (from === null || !isBetter(side, from, to)) return;
  throw refuse.validation(
    `The stop of a ${side} trade may only be ${side === 'long' ? 'raised' : 'lowered'}: it is ${from}, but got ${to}.`,
    ['input', 'stopLossPrice'],
  );
}

/**
 * Passes when a trade may be stored as it is: what every backend holds to, whoever writes.
 * @throws Refusal (validation) naming the first thing that is wrong
 */
export function checkTrade(trade: ManagedTrade): void {
  for (const [check, message] of INVARIANTS) {
    if (!check(trade)) throw refuse.validation(message, ['input']);
  }
  checkTexts(trade);
}

type Invariant = [holds: (trade: ManagedTrade) => boolean, message: string];

const between = (value: string, least: number, below: Decimal.Value) => dec(value).gte(least) && dec(value).lt(below);
const isPositive = (value: string | null) => value === null || dec(value).gt(0);

const INVARIANTS: readonly Invariant[] = [
  [({ quantity }) => dec(quantity).gt(0), 'quantity must be above zero.'],
  [
    ({ quantity, initialQuantity }) => dec(quantity).lte(initialQuantity),
    'quantity must be at most the initial quantity.',
  ],
  [
    ({ leverage }) => between(leverage, 1, LEVERAGE_LIMIT),
    `leverage must be from 1 to below ${toWire(LEVERAGE_LIMIT)}.`,
  ],
  [({ confidence }) => dec(confidence).gte(0) && dec(confidence).lte(1), 'confidence must be from 0 to 1.'],
  [
    ({ trailPercent }) => trailPercent === null || (isPositive(trailPercent) && dec(trailPercent).lt(1)),
    'trailPercent must be a fraction above 0 and below 1.',
  ],
  [
    (trade) => [trade.entryPrice, trade.slPrice, trade.tpPrice, trade.exitPrice].every(isPositive),
    'prices must be above zero.',
  ],
  [({ entryFeeUsd, exitFeeUsd }) => dec(entryFeeUsd).gte(0) && dec(exitFeeUsd).gte(0), 'fees must be zero or more.'],
  [
    (trade) =>
      (trade.entryPrice !== null) === (isOpen(trade) || trade.status === 'closed') || trade.status === 'failed',
    'a trade has an entry price once it is open.',
  ],
  [
    (trade) =>
      [trade.exitPrice, trade.exitTime, trade.closeReason].every((field) => (field !== null) === isClosed(trade)),
    'a trade has its exit price, exit time and close reason exactly when it is closed.',
  ],
  [
    ({ exitTime, entryTime }) => exitTime === null || !isBefore(exitTime, entryTime),
    'a trade must not end before it began.',
  ],
  [hasItsMargin, 'margin must be initial quantity × entry ÷ leverage, give or take half a percent.'],
];

function isClosed({ status }: ManagedTrade): boolean {
  return status === 'closed';
}

function hasItsMargin({ entryPrice, initialQuantity, leverage, marginUsd }: ManagedTrade): boolean {
  if (entryPrice === null) return true;
  const margin = dec(initialQuantity).times(entryPrice).div(leverage);
  const rounding = dec('0.00000001');
  return margin.minus(marginUsd).abs().lte(margin.times(MARGIN_TOLERANCE).plus(rounding));
}

/** A hash of Redis holds an empty text for null, so no text may be empty. */
function checkTexts(trade: ManagedTrade): void {
  for (const [field, kind] of Object.entries(MANAGED_TRADE_FIELDS)) {
    const value = trade[field as keyof ManagedTrade];
    if (kind !== 'text' || value === null) continue;
    const length = String(value).length;
    if (length >= 1 && length <= TEXT_LENGTH) continue;
    throw refuse.validation(`${field} must have 1 to ${TEXT_LENGTH} characters, but got ${length}.`, ['input', field]);
  }
}
