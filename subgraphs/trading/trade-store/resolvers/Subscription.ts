import { toldAsIs as resolve } from '../../../../platform/feed/events.ts';
import type { SubscriptionResolvers } from '../../generated/resolvers.ts';
import { instrumentIds } from '../../topics.ts';
import { managedTradeTopic } from '../managed-trades.ts';

export const Subscription: SubscriptionResolvers = {
  managedTradeChanges: {
    subscribe: (_, { accountId, strategyId, symbols, after }, context) =>
      context.changes(managedTradeTopic, { choice: { accountId, strategyId, symbol: instrumentIds(symbols) }, after }),
    resolve,
  },
};
