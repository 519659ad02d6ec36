/** What performance adds to the types that others own: to queries, strategies, portfolios, positions and orders. */
import { dec, round8 } from '../../../../platform/decimal.ts';
import { badInput } from '../../../../platform/errors.ts';
import { loadKept } from '../../archive/archive.ts';
import type { Context } from '../../context.ts';
import type {
  PortfolioResolvers,
  QueryResolvers,
  StrategyResolvers,
  TradingOrderResolvers,
  TradingPositionResolvers,
} from '../../generated/resolvers.ts';
import { orders, type TradingOrderRow } from '../../orders.ts';
import { portfolioOf } from '../../portfolio.ts';
import { strategies } from '../../strategies.ts';
import { capitalOf, capitalOfAccount } from '../capital.ts';
import { type CurveArgs, equityCurve } from '../equity-curve.ts';
import { type PerformanceArgs, performanceOf } from '../performance.ts';
import { slippageBps } from '../rules/execution-quality.ts';

type WithCapital<Args> = Args & { capital?: string | null | undefined };

interface Capitalized {
  strategyId: string;
  capital: string | null;
}

const ofStrategy = (id: string) => ({ column: 'strategy_id' as const, id });
const ofAccount = (id: string) => ({ column: 'account_id' as const, id });

function strategyPerformance(row: Capitalized, args: WithCapital<PerformanceArgs>, context: Context) {
  return performanceOf(context, ofStrategy(row.strategyId), capitalOf(args.capital, row.capital), args);
}

function strategyCurve(row: Capitalized, args: WithCapital<CurveArgs>, context: Context) {
  return equityCurve(context, ofStrategy(row.strategyId), capitalOf(args.capital, row.capital), args);
}

async function accountCapital(accountId: string, { capital }: WithCapital<object>, context: Context) {
  return capitalOf(capital, capital ? null : await capitalOfAccount(context, accountId));
}

async function accountCurve(accountId: string, args: WithCapital<CurveArgs>, context: Context) {
  return equityCurve(context, ofAccount(accountId), await accountCapital(accountId, args, context), args);
}

function slippageOf({ side, averageFillPrice, referencePrice }: TradingOrderRow): string | null {
  if (averageFillPrice === null || referencePrice === null) return null;
  return round8(slippageBps(side, dec(averageFillPrice), dec(referencePrice))).toFixed();
}

export const analyticsQueries: Pick<QueryResolvers, 'performance' | 'equityCurve' | 'slippage'> = {
  performance: async (_, { strategyId, ...args }, context) => {
    const row = await context.load(strategies, strategyId);
    return row && strategyPerformance(row, args, context);
  },
  equityCurve: async (_, { strategyId = null, accountId = null, ...args }, context) => {
    if ((strategyId === null) === (accountId === null)) {
      throw badInput('Exactly one of strategyId and accountId must be given.', ['strategyId']);
    }
    if (accountId !== null) {
      const portfolio = portfolioOf(accountId);
      return portfolio && accountCurve(portfolio.accountId, args, context);
    }
    const row = await context.load(strategies, strategyId as string);
    return row && strategyCurve(row, args, context);
  },
  slippage: async (_, { orderId }, context) => {
    const order = await loadKept(context, orders, orderId);
    return order && slippageOf(order);
  },
};

export const strategyAnalytics: Pick<StrategyResolvers, 'performance' | 'equityCurve'> = {
  performance: strategyPerformance,
  equityCurve: strategyCurve,
};

export const portfolioAnalytics: Pick<PortfolioResolvers, 'capital' | 'performance' | 'equityCurve'> = {
  capital: ({ accountId }, _, context) => capitalOfAccount(context, accountId),
  performance: async ({ accountId }, args, context) =>
    performanceOf(context, ofAccount(accountId), await accountCapital(accountId, args, context), args),
  equityCurve: ({ accountId }, args, context) => accountCurve(accountId, args, context),
};

export const positionAnalytics: Pick<TradingPositionResolvers, 'pnlCurve'> = {
  pnlCurve: ({ positionId }, args, context) =>
    equityCurve(context, { column: 'position_id', id: positionId }, null, args),
};

export const orderAnalytics: Pick<TradingOrderResolvers, 'slippageBps'> = { slippageBps: slippageOf };
