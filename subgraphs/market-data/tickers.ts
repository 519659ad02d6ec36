/** Tickers, one row an instrument, and the states they have been in: what is stored and how it is read. */

import type { Sql } from '../../platform/database/sql.ts';
import { equals, equalsSymbol, within } from '../../platform/filters.ts';
import { entity } from '../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../platform/paging.ts';
import type { Context } from './context.ts';
import type { MarketSnapshotFilter } from './generated/resolvers.ts';

interface MarketState {
  symbol: string;
  source: string;
  timestamp: string;
  sequence: string;
  lastPrice: string;
  bid: string | null;
  ask: string | null;
  spread: string | null;
  quotedAt: string | null;
  volume24h: string | null;
  priceChange24h: string | null;
  priceChangePercent24h: string | null;
  metadata: Record<string, unknown> | null;
  createdAt: string;
  traceId: string | null;
}

/** A row of `tickers`. */
export interface TickerRow extends MarketState {
  updatedAt: string;
  version: number;
}

/** A row of `market_snapshots`. */
export interface MarketSnapshotRow extends MarketState {
  snapshotId: string;
}

export type MarketSnapshotPage = Connection<MarketSnapshotRow>;

export const tickers = entity<TickerRow>({ name: 'Ticker', table: 'tickers', key: 'symbol', keyType: 'text' });

export const marketSnapshots = entity<MarketSnapshotRow>({
  name: 'MarketSnapshot',
  table: 'market_snapshots',
  key: 'snapshot_id',
  keyType: 'uuid',
});

/** In the order they happened: by instant, then by the source's sequence. */
export const marketSnapshotList = connectionSource<MarketSnapshotRow>({
  table: 'market_snapshot_list',
  id: 'position',
  sorts: { TIMESTAMP: 'timestamp' },
});

/** The conditions of a filter. Throws a validation Refusal on a symbol that is none. */
export function marketSnapshotConditions(filter: MarketSnapshotFilter | null | undefined): Sql[] {
  if (!filter) return [];
  return [...equalsSymbol('symbol', filter.symbol), ...equals('source', filter.source), ...within('timestamp', filter)];
}

/** The tickers of those symbols, in that order, without those that were never priced. */
export async function tickersOf(context: Context, symbols: readonly string[]): Promise<TickerRow[]> {
  const rows = await Promise.all(symbols.map((symbol) => context.load(tickers, symbol)));
  return rows.filter((row) => row !== null);
}
