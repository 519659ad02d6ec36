import { invalidateCache } from '../../../platform/cache/invalidation.ts';
import { deleteConfig, setConfig } from '../config-commands.ts';
import type { MutationResolvers } from '../generated/resolvers.ts';
import {
  cleanupStaleServices,
  deregisterService,
  heartbeat,
  registerService,
  setServiceStatus,
} from '../service-commands.ts';

export const Mutation: MutationResolvers = {
  invalidateRegistryCache: invalidateCache,
  registerService: (_, { input }, context) => registerService(context, input),
  heartbeat: (_, { input }, context) => heartbeat(context, input),
  deregisterService: (_, { input }, context) => deregisterService(context, input),
  setServiceStatus: (_, { input }, context) => setServiceStatus(context, input),
  cleanupStaleServices: (_, { input }, context) => cleanupStaleServices(context, input),
  setConfig: (_, { input }, context) => setConfig(context, input),
  deleteConfig: (_, { input }, context) => deleteConfig(context, input),
};
