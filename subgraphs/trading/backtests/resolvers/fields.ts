/** What backtests add to queries, commands, subscriptions and strategies. */
import { toldAsIs as resolve } from '../../../../platform/feed/events.ts';
import type {
  MutationResolvers,
  QueryResolvers,
  StrategyResolvers,
  SubscriptionResolvers,
} from '../../generated/resolvers.ts';
import { cancelBacktest, startBacktest } from '../backtest-commands.ts';
import { backtestConditions, backtestList, backtests, backtestTopic } from '../backtests.ts';

export const backtestQueries: Pick<QueryResolvers, 'backtest' | 'backtests'> = {
  backtest: (_, { id }, context) => context.load(backtests, id),
  backtests: (_, { filter, ...page }, context) => context.connect(backtestList, page, backtestConditions(filter)),
};

export const backtestMutations: Pick<MutationResolvers, 'startBacktest' | 'cancelBacktest'> = {
  startBacktest: (_, { input }, context) => startBacktest(context, input),
  cancelBacktest: (_, { input }, context) => cancelBacktest(context, input),
};

export const backtestSubscriptions: Pick<SubscriptionResolvers, 'backtestChanges'> = {
  backtestChanges: {
    subscribe: (_, { after, runId }, context) => context.changes(backtestTopic, { choice: { runId }, after }),
    resolve,
  },
};

export const strategyBacktests: Pick<StrategyResolvers, 'backtests'> = {
  backtests: ({ strategyId }, page, context) => context.connectChildren(backtestList, 'strategy_id', strategyId, page),
};
