/** The kinds of recorded files, and how the first line of a file tells its kind. Its name is never asked. */
import { parse } from 'csv-parse/sync';

/** In the order in which they are loaded: what the others speak of comes first. */
export const KINDS = ['instruments', 'bars', 'trades', 'quotes', 'order-book-messages', 'order-books'] as const;

export type Kind = (typeof KINDS)[number];

/** Columns that a csv file of the kind has, in any order; others beside them are ignored. */
const COLUMNS: Record<Exclude<Kind, 'order-book-messages'>, readonly string[]> = {
  instruments: ['venue', 'venue_symbol', 'base', 'quote', 'kind', 'name', 'tick_size', 'lot_size', 'min_order_size'],
  bars: ['time', 'open', 'high', 'low', 'close', 'volume'],
  trades: ['time', 'trade_id', 'price', 'quantity', 'taker_side'],
  quotes: [
    ...['time', 'bid_open', 'bid_high', 'bid_low', 'bid_close', 'bid_size'],
    ...['ask_open', 'ask_high', 'ask_low', 'ask_close', 'ask_size'],
  ],
  'order-books': ['time', 'sequence', 'side', 'level', 'price', 'quantity'],
};

/** The columns a header names, in lower case; null when it is no csv line. */
export function readHeader(line: string): string[] | null {
  try {
    const [cells = []] = parse(line, { bom: true, to: 1, trim: true }) as string[][];
    return cells.map((cell) => cell.toLowerCase());
  } catch {
    return null;
  }
}

/** The kind that a file's first line tells, or null. */
export function tellKind(firstLine: string): Kind | null {
  if (firstLine.trimStart().startsWith('{')) return isBookMessage(firstLine) ? 'order-book-messages' : null;
  return KINDS.find((kind) => kind !== 'order-book-messages' && missingColumns(kind, firstLine).length === 0) ?? null;
}

/** Columns that a file of that kind needs and its first line does not name. */
export function missingColumns(kind: Kind, firstLine: string): string[] {
  if (kind === 'order-book-messages') return [];
  const header = readHeader(firstLine) ?? [];
  return COLUMNS[kind].filter((column) => !header.includes(column));
}

function isBookMessage(line: string): boolean {
  try {
    const message = JSON.parse(line) as Record<string, unknown>;
    return message.type === 'snapshot' ? 'lastUpdateId' in message : message.type === 'update' && 'U' in message;
  } catch {
    return false;
  }
}
