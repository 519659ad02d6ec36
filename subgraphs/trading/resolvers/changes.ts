/** What subscriptions tell, under the name of what has changed. */
import { rowOf } from '../../../platform/feed/events.ts';
import type { Resolvers } from '../generated/resolvers.ts';
import { holdPrices } from '../positions.ts';

export const changes: Resolvers = {
  PositionChange: { position: rowOf },
  OrderChange: { order: rowOf },
  TradeChange: { trade: rowOf },
  StrategyChange: { strategy: rowOf },
  QuarantinedFillChange: { quarantinedFill: rowOf },
  PortfolioChange: {
    portfolio({ row }, _, context) {
      if (row?.valued) holdPrices(context, row.valued.prices);
      return row;
    },
  },
};
