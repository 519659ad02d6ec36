import type { QueryResolvers } from '../generated/resolvers.ts';

export const Query: QueryResolvers = {
  riskFeed: (_, __, context) => context.feed.status(),
  riskHealth: (_, __, context) => context.health.read(),
};
