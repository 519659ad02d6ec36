/** The trading subgraph: strategies, their orders and executions, the positions and portfolios that result. */
import { chaosResolvers } from '../../platform/chaos/resolvers.ts';
import { contractIn } from '../../platform/contract.ts';
import { mergeResolvers } from '../../platform/resolver-maps.ts';
import { defineSubgraph } from '../../platform/subgraph.ts';
import { PrismaClient } from '../../prisma/trading/generated/client.ts';
import { PerformanceReport } from './analytics/resolvers/PerformanceReport.ts';
import { PerformanceShare } from './analytics/resolvers/PerformanceShare.ts';
import { backtestTypes } from './backtests/resolvers/types.ts';
import { exports } from './exports.ts';
import type { Resolvers } from './generated/resolvers.ts';
import { changes } from './resolvers/changes.ts';
import { ExchangeOrder } from './resolvers/ExchangeOrder.ts';
import { ExchangeTrade } from './resolvers/ExchangeTrade.ts';
import { Instrument } from './resolvers/Instrument.ts';
import { Mutation } from './resolvers/Mutation.ts';
import { Portfolio } from './resolvers/Portfolio.ts';
import { payloads } from './resolvers/payloads.ts';
import { QuarantinedFill } from './resolvers/QuarantinedFill.ts';
import { Query } from './resolvers/Query.ts';
import { Strategy } from './resolvers/Strategy.ts';
import { Subscription } from './resolvers/Subscription.ts';
import { TradingOrder } from './resolvers/TradingOrder.ts';
import { TradingPosition } from './resolvers/TradingPosition.ts';
import { TradingTrade } from './resolvers/TradingTrade.ts';
import { startTrading } from './service.ts';
import { tradeStoreResolvers } from './trade-store/resolvers.ts';

const own: Resolvers = {
  Query,
  Mutation,
  Subscription,
  Strategy,
  TradingOrder,
  TradingTrade,
  TradingPosition,
  QuarantinedFill,
  Portfolio,
  Instrument,
  ExchangeOrder,
  ExchangeTrade,
  PerformanceReport,
  PerformanceShare,
  ...backtestTypes,
  ...payloads,
  ...changes,
};

export const trading = defineSubgraph({
  name: 'trading',
  typeDefs: contractIn(new URL('./', import.meta.url)),
  resolvers: mergeResolvers<object>(own, tradeStoreResolvers, chaosResolvers('trading')),
  exports,
  createPrisma: (adapter) => new PrismaClient({ adapter }),
  start: startTrading,
});
