/**
 * A strategy's order on its way: sent to the exchange, its executions recorded, its end taken over. Each call goes on
 * from wherever the order stands, so that a run takes up what an earlier one left.
 */
import type { GraphClient } from '../../platform/graph-client.ts';
import { command, isRefusal } from './commands.ts';
import { isOurs } from './order-names.ts';
import type { Side } from './quoting.ts';

/** Name of this graph's exchange among the venues of strategies. */
export const VENUE = 'exchange';

/** An active order of a strategy, with what the exchange says of it. */
export interface StrategyOrder {
  orderId: string;
  status: string;
  side: Side;
  type: string;
  timeInForce: string;
  quantity: string;
  filledQuantity: string;
  remainingQuantity: string;
  price: string | null;
  instrument: { symbol: string } | null;
  exchangeOrder: ExchangeOrder | null;
}

export interface ExchangeOrder {
  orderId: string;
  status: string;
  filledQuantity: string;
  expiryReason: string | null;
}

const EXCHANGE_ORDER = 'orderId status filledQuantity expiryReason';

/** What is read of a strategy's order. */
export const STRATEGY_ORDER = `orderId status side type timeInForce quantity filledQuantity remainingQuantity price
  instrument { symbol } exchangeOrder { ${EXCHANGE_ORDER} }`;

/** Brings the strategy's order to where the exchange is. */
export async function carryOut(graph: GraphClient, accountId: string, order: StrategyOrder): Promise<void> {
  const { orderId } = order;
  let { exchangeOrder } = order;
  if (order.status === 'PENDING') {
    exchangeOrder = isOurs(orderId) ? await send(graph, accountId, order) : null;
    if (exchangeOrder) await command(graph, 'submitOrder', { orderId, exchangeOrderId: exchangeOrder.orderId });
  }
  if (!exchangeOrder) return;
  if (order.status === 'PENDING' || order.status === 'SUBMITTED') await command(graph, 'acceptOrder', { orderId });
  if (exchangeOrder.filledQuantity !== order.filledQuantity) await recordFills(graph, orderId, exchangeOrder.orderId);
  await takeOverEnd(graph, orderId, exchangeOrder);
}

/** Places the order at the exchange, or finds it there; one that the exchange refuses is rejected. */
async function send(graph: GraphClient, accountId: string, order: StrategyOrder): Promise<ExchangeOrder | null> {
  const { orderId, side, type, quantity, price, timeInForce, instrument } = order;
  const terms = { symbol: instrument?.symbol, side, type, quantity, price, timeInForce };
  try {
    const placed = await command<{ order: ExchangeOrder }>(
      graph,
      'placeExchangeOrder',
      { accountId, clientOrderId: orderId, ...terms },
      `order { ${EXCHANGE_ORDER} }`,
    );
    return placed.order;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    await command(graph, 'rejectOrder', { orderId, reason: error.message });
    return null;
  }
}

interface Execution {
  tradeId: string;
  quantity: string;
  price: string;
  fee: string;
  executedAt: string;
  liquidity: string;
  tradingTrade: { tradeId: string } | null;
}

interface Page {
  nodes: Execution[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

const EXECUTIONS = `query Executions($orderId: ID!, $after: String) {
  exchangeOrder(id: $orderId) {
    trades(first: 100, after: $after, sortOrder: ASC) {
      nodes { tradeId quantity price fee executedAt liquidity tradingTrade { tradeId } }
      pageInfo { hasNextPage endCursor }
    }
  }
}`;

/** Records the executions that the strategy does not know yet, oldest first; the graph takes each of them once. */
async function recordFills(graph: GraphClient, orderId: string, exchangeOrderId: string): Promise<void> {
  for await (const { tradeId, fee, tradingTrade, ...execution } of executionsOf(graph, exchangeOrderId)) {
    if (tradingTrade) continue;
    await command(graph, 'recordFill', {
      orderId,
      exchangeTradeId: tradeId,
      venue: VENUE,
      commission: fee,
      ...execution,
    });
  }
}

async function* executionsOf(graph: GraphClient, orderId: string): AsyncGenerator<Execution> {
  let after: string | null = null;
  do {
    const page: Page = await executionsAfter(graph, orderId, after);
    yield* page.nodes;
    after = page.pageInfo.hasNextPage ? page.pageInfo.endCursor : null;
  } while (after !== null);
}

async function executionsAfter(graph: GraphClient, orderId: string, after: string | null): Promise<Page> {
  const { exchangeOrder } = await graph.request<{ exchangeOrder: { trades: Page } | null }>(EXECUTIONS, {
    orderId,
    after,
  });
  if (!exchangeOrder) throw new Error(`The exchange does not know its order ${orderId} any more`);
  return exchangeOrder.trades;
}

/** An order that ended at the exchange before it was filled whole has ended for its strategy. */
async function takeOverEnd(
  graph: GraphClient,
  orderId: string,
  { status, expiryReason }: ExchangeOrder,
): Promise<void> {
  if (status === 'CANCELLED') await command(graph, 'cancelOrder', { orderId });
  if (status === 'EXPIRED') await command(graph, 'expireOrder', { orderId, reason: expiryReason ?? 'EXPIRED' });
}
