/** The risk subgraph: limits and how far they are used, alerts, the trading circuit breaker, what portfolios may lose. */
import { contractIn } from '../../platform/contract.ts';
import { defineSubgraph } from '../../platform/subgraph.ts';
import { PrismaClient } from '../../prisma/risk/generated/client.ts';
import type { Resolvers } from './generated/resolvers.ts';
import { Mutation } from './resolvers/Mutation.ts';
import { Query } from './resolvers/Query.ts';

const resolvers: Resolvers = { Query, Mutation };

export const risk = defineSubgraph({
  name: 'risk',
  typeDefs: contractIn(new URL('./', import.meta.url)),
  resolvers,
  createPrisma: (adapter) => new PrismaClient({ adapter }),
});
