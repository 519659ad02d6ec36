/** How a recorded order book is read and shown (domain.md §2.2: sequence strictly rising, crossed book rejected). */
import { type Decimal, dec } from '../../../platform/decimal.ts';
import { type Fault, instantFault, positiveFault, priceFault, sequenceFault, venueFault } from './limits.ts';

/** A price and the quantity there, decimals as canonical text. */
export interface Level {
  price: string;
  quantity: string;
}

/** An order book as a venue shows it, best prices first; instants are canonical text. */
export interface BookReport {
  symbol: string;
  venueId: string;
  timestamp: string;
  sequence: string;
  bids: readonly Level[];
  asks: readonly Level[];
}

/** Levels a side that are kept, and that anyone may ask for. */
export const MAX_DEPTH = 100;

/** The book's first fault, or null. `nowMs` is the clock. */
export function bookFault(book: BookReport, nowMs: number): Fault | null {
  return (
    venueFault(book.venueId) ??
    instantFault('timestamp', book.timestamp, nowMs) ??
    sequenceFault(book.sequence) ??
    emptyFault(book) ??
    sideFault('bids', book.bids, (price, better) => price.lessThan(better)) ??
    sideFault('asks', book.asks, (price, better) => price.greaterThan(better)) ??
    crossedFault(book)
  );
}

function emptyFault({ bids, asks }: BookReport): Fault | null {
  return bids.length + asks.length > 0 ? null : { field: 'bids', message: 'A book must have at least one level.' };
}

function sideFault(
  side: 'bids' | 'asks',
  levels: readonly Level[],
  isWorse: (price: Decimal, better: Decimal) => boolean,
): Fault | null {
  if (levels.length > MAX_DEPTH) {
    return { field: side, message: `${side} must have at most ${MAX_DEPTH} levels, but got ${levels.length}.` };
  }
  let better: Decimal | null = null;
  for (const [index, level] of levels.entries()) {
    const price = dec(level.price);
    const fault = priceFault('price', price) ?? positiveFault('quantity', dec(level.quantity));
    if (fault) return { field: side, message: `Level ${index} of ${side}: ${fault.message}` };
    if (better && !isWorse(price, better)) {
      const order = side === 'bids' ? 'fall' : 'rise';
      return {
        field: side,
        message: `Prices of ${side} must ${order}, but ${price} follows ${better} at level ${index}.`,
      };
    }
    better = price;
  }
  return null;
}

function crossedFault({ bids, asks }: BookReport): Fault | null {
  const [bid, ask] = [bids[0], asks[0]];
  if (!bid || !ask || dec(bid.price).lessThan(ask.price)) return null;
  return {
    field: 'bids',
    message: `The book is crossed: its best bid ${bid.price} is not below its best ask ${ask.price}.`,
  };
}

/** A level with the quantity offered at its price and all better ones. */
export interface CumulativeLevel extends Level {
  total: Decimal;
}

/** The best `depth` levels of a side, each with its running total. */
export function cumulate(levels: readonly Level[], depth: number): CumulativeLevel[] {
  let total = dec(0);
  return levels.slice(0, depth).map((level) => {
    total = total.plus(level.quantity);
    return { ...level, total };
  });
}

/** Whether two books show the same levels; prices and quantities compare by value. */
export function sameLevels(a: Pick<BookReport, 'bids' | 'asks'>, b: Pick<BookReport, 'bids' | 'asks'>): boolean {
  return sameSide(a.bids, b.bids) && sameSide(a.asks, b.asks);
}

function sameSide(a: readonly Level[], b: readonly Level[]): boolean {
  return (
    a.length === b.length &&
    a.every((level, index) => {
      const other = b[index];
      return other !== undefined && dec(level.price).equals(other.price) && dec(level.quantity).equals(other.quantity);
    })
  );
}
