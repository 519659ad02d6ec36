import type { GraphHealthResolvers } from '../generated/resolvers.ts';

export const GraphHealth: GraphHealthResolvers = {
  services: (_, __, context) => context.service.ask((services) => services.listServices()),
};
