import { badInput } from '../../../platform/errors.ts';
import { rowOf, toldAsIs } from '../../../platform/feed/events.ts';
import { readMinInterval } from '../../../platform/feed/min-interval.ts';
import { isOneOf } from '../../../platform/filters.ts';
import type { Context } from '../context.ts';
import type { MutationResolvers, QueryResolvers, Resolvers, SubscriptionResolvers } from '../generated/resolvers.ts';
import { instruments } from '../instruments.ts';
import { ACTIVE_STATES } from './rules/scenario-lifecycle.ts';
import { progressOf } from './rules/scenario-progress.ts';
import {
  createMarketScenario,
  scheduleMarketScenario,
  startMarketScenario,
  stopMarketScenario,
} from './scenario-commands.ts';
import {
  manipulationConditions,
  manipulationList,
  marketScenarios,
  scenarioConditions,
  scenarioList,
  scenarioManipulations,
  scenarioPriceTopic,
  scenarioTopic,
} from './scenarios.ts';

export const scenarioQueries = {
  marketScenario: (_, { scenarioId }, context) => context.load(marketScenarios, scenarioId),
  marketScenarios: (_, { filter, ...page }, context) => context.connect(scenarioList, page, scenarioConditions(filter)),
  activeMarketScenarios: (_, page, context) => context.connect(scenarioList, page, isOneOf('state', ACTIVE_STATES)),
  priceManipulations: (_, { filter, ...page }, context) =>
    context.connect(manipulationList, page, manipulationConditions(filter)),
} satisfies QueryResolvers;

export const scenarioMutations = {
  createMarketScenario: (_, { input }, context) => createMarketScenario(context, input),
  scheduleMarketScenario: (_, { input }, context) => scheduleMarketScenario(context, input),
  startMarketScenario: (_, { input }, context) => startMarketScenario(context, input),
  stopMarketScenario: (_, { input }, context) => stopMarketScenario(context, input),
} satisfies MutationResolvers;

/** Nobody follows the prices of a scenario more closely (domain.md §2.2). */
const LEAST_INTERVAL_MS = 100;

function readScenarioInterval(minIntervalMs: number): number {
  if (minIntervalMs >= LEAST_INTERVAL_MS) return readMinInterval(minIntervalMs);
  throw badInput(`minIntervalMs must be ${LEAST_INTERVAL_MS} or more, but got ${minIntervalMs}.`, ['minIntervalMs']);
}

export const scenarioSubscriptions = {
  marketScenarioChanges: {
    subscribe: (_, { scenarioId, after }, context) => context.changes(scenarioTopic, { choice: { scenarioId }, after }),
    resolve: toldAsIs,
  },
  scenarioPrices: {
    subscribe: (_, { scenarioId, minIntervalMs, after }, context) =>
      context.changes(scenarioPriceTopic, {
        choice: { scenarioId },
        minIntervalMs: readScenarioInterval(minIntervalMs),
        after,
      }),
    resolve: toldAsIs,
  },
} satisfies SubscriptionResolvers;

const scenario = ({ scenarioId }: { scenarioId?: string }, _: object, context: Context) =>
  scenarioId === undefined ? null : context.load(marketScenarios, scenarioId);

export const scenarioTypes: Resolvers = {
  MarketScenario: {
    instruments: ({ symbols }, _, context) => Promise.all(symbols.map((symbol) => context.load(instruments, symbol))),
    progress: ({ startedAt, endsAt, endedAt }, _, context) =>
      progressOf(startedAt, endsAt, endedAt ?? context.now().toISOString()).toFixed(),
    manipulations: ({ scenarioId }, _, context) => context.list(scenarioManipulations, scenarioId),
  },
  PriceManipulation: {
    scenario,
    instrument: ({ symbol }, _, context) => context.load(instruments, symbol),
    isActive: ({ state }) => state === 'ACTIVE',
  },
  CreateMarketScenarioPayload: { scenario },
  ScheduleMarketScenarioPayload: { scenario },
  StartMarketScenarioPayload: { scenario },
  StopMarketScenarioPayload: { scenario },
  MarketScenarioChange: { scenario: rowOf },
  ScenarioPriceChange: { manipulation: rowOf },
};
