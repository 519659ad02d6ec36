/** The risk subgraph: limits and how far they are used, alerts, the trading circuit breaker, what portfolios may lose. */
import { chaosResolvers } from '../../platform/chaos/resolvers.ts';
import { contractIn } from '../../platform/contract.ts';
import { defineSubgraph } from '../../platform/subgraph.ts';
import { PrismaClient } from '../../prisma/risk/generated/client.ts';
import { complianceResolvers } from './compliance/resolvers.ts';
import type { Resolvers } from './generated/resolvers.ts';
import { alertResolvers } from './resolvers/alerts.ts';
import { changes } from './resolvers/changes.ts';
import { foreignResolvers } from './resolvers/foreign.ts';
import { limitResolvers } from './resolvers/limits.ts';
import { Mutation } from './resolvers/Mutation.ts';
import { measureResolvers } from './resolvers/measures.ts';
import { payloads } from './resolvers/payloads.ts';
import { Query } from './resolvers/Query.ts';
import { Subscription } from './resolvers/Subscription.ts';
import { startRisk } from './service.ts';

const chaos = chaosResolvers('risk');

const resolvers: Resolvers = {
  Query: { ...Query, ...chaos.Query },
  Mutation: { ...Mutation, ...chaos.Mutation },
  Subscription,
  ...limitResolvers,
  ...alertResolvers,
  ...measureResolvers,
  ...foreignResolvers,
  ...complianceResolvers,
  ...payloads,
  ...changes,
};

export const risk = defineSubgraph({
  name: 'risk',
  typeDefs: contractIn(new URL('./', import.meta.url)),
  resolvers,
  createPrisma: (adapter) => new PrismaClient({ adapter }),
  start: startRisk,
});
