import { ageMs, isStale } from '../../../platform/instant.ts';
import { existing } from '../../../platform/loaders.ts';
import { positionAnalytics } from '../analytics/resolvers/fields.ts';
import { loadKept } from '../archive/archive.ts';
import type { Context } from '../context.ts';
import type { TradingPositionResolvers } from '../generated/resolvers.ts';
import { positions, type TradingPositionRow, valued } from '../positions.ts';
import type { Marked } from '../rules/valuation.ts';
import { strategies } from '../strategies.ts';

const live =
  <Field extends keyof Marked>(field: Field) =>
  (row: TradingPositionRow, _: object, context: Context): Marked[Field] =>
    valued(context, row)[field];

export const TradingPosition: TradingPositionResolvers = {
  __resolveReference: ({ positionId }, context) => loadKept(context, positions, positionId),
  strategy: ({ strategyId }, _, context) => existing(context.load(strategies, strategyId), 'Strategy', strategyId),
  account: ({ accountId }) => ({ accountId }),
  instrument: ({ instrumentId }) => ({ symbol: instrumentId }),
  isOpen: ({ closedAt }) => closedAt === null,
  currentPrice: live('currentPrice'),
  markedAt: live('markedAt'),
  markAgeMs: (row, _, context) => ageMs(valued(context, row).markedAt, context.now()),
  isMarkStale: (row, _, context) => row.closedAt === null && isStale(valued(context, row).markedAt, context.now()),
  marketValue: live('marketValue'),
  exposure: live('exposure'),
  unrealizedPnl: live('unrealizedPnl'),
  totalPnl: live('totalPnl'),
  ...positionAnalytics,
};
