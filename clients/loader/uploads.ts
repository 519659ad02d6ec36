/** Sending batches to the graph: one mutation a batch, and what became of its items. */
import type { GraphClient } from '../../platform/graph-client.ts';
import type { CandleInput, OrderBookInput, PriceInput } from '../../subgraphs/market-data/generated/resolvers.ts';

/** What became of a batch; stored + known + refused is the batch's size. */
export interface Outcome {
  stored: number;
  /** Those that the graph held already, with the same content. */
  known: number;
  refused: { index: number; reason: string }[];
}

/** How the items of a kind are sent. */
export interface Upload<Input> {
  /** Items a batch; the larger, the fewer transactions, within what the mutation takes. */
  size: number;
  /** Days (UTC) on which the items of a batch may lie, where the mutation limits them. */
  days?: { limit: number; of: (input: Input) => string };
  /** Batches under way at once. */
  concurrency: number;
  send(graph: GraphClient, inputs: readonly Input[]): Promise<Outcome>;
}

interface Payload {
  refused: { index: number; error: { message: string } }[];
  errors: { message: string }[];
}

const CONCURRENCY = 2; // one batch is read while the other is stored; more wait for each other's locks
const BATCH_ROWS = 5_000; // at most 3 MiB: a graph takes 8
const BATCH_BOOKS = 250; // of 100 levels a side, 5 MiB
const REFUSED_AND_ERRORS = 'refused { index error { message } } errors { message }';

export const candleUpload: Upload<CandleInput> = {
  size: BATCH_ROWS,
  concurrency: CONCURRENCY,
  async send(graph, candles) {
    const { ingestCandles: payload } = await graph.request<{
      ingestCandles: Payload & { inserted: number; updated: number; ignored: number };
    }>(
      `mutation LoadCandles($candles: [CandleInput!]!) {
        ingestCandles(input: { candles: $candles }) { inserted updated ignored ${REFUSED_AND_ERRORS} }
      }`,
      { candles },
    );
    return outcome(payload, payload.inserted + payload.updated, payload.ignored);
  },
};

export const priceUpload: Upload<PriceInput> = {
  size: BATCH_ROWS,
  days: { limit: 100, of: ({ timestamp }) => timestamp.slice(0, 10) },
  concurrency: CONCURRENCY,
  async send(graph, prices) {
    const { ingestPrices: payload } = await graph.request<{
      ingestPrices: Payload & { accepted: number; duplicates: number };
    }>(
      `mutation LoadPrices($prices: [PriceInput!]!) {
        ingestPrices(input: { prices: $prices }) { accepted duplicates ${REFUSED_AND_ERRORS} }
      }`,
      { prices },
    );
    return outcome(payload, payload.accepted, payload.duplicates);
  },
};

export const orderBookUpload: Upload<OrderBookInput> = {
  size: BATCH_BOOKS,
  concurrency: 1, // the books of a venue are stored in their order
  async send(graph, books) {
    const { recordOrderBooks: payload } = await graph.request<{
      recordOrderBooks: Payload & { recorded: number; duplicates: number };
    }>(
      `mutation LoadOrderBooks($books: [OrderBookInput!]!) {
        recordOrderBooks(input: { books: $books }) { recorded duplicates ${REFUSED_AND_ERRORS} }
      }`,
      { books },
    );
    return outcome(payload, payload.recorded, payload.duplicates);
  },
};

function outcome({ refused, errors }: Payload, stored: number, known: number): Outcome {
  if (errors.length > 0) throw new Error(errors.map(({ message }) => message).join(' '));
  return { stored, known, refused: refused.map(({ index, error }) => ({ index, reason: error.message })) };
}
