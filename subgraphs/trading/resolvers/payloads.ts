/** What commands give back: the things they name, as they are after the commit. */
import { loadKept } from '../archive/archive.ts';
import { archivePayloads } from '../archive/resolvers/payloads.ts';
import type { Context } from '../context.ts';
import type { Resolvers } from '../generated/resolvers.ts';
import { orders } from '../orders.ts';
import { openPositionOf, positions } from '../positions.ts';
import { quarantinedFills } from '../routing/quarantine.ts';
import { strategies } from '../strategies.ts';
import { trades } from '../trades.ts';

const strategy = ({ strategyId }: { strategyId?: string }, _: object, context: Context) =>
  strategyId === undefined ? null : context.load(strategies, strategyId);

const order = ({ orderId }: { orderId?: string }, _: object, context: Context) =>
  orderId === undefined ? null : context.load(orders, orderId);

const cancelledOrderCount = (payload: { cancelledOrderCount?: number }) => payload.cancelledOrderCount ?? 0;

export const payloads: Resolvers = {
  CreateStrategyPayload: { strategy },
  ConfigureStrategyPayload: { strategy },
  DeleteStrategyPayload: { strategyId: ({ strategyId }) => strategyId ?? null },
  StartStrategyPayload: { strategy },
  PauseStrategyPayload: { strategy, cancelledOrderCount },
  ResumeStrategyPayload: { strategy },
  StopStrategyPayload: { strategy, cancelledOrderCount },
  FailStrategyPayload: { strategy, cancelledOrderCount },
  ResetStrategyPayload: { strategy },
  PlaceOrderPayload: { order },
  SubmitOrderPayload: { order },
  AcceptOrderPayload: { order },
  RejectOrderPayload: { order },
  ExpireOrderPayload: { order },
  CancelOrderPayload: { order },
  RecordFillPayload: {
    trade: ({ tradeId }, _, context) => (tradeId === undefined ? null : loadKept(context, trades, tradeId)),
    order,
    position: ({ strategyId, symbol }, _, context) =>
      strategyId === undefined || symbol === undefined ? null : openPositionOf(context, strategyId, symbol),
  },
  ClosePositionPayload: {
    order,
    position: ({ positionId }, _, context) =>
      positionId === undefined ? null : loadKept(context, positions, positionId),
  },
  ResolveQuarantinedFillPayload: {
    quarantinedFill: ({ quarantinedFillId }, _, context) =>
      quarantinedFillId === undefined ? null : context.load(quarantinedFills, quarantinedFillId),
    trade: ({ tradeId }, _, context) => (tradeId ? context.load(trades, tradeId) : null),
  },
  MarkPositionsPayload: { markedPositionCount: (payload) => payload.markedPositionCount ?? 0 },
  ...archivePayloads,
};
