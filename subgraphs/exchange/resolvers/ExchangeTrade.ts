import { existing } from '../../../platform/loaders.ts';
import { accounts } from '../accounts.ts';
import type { ExchangeTradeResolvers } from '../generated/resolvers.ts';
import { orders } from '../orders.ts';
import { trades } from '../trades.ts';

export const ExchangeTrade: ExchangeTradeResolvers = {
  __resolveReference: ({ tradeId }, context) => context.load(trades, tradeId),
  order: ({ orderId }, _, context) => existing(context.load(orders, orderId), 'ExchangeOrder', orderId),
  account: ({ accountId }, _, context) => existing(context.load(accounts, accountId), 'ExchangeAccount', accountId),
  instrument: ({ symbol }) => ({ symbol }),
  feeAsset: ({ feeCurrency }) => ({ code: feeCurrency }),
};
