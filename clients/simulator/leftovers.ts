/**
 * Orders of strategies that rest at the exchange although trading has ended them: a person who pauses or stops a
 * strategy ends its orders there, and somebody has to tell the exchange.
 */
import type { GraphClient } from '../../platform/graph-client.ts';
import { cancelQuote } from './market-maker.ts';
import { isOurs } from './order-names.ts';
import type { Routine } from './routine.ts';

const LOOK_EVERY_MS = 20_000; // 20 seconds
const ORDERS_LIMIT = 100;
const ENDED = new Set(['FILLED', 'CANCELLED', 'REJECTED', 'EXPIRED']);

const LIVE = `query Leftovers($accountId: ID!) {
  openExchangeOrders(accountId: $accountId, first: ${ORDERS_LIMIT}, sortOrder: ASC) {
    nodes { orderId clientOrderId }
  }
}`;
const STATUS = 'query Leftover($id: ID!) { tradingOrder(id: $id) { status } }';

export function leftoverRoutine(graph: GraphClient, accountId: string): Routine {
  return {
    name: 'leftovers',
    everyMs: LOOK_EVERY_MS,
    async run() {
      const { openExchangeOrders } = await graph.request<{
        openExchangeOrders: { nodes: { orderId: string; clientOrderId: string | null }[] };
      }>(LIVE, { accountId });
      for (const { orderId, clientOrderId } of openExchangeOrders.nodes.filter((order) =>
        isOurs(order.clientOrderId),
      )) {
        const { tradingOrder } = await graph.request<{ tradingOrder: { status: string } | null }>(STATUS, {
          id: clientOrderId,
        });
        if (tradingOrder && ENDED.has(tradingOrder.status)) await cancelQuote(graph, orderId);
      }
    },
  };
}
