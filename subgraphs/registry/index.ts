/** The registry subgraph: which processes there are and how they do, and what services are configured with. */
import { contractIn } from '../../platform/contract.ts';
import { defineSubgraph } from '../../platform/subgraph.ts';
import { PrismaClient } from '../../prisma/registry/generated/client.ts';
import type { Resolvers } from './generated/resolvers.ts';
import { ConfigEntry } from './resolvers/ConfigEntry.ts';
import { changes } from './resolvers/changes.ts';
import { GraphHealth } from './resolvers/GraphHealth.ts';
import { Mutation } from './resolvers/Mutation.ts';
import { payloads } from './resolvers/payloads.ts';
import { Query } from './resolvers/Query.ts';
import { ServiceInstance } from './resolvers/ServiceInstance.ts';
import { Subscription } from './resolvers/Subscription.ts';
import { startRegistry } from './service.ts';

const resolvers: Resolvers = {
  Query,
  Mutation,
  Subscription,
  GraphHealth,
  ServiceInstance,
  ConfigEntry,
  ...payloads,
  ...changes,
};

export const registry = defineSubgraph({
  name: 'registry',
  typeDefs: contractIn(new URL('./', import.meta.url)),
  resolvers,
  createPrisma: (adapter) => new PrismaClient({ adapter }),
  start: startRegistry,
});
