/** Bars that an earlier run left open: its successor goes on with them, or would take away what they had. */
import type { GraphClient } from '../../platform/graph-client.ts';
import type { MinuteBars, StoredBar } from './minute-bars.ts';

const QUERY = `query OpenBar($symbol: String!) {
  latestCandle(symbol: $symbol, interval: M1) { startTime open high low close volume vwap numTrades isClosed source }
}`;

/** Goes on with the newest bar of the market where it is open and that source's. */
export async function resumeOpenBar(
  graph: GraphClient,
  bars: MinuteBars,
  { symbol, source }: { symbol: string; source: string },
): Promise<void> {
  const { latestCandle: bar } = await graph.request<{
    latestCandle: (StoredBar & { isClosed: boolean; source: string | null }) | null;
  }>(QUERY, { symbol });
  if (bar && !bar.isClosed && bar.source === source) bars.resume(symbol, bar);
}
