/** The test coordination subgraph: scenarios, their runs, the faults that they inject and what they found. */
import { contractIn } from '../../platform/contract.ts';
import { defineSubgraph } from '../../platform/subgraph.ts';
import { PrismaClient } from '../../prisma/test-coordination/generated/client.ts';
import type { Resolvers } from './generated/resolvers.ts';
import { changes } from './resolvers/changes.ts';
import { Mutation } from './resolvers/Mutation.ts';
import { payloads } from './resolvers/payloads.ts';
import { Query } from './resolvers/Query.ts';
import { runResolvers } from './resolvers/runs.ts';
import { Subscription } from './resolvers/Subscription.ts';
import { scenarioResolvers } from './resolvers/scenarios.ts';
import { startTestCoordination } from './service.ts';

const resolvers: Resolvers = {
  Query,
  Mutation,
  Subscription,
  ...scenarioResolvers,
  ...runResolvers,
  ...payloads,
  ...changes,
};

export const testCoordination = defineSubgraph({
  name: 'test-coordination',
  typeDefs: contractIn(new URL('./', import.meta.url)),
  resolvers,
  createPrisma: (adapter) => new PrismaClient({ adapter }),
  start: startTestCoordination,
});
