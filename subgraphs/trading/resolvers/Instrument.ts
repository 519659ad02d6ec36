import type { InstrumentResolvers } from '../generated/resolvers.ts';
import { orderConditions, orderListOf } from '../orders.ts';
import { positionConditions, positionListOf } from '../positions.ts';
import { strategyConditions, strategyList } from '../strategies.ts';
import { tradeConditions, tradeListOf } from '../trades.ts';

export const Instrument: InstrumentResolvers = {
  __resolveReference: ({ symbol }) => ({ symbol }),
  positions: ({ symbol }, { filter, ...page }, context) =>
    context.connectChildren(positionListOf(filter), 'instrument_id', symbol, page, positionConditions(filter)),
  strategies: ({ symbol }, { filter, ...page }, context) =>
    context.connectChildren(strategyList, 'instruments', symbol, page, strategyConditions(filter)),
  orders: ({ symbol }, { filter, ...page }, context) =>
    context.connectChildren(orderListOf(filter), 'instrument_id', symbol, page, orderConditions(filter)),
  trades: ({ symbol }, { filter, ...page }, context) =>
    context.connectChildren(tradeListOf(filter), 'instrument_id', symbol, page, tradeConditions(filter)),
};
