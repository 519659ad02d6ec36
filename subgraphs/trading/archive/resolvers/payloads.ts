import type { Resolvers } from '../../generated/resolvers.ts';

const archivedTradeCount = (payload: { archivedTradeCount?: number }) => payload.archivedTradeCount ?? 0;
const hasMore = (payload: { hasMore?: boolean }) => payload.hasMore ?? false;

export const archivePayloads: Resolvers = {
  ArchiveOrdersPayload: {
    archivedOrderCount: (payload) => payload.archivedOrderCount ?? 0,
    archivedTradeCount,
    hasMore,
  },
  ArchiveTradesPayload: { archivedTradeCount, hasMore },
  ArchivePositionsPayload: { archivedPositionCount: (payload) => payload.archivedPositionCount ?? 0, hasMore },
};
