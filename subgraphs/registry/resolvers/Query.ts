import { configConditions, configList, configOf } from '../configs.ts';
import type { QueryResolvers } from '../generated/resolvers.ts';
import { serviceName } from '../rules/names.ts';
import { listServices, serviceById } from '../services.ts';

export const Query: QueryResolvers = {
  registryFeed: (_, __, context) => context.feed.status(),
  registryHealth: (_, __, context) => context.health.read(),
  health: (_, __, context) => context.service.health.read(),

  cacheStats: async (_, { domain = null }, context) => {
    const { domains } = await context.service.health.read();
    return domains.flatMap(({ cache }) => (cache && (domain === null || cache.domain === domain) ? [cache] : []));
  },

  services: (_, wanted, context) => listServices(context, wanted),
  service: (_, { name }, context) =>
    context.service.ask((services) => services.getService(serviceName(name, ['name']))),
  serviceById: (_, { serviceId }, context) => serviceById(context, serviceId),

  config: (_, { key, service }, context) => configOf(context, key, service),
  configs: (_, { filter, ...page }, context) => context.connect(configList, page, configConditions(filter)),
};
