/** The audit subgraph: what has happened in every domain, sealed in chains, and what has caused what. */
import { contractIn } from '../../platform/contract.ts';
import { defineSubgraph } from '../../platform/subgraph.ts';
import { PrismaClient } from '../../prisma/audit/generated/client.ts';
import type { Resolvers } from './generated/resolvers.ts';
import { entityResolvers } from './resolvers/entities.ts';
import { Mutation } from './resolvers/Mutation.ts';
import { payloads } from './resolvers/payloads.ts';
import { Query } from './resolvers/Query.ts';
import { Subscription } from './resolvers/Subscription.ts';
import { trailResolvers } from './resolvers/trail.ts';
import { startAudit } from './service.ts';

const resolvers: Resolvers = {
  Query,
  Mutation,
  Subscription,
  ...trailResolvers,
  ...entityResolvers,
  ...payloads,
};

export const audit = defineSubgraph({
  name: 'audit',
  typeDefs: contractIn(new URL('./', import.meta.url)),
  resolvers,
  createPrisma: (adapter) => new PrismaClient({ adapter }),
  start: startAudit,
});
