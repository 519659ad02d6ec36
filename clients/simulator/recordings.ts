/** Recorded files as a replay reads them: with the loader's own readers, item by item. */
import type { OrderBookInput, PriceInput } from '../../subgraphs/market-data/generated/resolvers.ts';
import type { Interval } from '../../subgraphs/market-data/rules/candle-intervals.ts';
import type { Item, Market, RecordedFile } from '../loader/items.ts';
import { readOrderBookMessages } from '../loader/order-book-messages.ts';
import { readOrderBooks } from '../loader/order-books.ts';
import { planFiles } from '../loader/plan.ts';
import { readQuote } from '../loader/quotes.ts';
import { eachRow, readRows } from '../loader/rows.ts';
import { readLines } from '../loader/source.ts';
import { readTrade } from '../loader/trades.ts';

/** A file of what happened in a market, one instant after the other. */
export type Recording = Market & { path: string } & (
    | { kind: 'trades' | 'order-books' }
    | { kind: 'quotes'; interval: Interval }
    | { kind: 'order-book-messages'; depth: number }
  );

/** What happened: a trade print or a quote, or an order book. */
export type Recorded = { price: PriceInput } | { book: OrderBookInput };

/** Levels a side that are kept of a book. */
const DEPTH = 10;

/**
 * The recordings that the paths mean.
 * @throws Error with a sentence for each file that cannot be replayed
 */
export async function findRecordings(paths: readonly string[]): Promise<Recording[]> {
  const choices = { kind: undefined, symbol: undefined, venue: undefined, interval: undefined, depth: DEPTH };
  const { files, problems } = await planFiles({ paths: [...paths], url: undefined, ...choices });
  const recordings: Recording[] = [];
  const books = new Map<string, string>();
  for (const file of files) {
    const recording = recordingOf(file);
    if (recording) recordings.push(recording);
    else problems.push(`${file.path} holds ${file.kind}, which are loaded, not replayed.`);
    if (!recording || !isOfBooks(recording)) continue;
    const market = `${recording.symbol} on ${recording.venue}`;
    const other = books.get(market);
    if (other) problems.push(`${other} and ${file.path} both hold the books of ${market}: replay one of them.`);
    books.set(market, file.path);
  }
  if (problems.length > 0) throw new Error(problems.join('\n'));
  return recordings;
}

function recordingOf(file: RecordedFile): Recording | null {
  switch (file.kind) {
    case 'instruments':
    case 'bars':
      return null;
    case 'quotes':
      return { ...file, kind: 'quotes' };
    default:
      return file;
  }
}

function isOfBooks({ kind }: Recording): boolean {
  return kind === 'order-books' || kind === 'order-book-messages';
}

/** What the file holds, in its order; a row that cannot be read comes as the reason. */
export function readRecording(file: Recording): AsyncGenerator<Item<Recorded>> {
  const lines = readLines({ path: file.path, csv: file.kind !== 'order-book-messages' });
  const remarks = { rows: 0, roundedSizes: 0 };
  const rows = () => readRows(lines, remarks);
  const ofPrice = (price: PriceInput): Recorded => ({ price });
  const ofBook = (book: OrderBookInput): Recorded => ({ book });
  switch (file.kind) {
    case 'trades':
      return mapItems(
        eachRow(rows(), (fields) => readTrade(fields, file)),
        ofPrice,
      );
    case 'quotes':
      return mapItems(
        eachRow(rows(), (fields) => readQuote(fields, file, () => {})),
        ofPrice,
      );
    case 'order-books':
      return mapItems(readOrderBooks(rows(), file), ofBook);
    case 'order-book-messages':
      return mapItems(readOrderBookMessages(lines, file, remarks), ofBook);
  }
}

async function* mapItems<From, To>(items: AsyncIterable<Item<From>>, map: (input: From) => To) {
  for await (const item of items) yield 'input' in item ? { line: item.line, input: map(item.input) } : item;
}

/** When something was recorded, in milliseconds since 1970. */
export function recordedAtMs(recorded: Recorded): number {
  return Date.parse('price' in recorded ? recorded.price.timestamp : recorded.book.timestamp);
}
