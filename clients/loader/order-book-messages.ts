/**
 * Order books recorded as the venue's raw messages, one JSON object a line: a snapshot, then updates with the ids U to u
 * of the changes they carry. The book after each message becomes a recorded order book of its best levels. From a bad or
 * missing update on the book is not known any more: the rows after it are refused until the next snapshot.
 */
import { z } from 'zod';
import type { OrderBookInput } from '../../subgraphs/market-data/generated/resolvers.ts';
import { applyChange, beginBook, type LevelChange, type ReplayedBook, top } from './book-replay.ts';
import { BadRow, decimalText, shown } from './fields.ts';
import { symbolOrNull } from './file-name.ts';
import type { Item, Market, Remarks } from './items.ts';
import { reasonOf } from './rows.ts';
import type { Line } from './source.ts';

const wholeNumber = z.string().regex(/^\d{1,19}$/, 'must be a whole number');
const levels = z.array(z.tuple([z.string(), z.string()]));
const snapshotMessage = z.object({
  type: z.literal('snapshot'),
  s: z.string().optional(),
  /** When the recorder received it, in nanoseconds since 1970. */
  localTimeNs: wholeNumber,
  lastUpdateId: wholeNumber,
  bids: levels,
  asks: levels,
});
const updateMessage = z.object({
  type: z.literal('update'),
  s: z.string().optional(),
  /** When the venue sent it, in milliseconds since 1970. */
  E: wholeNumber,
  U: wholeNumber,
  u: wholeNumber,
  b: levels,
  a: levels,
});
const bookMessage = z.discriminatedUnion('type', [snapshotMessage, updateMessage], {
  error: 'must be snapshot or update',
});

type BookMessage = z.infer<typeof bookMessage>;

/** The book between two messages, or why it is not known. */
type State = ReplayedBook | string;

/** The book after each message. Counts the messages in `remarks.rows`. */
export async function* readOrderBookMessages(
  lines: AsyncIterable<Line>,
  file: Market & { depth: number },
  remarks: Remarks,
): AsyncGenerator<Item<OrderBookInput>> {
  let state: State = 'there is no snapshot before it';
  for await (const { number: line, cells } of lines) {
    const text = cells[0] ?? '';
    if (text.trim() === '') continue;
    remarks.rows++;
    try {
      const message = readMessage(text);
      if (isForeign(message, file)) {
        yield { line, reason: `the message is about ${shown(message.s ?? '')}, but the file about ${file.symbol}` };
        continue;
      }
      const next = advance(state, message);
      if (next === 'known') yield { line, repeated: true };
      else yield { line, input: bookOf(next, message, file) };
      if (next !== 'known') state = next;
    } catch (error) {
      const reason = reasonOf(error);
      if (typeof state !== 'string') state = `the book is not known after line ${line}, until the next snapshot`;
      yield { line, reason };
    }
  }
}

function readMessage(text: string): BookMessage {
  const parsed = bookMessage.safeParse(parseJson(text));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new BadRow(`${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`.trim());
  }
  return parsed.data;
}

/** Whether the message names another pair than the file's; venues name a perpetual by its pair. */
function isForeign({ s }: BookMessage, { symbol }: Market): boolean {
  return s !== undefined && symbolOrNull(s)?.replace('-PERP', '') !== symbol.replace('-PERP', '');
}

/** Numbers become text: update ids and nanoseconds may exceed what a JavaScript number holds. */
function parseJson(text: string): unknown {
  const asText = (_key: string, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' ? (context?.source ?? String(value)) : value;
  try {
    return JSON.parse(text, asText);
  } catch {
    throw new BadRow(`the row must be a JSON object, but got ${shown(text)}`);
  }
}

/** The book with the message in it, or 'known' when it was in before. Throws BadRow when it cannot be applied. */
function advance(state: State, message: BookMessage): ReplayedBook | 'known' {
  if (message.type === 'snapshot') {
    return beginBook(BigInt(message.lastUpdateId), changes(message.bids, 'bids'), changes(message.asks, 'asks'));
  }
  if (typeof state === 'string') throw new BadRow(`the update cannot be applied: ${state}`);
  const [firstId, lastId] = [BigInt(message.U), BigInt(message.u)];
  const { lastId: known } = state;
  const outcome = applyChange(state, { firstId, lastId, bids: changes(message.b, 'b'), asks: changes(message.a, 'a') });
  if (outcome === 'gap') throw new BadRow(`updates are missing: U must be at most ${known + 1n}, but got ${firstId}`);
  if (outcome === 'full') throw new BadRow('the book has more levels than any venue shows');
  return outcome === 'known' ? 'known' : state;
}

function changes(side: readonly (readonly [string, string])[], name: string): LevelChange[] {
  return side.map(([price, quantity]) => [
    decimalText(price, `a price of ${name}`),
    decimalText(quantity, `a quantity of ${name}`),
  ]);
}

function bookOf(
  book: ReplayedBook,
  message: BookMessage,
  { symbol, venue, depth }: Market & { depth: number },
): OrderBookInput {
  return {
    symbol,
    venueId: venue,
    timestamp: timeOf(message),
    sequence: String(book.lastId),
    bids: top(book.bids, depth),
    asks: top(book.asks, depth),
  };
}

function timeOf(message: BookMessage): string {
  if (message.type === 'update') return instantAt(BigInt(message.E), '');
  const micros = BigInt(message.localTimeNs) / 1_000n;
  return instantAt(micros / 1_000n, String(micros % 1_000n).padStart(3, '0'));
}

function instantAt(ms: bigint, micros: string): string {
  const date = new Date(Number(ms));
  if (Number.isNaN(date.getTime())) throw new BadRow(`there is no time of ${ms} milliseconds`);
  return date.toISOString().replace('Z', `${micros}Z`);
}
