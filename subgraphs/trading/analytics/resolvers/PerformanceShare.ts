import { type Decimal, round8 } from '../../../../platform/decimal.ts';
import { existing } from '../../../../platform/loaders.ts';
import type { PerformanceShareResolvers } from '../../generated/resolvers.ts';
import { strategies } from '../../strategies.ts';
import type { Share } from '../attribution.ts';
import { volumeWeightedPrice } from '../rules/execution-quality.ts';

/** Prices of several instruments have no mean. */
function meanPrice({ instrumentId }: Share, notional: Decimal, quantity: Decimal): string | null {
  const price = instrumentId === null ? null : volumeWeightedPrice(notional, quantity);
  return price && round8(price).toFixed();
}

export const PerformanceShare: PerformanceShareResolvers = {
  strategy: ({ strategyId }, _, context) =>
    strategyId === null ? null : existing(context.load(strategies, strategyId), 'Strategy', strategyId),
  instrument: ({ instrumentId }) => (instrumentId === null ? null : { symbol: instrumentId }),
  pnl: ({ pnl }) => pnl.toFixed(),
  realizedPnl: ({ realizedPnl }) => realizedPnl.toFixed(),
  unrealizedPnlChange: ({ pnl, realizedPnl }) => pnl.minus(realizedPnl).toFixed(),
  volume: ({ volume }) => volume.toFixed(),
  commission: ({ commission }) => commission.toFixed(),
  buyVwap: (share) => meanPrice(share, share.boughtNotional, share.boughtQuantity),
  sellVwap: (share) => meanPrice(share, share.soldNotional, share.soldQuantity),
};
