/**
 * Order books recorded as rows, one a level: time, sequence, side, level (from 1, best first), price, quantity.
 * Neighbouring rows of one time and sequence are one book. A book with a bad row is refused whole: without that level
 * it would be another book.
 */
import type { OrderBookInput, OrderBookLevelInput } from '../../subgraphs/market-data/generated/resolvers.ts';
import { MAX_DEPTH } from '../../subgraphs/market-data/rules/order-book.ts';
import { BadRow, decimalOf, type Fields, instantOf, oneOf, wholeNumberOf } from './fields.ts';
import type { Item, Market } from './items.ts';
import { type Row, reasonOf } from './rows.ts';

interface OpenBook {
  /** What its rows have in common, as written. */
  moment: string;
  timestamp: string;
  sequence: string;
  firstLine: number;
  lastLine: number;
  BID: OrderBookLevelInput[];
  ASK: OrderBookLevelInput[];
  faults: { line: number; reason: string }[];
}

/** The books that the rows make up. */
export async function* readOrderBooks(rows: AsyncIterable<Row>, file: Market): AsyncGenerator<Item<OrderBookInput>> {
  let book = null as OpenBook | null;
  for await (const row of rows) {
    const next: OpenBook | null =
      'fields' in row && momentOf(row.fields) !== book?.moment ? begin(row.line, row.fields) : null;
    if (next) {
      if (book) yield close(book, file);
      book = next;
    }
    const fault = 'reason' in row ? row.reason : addLevel(book, row.line, row.fields);
    if (fault === null) continue;
    // A row that cannot be placed may be a level of the book around it.
    if (book) book.faults.push({ line: row.line, reason: fault });
    else yield { line: row.line, reason: fault };
  }
  if (book) yield close(book, file);
}

function momentOf({ time, sequence }: Fields): string {
  return `${time} ${sequence}`;
}

/** The book that a row begins; null when its moment cannot be read. */
function begin(line: number, fields: Fields): OpenBook | null {
  try {
    const timestamp = instantOf(fields, 'time');
    const sequence = wholeNumberOf(fields, 'sequence');
    const moment = momentOf(fields);
    return { moment, timestamp, sequence, firstLine: line, lastLine: line, BID: [], ASK: [], faults: [] };
  } catch (error) {
    reasonOf(error);
    return null;
  }
}

/** Puts the row's level into the book, or says why it cannot be. */
function addLevel(book: OpenBook | null, line: number, fields: Fields): string | null {
  try {
    instantOf(fields, 'time');
    wholeNumberOf(fields, 'sequence');
    const side = oneOf(fields, 'side', ['BID', 'ASK']);
    const level = wholeNumberOf(fields, 'level');
    const entry = { price: decimalOf(fields, 'price'), quantity: decimalOf(fields, 'quantity') };
    if (!book) return null;
    book.lastLine = line;
    if (book[side].length > MAX_DEPTH) return null; // the graph refuses the book for its depth; hold no more of it
    book[side].push(entry);
    const expected = book[side].length;
    if (Number(level) !== expected && book.faults.length === 0) {
      throw new BadRow(`level must be ${expected}, the next of its side, but got ${level}`);
    }
    return null;
  } catch (error) {
    return reasonOf(error);
  }
}

function close(book: OpenBook, { symbol, venue }: Market): Item<OrderBookInput> {
  const { timestamp, sequence, firstLine, lastLine, BID: bids, ASK: asks, faults } = book;
  const [fault, ...others] = faults;
  if (!fault) return { line: firstLine, input: { symbol, venueId: venue, timestamp, sequence, bids, asks } };
  const also = others.map(({ line, reason }) => `; line ${line}: ${reason}`).join('');
  return {
    line: fault.line,
    reason: `${fault.reason}${also} (the order book of lines ${firstLine} to ${lastLine} is refused with it)`,
  };
}
