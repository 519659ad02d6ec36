/** The market-data subgraph: instruments, prices, candles, tickers and order books. */

import { chaosResolvers } from '../../platform/chaos/resolvers.ts';
import { contractIn } from '../../platform/contract.ts';
import { defineSubgraph } from '../../platform/subgraph.ts';
import { PrismaClient } from '../../prisma/market-data/generated/client.ts';
import { analyticsMutations, analyticsQueries, analyticsTypes } from './analytics/resolvers.ts';
import { exports } from './exports.ts';
import type { Resolvers } from './generated/resolvers.ts';
import { Asset } from './resolvers/Asset.ts';
import { changes } from './resolvers/changes.ts';
import { Instrument } from './resolvers/Instrument.ts';
import { Mutation } from './resolvers/Mutation.ts';
import { payloads } from './resolvers/payloads.ts';
import { Query } from './resolvers/Query.ts';
import { rows } from './resolvers/rows.ts';
import { Subscription } from './resolvers/Subscription.ts';
import { retentionMutations, retentionTypes } from './retention/resolvers.ts';
import { scenarioMutations, scenarioQueries, scenarioSubscriptions, scenarioTypes } from './scenarios/resolvers.ts';
import { startMarketData } from './service.ts';
import {
  consensusOfInstrument,
  sourceMutations,
  sourceQueries,
  sourceSubscriptions,
  sourceTypes,
} from './sources/resolvers.ts';

const chaos = chaosResolvers('market-data');

const resolvers: Resolvers = {
  Query: { ...Query, ...sourceQueries, ...scenarioQueries, ...analyticsQueries, ...chaos.Query },
  Mutation: {
    ...Mutation,
    ...retentionMutations,
    ...sourceMutations,
    ...scenarioMutations,
    ...analyticsMutations,
    ...chaos.Mutation,
  },
  Subscription: { ...Subscription, ...sourceSubscriptions, ...scenarioSubscriptions },
  Asset,
  Instrument: { ...Instrument, ...consensusOfInstrument },
  ...rows,
  ...changes,
  ...payloads,
  ...retentionTypes,
  ...sourceTypes,
  ...scenarioTypes,
  ...analyticsTypes,
};

export const marketData = defineSubgraph({
  name: 'market-data',
  typeDefs: contractIn(new URL('./', import.meta.url)),
  resolvers,
  exports,
  createPrisma: (adapter) => new PrismaClient({ adapter }),
  start: startMarketData,
});
