/**
 * Which of the books of a call are new. The books of an instrument on a venue stand in one order: as the sequence
 * strictly rises, time does not go back (domain.md §2.2). A recording may be filled in later, in that order.
 */
import { type BookReport, sameLevels } from './order-book.ts';

type Levels = Pick<BookReport, 'bids' | 'asks'>;

/** A stored book's place in the order of its market. */
export interface Place {
  sequence: bigint;
  /** Microseconds since 1970. */
  at: bigint;
}

/** What is stored around the books of a call. */
export interface StoredBooks {
  /** By `marketKey`: at least the nearest stored book before and after each book of the call. */
  places: ReadonlyMap<string, readonly Place[]>;
  /** Books of the call that are stored already, by `bookKey`. */
  books: ReadonlyMap<string, Levels>;
}

export interface ArrangedBooks {
  fresh: BookReport[];
  /** Books that are stored already with the same levels. */
  duplicates: number;
  /** Books whose sequence does not fit their time, or stands for other levels. */
  misplaced: { index: number; message: string }[];
}

/** An instrument on a venue. */
export function marketKey({ symbol, venueId }: Pick<BookReport, 'symbol' | 'venueId'>): string {
  return `${symbol} ${venueId}`;
}

/** A book of an instrument on a venue. */
export function bookKey(book: Pick<BookReport, 'symbol' | 'venueId' | 'sequence'>): string {
  return `${marketKey(book)} ${BigInt(book.sequence)}`;
}

/** Tells new books from repeated and misplaced ones, in the order given. */
export function arrangeBooks(rows: readonly { index: number; row: BookReport }[], stored: StoredBooks): ArrangedBooks {
  const places = new Map<string, Place[]>();
  for (const [market, known] of stored.places) places.set(market, known.toSorted(bySequence));
  const books = new Map<string, Levels>(stored.books);
  const arranged: ArrangedBooks = { fresh: [], duplicates: 0, misplaced: [] };
  for (const { index, row } of rows) {
    const same = books.get(bookKey(row));
    if (same && sameLevels(same, row)) {
      arranged.duplicates++;
      continue;
    }
    const order = places.get(marketKey(row)) ?? [];
    places.set(marketKey(row), order);
    const message = same ? `Sequence ${row.sequence} is stored with other levels.` : take(order, row);
    if (message === null) {
      arranged.fresh.push(row);
      books.set(bookKey(row), row);
    } else arranged.misplaced.push({ index, message });
  }
  return arranged;
}

function bySequence(a: Place, b: Place): number {
  return a.sequence < b.sequence ? -1 : 1;
}

/** Takes the book into the order, or says why it does not fit. A book of the same instant must have risen. */
function take(order: Place[], book: BookReport): string | null {
  const place = { sequence: BigInt(book.sequence), at: microsOf(book.timestamp) };
  let next = order.length;
  while (next > 0 && (order[next - 1] as Place).sequence > place.sequence) next--;
  const [before, after] = [order[next - 1], order[next]];
  if (after && after.at <= place.at) {
    return `sequence must rise with time, but ${place.sequence} comes when ${after.sequence} was seen already.`;
  }
  if (before && before.at > place.at) {
    return `sequence must rise with time, but ${place.sequence} lies before ${before.sequence} in time.`;
  }
  order.splice(next, 0, place);
  return null;
}

/** Microseconds since 1970 of a canonical instant. */
export function microsOf(instant: string): bigint {
  const fraction = /\.(\d+)Z$/.exec(instant)?.[1] ?? '';
  const seconds = BigInt(Date.parse(`${instant.slice(0, 19)}Z`) / 1_000);
  return seconds * 1_000_000n + BigInt(fraction.padEnd(6, '0'));
}
