/** Ticks: what is stored of them and how they are read. */

import type { Sql } from '../../platform/database/sql.ts';
import { equals, equalsSymbol, within } from '../../platform/filters.ts';
import { entity } from '../../platform/loaders.ts';
import { type Connection, connectionSource } from '../../platform/paging.ts';
import type { PriceFeedFilter } from './generated/resolvers.ts';

/** A row of `price_feeds`. */
export interface PriceFeedRow {
  feedId: string;
  symbol: string;
  source: string;
  timestamp: string;
  sequence: string;
  price: string;
  bid: string | null;
  ask: string | null;
  bidSize: string | null;
  askSize: string | null;
  quantity: string | null;
  takerSide: 'BUY' | 'SELL' | null;
  volume24h: string | null;
  confidence: string | null;
  metadata: Record<string, unknown> | null;
  createdAt: string;
  traceId: string | null;
}

export type PriceFeedPage = Connection<PriceFeedRow>;

export const priceFeeds = entity<PriceFeedRow>({
  name: 'PriceFeed',
  table: 'price_feeds',
  key: 'feed_id',
  keyType: 'uuid',
});

/** In the order they happened: by instant, then by the source's sequence. */
export const priceFeedList = connectionSource<PriceFeedRow>({
  table: 'price_feed_list',
  id: 'position',
  sorts: { TIMESTAMP: 'timestamp' },
  parents: { symbol: 'text' },
});

/** The conditions of a filter. Throws a validation Refusal on a symbol that is none. */
export function priceFeedConditions(filter: PriceFeedFilter | null | undefined): Sql[] {
  if (!filter) return [];
  return [...equalsSymbol('symbol', filter.symbol), ...equals('source', filter.source), ...within('timestamp', filter)];
}
