import type { QueryResolvers } from '../generated/resolvers.ts';

export const Query: QueryResolvers = {
  auditFeed: (_, __, context) => context.feed.status(),
  auditHealth: (_, __, context) => context.health.read(),
};
