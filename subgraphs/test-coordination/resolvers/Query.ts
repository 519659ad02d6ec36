import type { QueryResolvers } from '../generated/resolvers.ts';

export const Query: QueryResolvers = {
  testCoordinationFeed: (_, __, context) => context.feed.status(),
  testCoordinationHealth: (_, __, context) => context.health.read(),
};
