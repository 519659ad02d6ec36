import { dec } from '../../../../platform/decimal.ts';
import { shown } from '../../../../platform/enums.ts';
import type { Context } from '../../context.ts';
import type { ManagedTradeResolvers } from '../../generated/resolvers.ts';
import { orders } from '../../orders.ts';
import { strategies } from '../../strategies.ts';
import { managedTrade, markOf, openResults } from '../managed-trades.ts';
import { isOpen } from '../rules/lifecycle.ts';
import type { ManagedTrade as Trade } from '../rules/managed-trade.ts';
import { isEntered, type Results, resultsAt } from '../rules/results.ts';

const open =
  (field: keyof Results) =>
  async (trade: Trade, _: object, context: Context): Promise<string | null> =>
    (await openResults(context, trade))?.[field]?.toFixed() ?? null;

const order = (field: 'exchangeOrderId' | 'slOrderId' | 'tpOrderId') => (trade: Trade, _: object, context: Context) => {
  const orderId = trade[field];
  return orderId === null ? null : context.load(orders, orderId);
};

export const ManagedTrade: ManagedTradeResolvers = {
  __resolveReference: ({ tradeId }, context) => managedTrade(context, tradeId),
  instrument: ({ symbol }) => ({ symbol }),
  side: ({ side }) => shown(side),
  status: ({ status }) => shown(status),
  isOpen: (trade) => isOpen(trade),
  margin: ({ marginUsd }) => marginUsd,
  enteredAt: ({ entryTime }) => entryTime,
  stopLossPrice: ({ slPrice }) => slPrice,
  initialStopLossPrice: ({ initialSlPrice }) => initialSlPrice,
  takeProfitPrice: ({ tpPrice }) => tpPrice,
  trailFraction: ({ trailPercent }) => trailPercent,
  exitedAt: ({ exitTime }) => exitTime,
  closeReason: ({ closeReason }) => closeReason && shown(closeReason),
  pnl: ({ pnlUsd }) => pnlUsd,
  pnlPercent: ({ pnlPct }) => pnlPct,
  netRMultiple: (trade) => {
    if (trade.exitPrice === null || !isEntered(trade)) return null;
    return resultsAt(trade, dec(trade.exitPrice)).netRMultiple?.toFixed() ?? null;
  },
  entryFee: ({ entryFeeUsd }) => entryFeeUsd,
  exitFee: ({ exitFeeUsd }) => exitFeeUsd,
  fundingFees: ({ fundingFeesUsd }) => fundingFeesUsd,
  realizedPartialPnl: ({ realizedPartialPnlUsd }) => realizedPartialPnlUsd,
  currentPrice: async (trade, _, context) => (await markOf(context, trade))?.price ?? null,
  markedAt: async (trade, _, context) => (await markOf(context, trade))?.at ?? null,
  unrealizedPnl: open('gross'),
  openPnl: open('net'),
  openPnlPercent: open('percent'),
  openRMultiple: open('rMultiple'),
  order: order('exchangeOrderId'),
  stopLossOrder: order('slOrderId'),
  takeProfitOrder: order('tpOrderId'),
  strategy: ({ strategyId }, _, context) => (strategyId === null ? null : context.load(strategies, strategyId)),
  account: ({ accountId }) => (accountId === null ? null : { accountId }),
  venue: ({ venueId }) => venueId,
  rlOriginalLeverage: ({ rlLeverageOriginal }) => rlLeverageOriginal,
};
