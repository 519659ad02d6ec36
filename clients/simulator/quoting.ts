/** What a market maker changes in the book: a bounded number of orders a side, each at its distance from the price. */
import { type Decimal, dec } from '../../platform/decimal.ts';
import type { Terms } from './markets.ts';
import type { Random } from './random.ts';
import { onStep } from './walk.ts';

export type Side = 'BUY' | 'SELL';

/** An order of the market maker that rests in the book. */
export interface Resting {
  orderId: string;
  side: Side;
  price: Decimal;
  /** Since when it has been seen there. */
  sinceMs: number;
  /** Whether the simulator may cancel it: what a person placed for the account is left alone. */
  isOwn: boolean;
}

export interface Quote {
  side: Side;
  price: Decimal;
  quantity: Decimal;
}

export interface Book {
  fairPrice: Decimal;
  terms: Terms;
  /** Offered nearest to the price, in units of the base asset; further away it is more. */
  quantity: number;
  resting: readonly Resting[];
}

export interface Changes {
  cancel: string[];
  place: Quote[];
}

/** Distances from the price at which an order is placed, and between which it may stay; in hundredths of a percent. */
const LEVELS = [
  { at: 5, from: 2, to: 8.5 },
  { at: 12, from: 8.5, to: 17 },
  { at: 22, from: 17, to: 29 },
  { at: 36, from: 29, to: 46 },
];
const BASIS_POINTS = 10_000;
/** Orders that have been there longer are renewed, so that the book lives while the price stands still. */
const LONGEST_REST_MS = 300_000; // 5 minutes
/** Fee rates are at most a tenth. */
const FEE_ROOM = dec('1.1');

/** Orders of a market maker in one market at most. */
export const QUOTE_LIMIT = 2 * LEVELS.length;

/** Cancels what is far, old or one too many at its level, and fills the levels that are free. */
export function planQuotes(book: Book, nowMs: number, random: Random): Changes {
  const { kept, cancel } = sortOut(book, nowMs);
  const place: Quote[] = [];
  const staying = book.resting.filter(({ orderId }) => !cancel.includes(orderId));
  for (const side of ['BUY', 'SELL'] as const) {
    for (const [index, level] of LEVELS.entries()) {
      if (kept.has(`${side} ${index}`)) continue;
      const quote = quoteAt(book, side, { at: level.at, times: index + 1 }, random);
      if (!crosses(quote, staying)) place.push(quote);
    }
  }
  return { cancel, place };
}

/** The levels that are taken, and the orders that must go. */
function sortOut({ resting, fairPrice }: Book, nowMs: number): { kept: Set<string>; cancel: string[] } {
  const kept = new Set<string>();
  const cancel: string[] = [];
  for (const order of resting.filter(({ isOwn }) => isOwn)) {
    const level = LEVELS.findIndex(({ from, to }) => {
      const distance = distanceOf(order, fairPrice);
      return from <= distance && distance < to;
    });
    const place = `${order.side} ${level}`;
    const stays = level >= 0 && !kept.has(place) && nowMs - order.sinceMs <= LONGEST_REST_MS;
    if (stays) kept.add(place);
    else cancel.push(order.orderId);
  }
  return { kept, cancel };
}

/** How far an order is from the price, in hundredths of a percent; negative on the wrong side of it. */
function distanceOf({ side, price }: Resting, fairPrice: Decimal): number {
  const away = side === 'BUY' ? fairPrice.minus(price) : price.minus(fairPrice);
  return away.div(fairPrice).times(BASIS_POINTS).toNumber();
}

function quoteAt(book: Book, side: Side, level: { at: number; times: number }, random: Random): Quote {
  const direction = side === 'BUY' ? -1 : 1;
  const price = book.fairPrice.toNumber() * (1 + (direction * level.at * random.between(0.9, 1.1)) / BASIS_POINTS);
  const quantity = onStep(book.quantity * level.times * random.between(0.7, 1.3), book.terms.quantityStep);
  return { side, price: onStep(price, book.terms.priceStep, side === 'BUY' ? 'down' : 'up'), quantity };
}

/** Whether it would meet an order of its own account, which ends in an expired order and no trade. */
function crosses(quote: Quote, staying: readonly Resting[]): boolean {
  return staying.some(
    ({ side, price }) => side !== quote.side && (side === 'BUY' ? quote.price.lte(price) : quote.price.gte(price)),
  );
}

/** What the order sets aside: the asset it gives, and how much of it with room for the fee. */
export function reserveOf({ side, price, quantity }: Quote, symbol: string): { asset: string; amount: Decimal } {
  const [base = '', quote = ''] = symbol.split('-');
  return side === 'BUY'
    ? { asset: quote, amount: price.times(quantity).times(FEE_ROOM) }
    : { asset: base, amount: quantity };
}
