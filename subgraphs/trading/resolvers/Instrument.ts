import type { InstrumentResolvers } from '../generated/resolvers.ts';
import { orderConditions, orderList } from '../orders.ts';
import { positionConditions, positionList } from '../positions.ts';
import { strategyConditions, strategyList } from '../strategies.ts';
import { tradeConditions, tradeList } from '../trades.ts';

export const Instrument: InstrumentResolvers = {
  __resolveReference: ({ symbol }) => ({ symbol }),
  positions: ({ symbol }, { filter, ...page }, context) =>
    context.connectChildren(positionList, 'instrument_id', symbol, page, positionConditions(filter)),
  strategies: ({ symbol }, { filter, ...page }, context) =>
    context.connectChildren(strategyList, 'instruments', symbol, page, strategyConditions(filter)),
  orders: ({ symbol }, { filter, ...page }, context) =>
    context.connectChildren(orderList, 'instrument_id', symbol, page, orderConditions(filter)),
  trades: ({ symbol }, { filter, ...page }, context) =>
    context.connectChildren(tradeList, 'instrument_id', symbol, page, tradeConditions(filter)),
};
