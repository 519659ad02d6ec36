import type { QueryResolvers } from '../../generated/resolvers.ts';
import { managedTrade, managedTradeConditions, managedTradeList, openManagedTrades } from '../managed-trades.ts';
import { managedTradeStats } from '../statistics.ts';

export const Query: QueryResolvers = {
  managedTrade: (_, { id }, context) => managedTrade(context, id),
  managedTrades: (_, { filter, ...page }, context) =>
    context.connect(managedTradeList, page, managedTradeConditions(filter)),
  openManagedTrades: (_, args, context) => openManagedTrades(context, args),
  managedTradeStats: (_, { filter }, context) => managedTradeStats(context, filter),
  managedTradeComparison: (_, __, context) => context.service.trades.comparisons(),
};
