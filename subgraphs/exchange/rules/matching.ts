/** Matching: an incoming order against the other side of the book, by price, then time (domain.md §3.3). */
import type { Decimal } from '../../../platform/decimal.ts';
import { smaller } from './money.ts';
import type { OrderSide, OrderType, TimeInForce } from './order-entry.ts';
import type { OrderStatus } from './order-lifecycle.ts';

/** An order that rests in the book. */
export interface Resting {
  accountId: string;
  price: Decimal;
  /** What is still to be executed; above zero. */
  remaining: Decimal;
}

/** An order that comes in. */
export interface Incoming {
  accountId: string;
  side: OrderSide;
  quantity: Decimal;
  /** The worst acceptable price; null when any will do. */
  limit: Decimal | null;
}

/** A meeting of the incoming order with one that rests, at the price of the latter. */
export interface Fill<Maker extends Resting = Resting> {
  maker: Maker;
  quantity: Decimal;
}

/** Why matching ended before the incoming order was filled; null when it was filled. */
export type MatchEnd = 'BOOK_EMPTY' | 'PRICE' | 'SELF_TRADE' | null;

export interface Matched<Maker extends Resting = Resting> {
  fills: Fill<Maker>[];
  remaining: Decimal;
  end: MatchEnd;
}

/**
 * The fills of the incoming order.
 * @param book resting orders of the other side, best price first and oldest first within a price
 *
 * An order never trades with its own account: matching ends at the account's own resting order, which stays.
 */
export function match<Maker extends Resting>(order: Incoming, book: Iterable<Maker>): Matched<Maker> {
  const fills: Fill<Maker>[] = [];
  let remaining = order.quantity;
  for (const maker of book) {
    if (remaining.isZero()) break;
    if (!isAcceptable(order, maker.price)) return { fills, remaining, end: 'PRICE' };
    if (maker.accountId === order.accountId) return { fills, remaining, end: 'SELF_TRADE' };
    const quantity = smaller(remaining, maker.remaining);
    fills.push({ maker, quantity });
    remaining = remaining.minus(quantity);
  }
  return { fills, remaining, end: remaining.isZero() ? null : 'BOOK_EMPTY' };
}

function isAcceptable({ side, limit }: Incoming, price: Decimal): boolean {
  if (limit === null) return true;
  return side === 'BUY' ? price.lte(limit) : price.gte(limit);
}

export type ExpiryReason = 'TIME_IN_FORCE' | 'NO_LIQUIDITY' | 'SELF_TRADE' | 'MATCH_LIMIT';

/** What becomes of an incoming order once it has been matched. */
export interface Outcome<Maker extends Resting = Resting> {
  status: OrderStatus;
  fills: Fill<Maker>[];
  expiryReason: ExpiryReason | null;
}

/**
 * The outcome under the order's time in force. GTC rests if it is a LIMIT; IOC lets the remainder expire; FOK is filled
 * whole or expires with no fill at all. MARKET and triggered STOP orders never rest. A LIMIT that met its own account's
 * order expires rather than rest across it.
 */
export function conclude<Maker extends Resting>(
  order: { type: OrderType; timeInForce: TimeInForce },
  matched: Matched<Maker>,
): Outcome<Maker> {
  const { fills, end } = matched;
  if (end === null) return { status: 'FILLED', fills, expiryReason: null };
  if (order.timeInForce === 'FOK') return { status: 'EXPIRED', fills: [], expiryReason: 'TIME_IN_FORCE' };
  if (end === 'SELF_TRADE') return { status: 'EXPIRED', fills, expiryReason: 'SELF_TRADE' };
  if (order.type !== 'LIMIT') return { status: 'EXPIRED', fills, expiryReason: 'NO_LIQUIDITY' };
  if (order.timeInForce === 'IOC') return { status: 'EXPIRED', fills, expiryReason: 'TIME_IN_FORCE' };
  return { status: fills.length > 0 ? 'PARTIAL' : 'OPEN', fills, expiryReason: null };
}
