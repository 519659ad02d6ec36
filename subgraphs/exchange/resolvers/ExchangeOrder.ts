import { existing } from '../../../platform/loaders.ts';
import { accounts } from '../accounts.ts';
import type { ExchangeOrderResolvers } from '../generated/resolvers.ts';
import { orders } from '../orders.ts';
import { shownOrderStatus } from '../rules/order-lifecycle.ts';
import { tradeConditions, tradeList } from '../trades.ts';

export const ExchangeOrder: ExchangeOrderResolvers = {
  __resolveReference: ({ orderId }, context) => context.load(orders, orderId),
  account: ({ accountId }, _, context) => existing(context.load(accounts, accountId), 'ExchangeAccount', accountId),
  instrument: ({ symbol }) => ({ symbol }),
  type: ({ orderType }) => orderType,
  status: ({ status }) => shownOrderStatus(status),
  reservedAsset: ({ reservedAsset }) => ({ code: reservedAsset }),
  trades: ({ orderId }, { filter, ...page }, context) =>
    context.connectChildren(tradeList, 'order_id', orderId, page, tradeConditions(filter)),
};
