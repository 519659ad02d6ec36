/** Stored bars of market data, read through the graph page by page, oldest first. */
import { dec } from '../../../platform/decimal.ts';
import type { GraphClient } from '../../../platform/graph-client.ts';
import type { Bar, BarInterval } from './rules/bars.ts';

const COUNT = /* GraphQL */ `
  query CountBars($filter: CandleFilter!) {
    candles(filter: $filter, first: 0) { totalCount }
  }
`;

const PAGE = /* GraphQL */ `
  query ReadBars($filter: CandleFilter!, $after: String) {
    candles(filter: $filter, first: 500, after: $after, sortOrder: ASC) {
      nodes { startTime endTime open high low close }
      pageInfo { hasNextPage endCursor }
    }
  }
`;

interface PageData {
  candles: {
    nodes: { startTime: string; endTime: string; open: string; high: string; low: string; close: string }[];
    pageInfo: { hasNextPage: boolean; endCursor: string | null };
  };
}

export interface BarsWanted {
  symbols: readonly string[];
  interval: BarInterval;
  from: string;
  to: string;
}

/** How many closed bars there are of all symbols. */
export async function countBars(graph: GraphClient, wanted: BarsWanted): Promise<number> {
  const counts = await Promise.all(
    wanted.symbols.map((symbol) =>
      graph.request<{ candles: { totalCount: number } }>(COUNT, { filter: filterOf(wanted, symbol) }),
    ),
  );
  return counts.reduce((sum, { candles }) => sum + candles.totalCount, 0);
}

/** The bars that begin at one instant, by symbol. */
export interface BarsAt {
  start: number;
  end: number;
  bars: Map<string, Bar>;
}

/** The bars of all symbols together, instant by instant; a symbol without a bar at one is not in it. */
export async function* readBars(graph: GraphClient, wanted: BarsWanted): AsyncGenerator<BarsAt> {
  const streams = wanted.symbols.map((symbol) => ({ symbol, bars: barsOf(graph, wanted, symbol) }));
  const heads = await Promise.all(
    streams.map(async ({ symbol, bars }) => ({ symbol, bars, head: (await bars.next()).value as Bar | undefined })),
  );
  for (;;) {
    const waiting = heads.flatMap(({ head }) => (head ? [head.start] : []));
    if (waiting.length === 0) return;
    const start = Math.min(...waiting);
    const at: BarsAt = { start, end: start, bars: new Map() };
    for (const stream of heads) {
      const { head } = stream;
      if (head?.start !== start) continue;
      at.bars.set(stream.symbol, head);
      at.end = Math.max(at.end, head.end);
      stream.head = (await stream.bars.next()).value as Bar | undefined;
    }
    yield at;
  }
}

async function* barsOf(graph: GraphClient, wanted: BarsWanted, symbol: string): AsyncGenerator<Bar, undefined> {
  let after: string | null = null;
  do {
    const { candles }: PageData = await graph.request<PageData>(PAGE, { filter: filterOf(wanted, symbol), after });
    for (const { startTime, endTime, open, high, low, close } of candles.nodes) {
      const prices = { open: dec(open), high: dec(high), low: dec(low), close: dec(close) };
      yield { start: Date.parse(startTime), end: Date.parse(endTime), ...prices };
    }
    after = candles.pageInfo.hasNextPage ? candles.pageInfo.endCursor : null;
  } while (after !== null);
}

/** Closed bars only: an open one may still change. */
function filterOf({ interval, from, to }: BarsWanted, symbol: string) {
  return { symbol, interval, from, to, isClosed: true };
}
