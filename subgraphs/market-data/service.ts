/** What market data runs beside its requests: the writer that prices share, and what time alone changes. */
import type { ServiceParts } from '../../platform/subgraph.ts';
import { createPriceWriter, type PriceWriter } from './price-writer.ts';
import { startUpkeep } from './upkeep.ts';

export interface MarketDataService {
  prices: PriceWriter;
  stop(): Promise<void>;
}

export function startMarketData(parts: ServiceParts): MarketDataService {
  const prices = createPriceWriter();
  parts.health.heed('the writing of prices', () => prices.complaints());
  const upkeep = startUpkeep(parts);
  return { prices, stop: () => upkeep.stop() };
}
