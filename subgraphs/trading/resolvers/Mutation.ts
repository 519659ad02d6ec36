import { invalidateCache } from '../../../platform/cache/invalidation.ts';
import { archiveMutations } from '../archive/resolvers/Mutation.ts';
import { backtestMutations } from '../backtests/resolvers/fields.ts';
import { recordFill } from '../fills.ts';
import type { MutationResolvers } from '../generated/resolvers.ts';
import { markPositions } from '../marks.ts';
import { acceptOrder, cancelOrder, expireOrder, rejectOrder, submitOrder } from '../order-commands.ts';
import { placeOrder } from '../placing.ts';
import { closePosition } from '../position-commands.ts';
import { resolveQuarantinedFill } from '../routing/resolving.ts';
import { configureStrategy, createStrategy, deleteStrategy } from '../strategy-commands.ts';
import {
  failStrategy,
  pauseStrategy,
  resetStrategy,
  resumeStrategy,
  startStrategy,
  stopStrategy,
} from '../strategy-states.ts';

export const Mutation: MutationResolvers = {
  invalidateTradingCache: invalidateCache,
  createStrategy: (_, { input }, context) => createStrategy(context, input),
  configureStrategy: (_, { input }, context) => configureStrategy(context, input),
  deleteStrategy: (_, { input }, context) => deleteStrategy(context, input),
  startStrategy: (_, { input }, context) => startStrategy(context, input),
  pauseStrategy: (_, { input }, context) => pauseStrategy(context, input),
  resumeStrategy: (_, { input }, context) => resumeStrategy(context, input),
  stopStrategy: (_, { input }, context) => stopStrategy(context, input),
  failStrategy: (_, { input }, context) => failStrategy(context, input),
  resetStrategy: (_, { input }, context) => resetStrategy(context, input),
  placeOrder: (_, { input }, context) => placeOrder(context, input),
  submitOrder: (_, { input }, context) => submitOrder(context, input),
  acceptOrder: (_, { input }, context) => acceptOrder(context, input),
  rejectOrder: (_, { input }, context) => rejectOrder(context, input),
  expireOrder: (_, { input }, context) => expireOrder(context, input),
  cancelOrder: (_, { input }, context) => cancelOrder(context, input),
  recordFill: (_, { input }, context) => recordFill(context, input),
  resolveQuarantinedFill: (_, { input }, context) => resolveQuarantinedFill(context, input),
  markPositions: (_, { input }, context) => markPositions(context, input),
  closePosition: (_, { input }, context) => closePosition(context, input),
  ...archiveMutations,
  ...backtestMutations,
};
