/** The module's resolvers, merged into those of its subgraph. */
import type { Resolvers } from '../generated/resolvers.ts';
import { ManagedTrade } from './resolvers/ManagedTrade.ts';
import { Mutation } from './resolvers/Mutation.ts';
import { Query } from './resolvers/Query.ts';
import { Subscription } from './resolvers/Subscription.ts';
import { types } from './resolvers/types.ts';

export const tradeStoreResolvers: Resolvers = { ...types, ManagedTrade, Query, Mutation, Subscription };
