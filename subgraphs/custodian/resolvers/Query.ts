import type { QueryResolvers } from '../generated/resolvers.ts';

export const Query: QueryResolvers = {
  custodianFeed: (_, __, context) => context.feed.status(),
  custodianHealth: (_, __, context) => context.health.read(),
};
