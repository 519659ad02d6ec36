import type { Changes } from '../../platform/context.ts';
import { normaliseSymbol } from '../../platform/symbols.ts';
import type { Context } from './context.ts';
import { bookDepth } from './order-book.ts';

/** Which book is told; it is read when the event goes out. */
export interface OrderBookReference {
  symbol: string;
  depth: number;
}

/** A book is told at most so often. */
const MIN_INTERVAL_MS = 100;

/**
 * The book of a symbol whenever one of its orders changes.
 * @throws GraphQLError (bad input) on a depth outside 1 to 100, Refusal (validation) on a symbol that is none
 */
export function orderBookChanges(
  context: Context,
  { symbol, depth, after }: { symbol: string; depth: number; after?: string | null | undefined },
): Changes<OrderBookReference> {
  const book = { depth: bookDepth(depth), symbol: normaliseSymbol(symbol, ['symbol']) };
  return context.states({
    sources: [{ relation: 'orders', route: { field: 'symbol', values: [book.symbol] } }],
    read: () => book,
    minIntervalMs: MIN_INTERVAL_MS,
    after,
  });
}
