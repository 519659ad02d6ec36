/** What market data runs beside its requests: the writer that prices share. */
import type { ServiceParts } from '../../platform/subgraph.ts';
import { createPriceWriter, type PriceWriter } from './price-writer.ts';

export interface MarketDataService {
  prices: PriceWriter;
  stop(): Promise<void>;
}

export function startMarketData({ health }: ServiceParts): MarketDataService {
  const prices = createPriceWriter();
  health.heed('the writing of prices', () => prices.complaints());
  return { prices, stop: async () => undefined };
}
