/** An order book kept up to date from a venue's messages: a snapshot, then changes that carry the range of their ids. */

/** A level: price and quantity as canonical decimals, ordered by the price in units of 10⁻⁸. */
interface Level {
  key: bigint;
  price: string;
  quantity: string;
}

export interface ReplayedBook {
  /** Id of the last change that is in it. */
  lastId: bigint;
  /** Best first. */
  bids: Level[];
  asks: Level[];
}

/** Price and quantity; a quantity of 0 takes the level away. */
export type LevelChange = readonly [price: string, quantity: string];

export interface BookChange {
  firstId: bigint;
  lastId: bigint;
  bids: readonly LevelChange[];
  asks: readonly LevelChange[];
}

/** Levels a side at most; no venue shows more, and a recording that grows beyond it takes no level away any more. */
const LEVEL_LIMIT = 50_000;

/** The book of a snapshot. */
export function beginBook(lastId: bigint, bids: readonly LevelChange[], asks: readonly LevelChange[]): ReplayedBook {
  const book: ReplayedBook = { lastId, bids: [], asks: [] };
  applyLevels(book, bids, asks);
  return book;
}

/**
 * Brings the book forward by a change.
 * @returns 'applied'; 'known' when the book is past it already; 'gap' when changes before it are missing; 'full' when a
 *   side would exceed its limit. After the last two the book is not to be used any more.
 */
export function applyChange(book: ReplayedBook, change: BookChange): 'applied' | 'known' | 'gap' | 'full' {
  if (change.lastId <= book.lastId) return 'known';
  if (change.firstId > book.lastId + 1n) return 'gap';
  applyLevels(book, change.bids, change.asks);
  book.lastId = change.lastId;
  return book.bids.length > LEVEL_LIMIT || book.asks.length > LEVEL_LIMIT ? 'full' : 'applied';
}

/** The best levels of a side. */
export function top(levels: readonly Level[], depth: number): { price: string; quantity: string }[] {
  return levels.slice(0, depth).map(({ price, quantity }) => ({ price, quantity }));
}

function applyLevels(book: ReplayedBook, bids: readonly LevelChange[], asks: readonly LevelChange[]): void {
  for (const level of bids) setLevel(book.bids, level, (key, other) => key < other);
  for (const level of asks) setLevel(book.asks, level, (key, other) => key > other);
}

function setLevel(
  side: Level[],
  [price, quantity]: LevelChange,
  isWorse: (key: bigint, other: bigint) => boolean,
): void {
  const key = keyOf(price);
  let low = 0;
  for (let high = side.length; low < high; ) {
    const middle = (low + high) >>> 1;
    if (isWorse(key, side[middle]?.key ?? key)) low = middle + 1;
    else high = middle;
  }
  const exists = side[low]?.key === key;
  if (quantity === '0') side.splice(low, exists ? 1 : 0);
  else side.splice(low, exists ? 1 : 0, { key, price, quantity });
}

/** Canonical decimals have at most 8 fractional digits, so this is exact. */
function keyOf(price: string): bigint {
  const [whole = '', fraction = ''] = price.split('.');
  return BigInt(whole + fraction.padEnd(8, '0'));
}
