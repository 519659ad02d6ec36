/**
 * Which trace a trade belongs to: that of the request that its order came from. The exchange says which request matched
 * it, and that is the same for who took; an order that rested was matched by the request of somebody else, and trading
 * is asked whose own it was.
 */
import type { Context } from '../context.ts';

/** What is needed of a trade. */
export interface TracedTrade {
  liquidity: 'MAKER' | 'TAKER';
  order: { orderId: string };
  /** Of the request that matched it. */
  traceId: string | null;
}

const ORDERS = /* GraphQL */ `
  query OrdersBehindTrades($ids: [ID!]!) {
    exchangeOrders(filter: { orderIds: $ids }, first: 200) { nodes { orderId tradingOrder { traceId } } }
  }
`;

interface Orders {
  exchangeOrders: { nodes: { orderId: string; tradingOrder: { traceId: string | null } | null }[] } | null;
}

/** The traces of the trades, in their order. While trading cannot be asked it is that of the match: nothing waits for it. */
export async function tracesOf(context: Context, trades: readonly TracedTrade[]): Promise<(string | null)[]> {
  const rested = trades.filter(({ liquidity }) => liquidity === 'MAKER');
  const ids = [...new Set(rested.map(({ order }) => order.orderId))];
  const own = ids.length === 0 ? new Map<string, string>() : await tracesOfOrders(context, ids);
  return trades.map(({ liquidity, order, traceId }) => (liquidity === 'MAKER' && own.get(order.orderId)) || traceId);
}

async function tracesOfOrders({ graph, log }: Context, ids: readonly string[]): Promise<Map<string, string>> {
  try {
    const { exchangeOrders } = await graph.request<Orders>(ORDERS, { ids });
    return new Map(
      (exchangeOrders?.nodes ?? []).flatMap(({ orderId, tradingOrder }) =>
        tradingOrder?.traceId == null ? [] : [[orderId, tradingOrder.traceId] as const],
      ),
    );
  } catch (error) {
    log.debug(
      { reason: (error as Error).message },
      'whose orders rested is not known; trades keep the trace of their match',
    );
    return new Map();
  }
}
