/** What the module adds to other types, and the types that need a line or two. */
import { rowOf } from '../../../../platform/feed/events.ts';
import type { Context } from '../../context.ts';
import type { Resolvers } from '../../generated/resolvers.ts';
import {
  managedTradeConditions,
  managedTradeList,
  managedTradeOf,
  managedTrade as tradeById,
} from '../managed-trades.ts';

const managedTrade = ({ tradeId }: { tradeId?: string }, _: object, context: Context) =>
  tradeId === undefined ? null : tradeById(context, tradeId);

/** What a comparison tells of single trades at most. */
const DIFFERENCES_SHOWN = 100;

export const types: Resolvers = {
  OpenManagedTradePayload: { managedTrade },
  AdjustManagedTradePayload: { managedTrade },
  CloseManagedTradePayload: { managedTrade },
  ManagedTradeChange: { managedTrade: rowOf },
  ManagedTradeComparison: {
    copyCount: ({ replicaCount }) => replicaCount,
    differenceCount: ({ differences }) => differences.length,
    differences: ({ differences }) => differences.slice(0, DIFFERENCES_SHOWN),
  },
  ManagedTradeDifference: { copyVersion: ({ replicaVersion }) => replicaVersion },
  TradingOrder: { managedTrade: ({ orderId }, _, context) => managedTradeOf(context, orderId) },
  Strategy: {
    managedTrades: ({ strategyId }, { filter, ...page }, context) =>
      context.connectChildren(managedTradeList, 'strategy_id', strategyId, page, managedTradeConditions(filter)),
  },
};
