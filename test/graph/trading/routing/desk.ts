/** A desk whose orders the graph routes: an account with money, a strategy of it, and a counterparty with plenty. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { TestGraph } from '../../../support/graph.ts';
import { open } from '../../exchange/floor.ts';
import { ask, done } from '../desk.ts';

export interface Desk {
  accountId: string;
  strategyId: string;
}

let desks = 0;

/** An account with 100,000 USD and 100 BTC, or as told, and an active strategy in BTC-USD. */
export async function openDesk(
  graph: TestGraph,
  more: object = {},
  money: Record<string, string> = { USD: '100000', BTC: '100' },
): Promise<Desk> {
  const accountId = await open(graph, money);
  const strategyId = `routed-${++desks}`;
  const input = { strategyId, name: strategyId, type: 'CUSTOM', accountId, symbols: ['BTC-USD'], ...more };
  await done(graph, 'createStrategy', input);
  await done(graph, 'startStrategy', { strategyId });
  return { accountId, strategyId };
}

/** What a test looks at of an order. */
export const ORDER = `orderId status filledQuantity execution venue exchangeOrderId errorMessage lastError
  cancelRequestedAt cancelledAt submittedAt
  exchangeOrder { status filledQuantity clientOrderId tradingOrder { orderId } }
  trades { nodes { quantity price commission exchangeTrade { tradeId tradingTrade { tradeId } } } }`;

// biome-ignore lint/suspicious/noExplicitAny: a test reads whatever shape its query asked for
type Order = any;

/** Places "buy 0.5 @ 100" (limit), "sell 2 stop 90" or "buy 1" (market) for the strategy. Gives the order's id. */
export async function route(graph: TestGraph, { strategyId }: Desk, words: string, more: object = {}): Promise<string> {
  const [side, quantity, kind, price] = words.split(' ');
  const terms =
    kind === '@' ? { type: 'LIMIT', price } : kind === 'stop' ? { type: 'STOP', stopPrice: price } : { type: 'MARKET' };
  const input = { strategyId, symbol: 'BTC-USD', side: side?.toUpperCase(), quantity, ...terms, ...more };
  return (await done(graph, 'placeOrder', input, 'order { orderId }')).order.orderId;
}

export async function orderOf(graph: TestGraph, orderId: string): Promise<Order> {
  return (await ask(graph, `query ($id: ID!) { tradingOrder(id: $id) { ${ORDER} } }`, { id: orderId }, FRESH))
    .tradingOrder;
}

const FRESH = { 'cache-control': 'no-cache' };

/** What nobody waits so long for has not happened. */
const PATIENCE_MS = 45_000; // 45 seconds

/** The order once it is as told. */
export async function untilOrder(graph: TestGraph, orderId: string, is: (order: Order) => boolean): Promise<Order> {
  const giveUpAt = Date.now() + PATIENCE_MS;
  for (;;) {
    const order = await orderOf(graph, orderId);
    if (is(order)) return order;
    if (Date.now() > giveUpAt) expect(order).toBe('as expected');
    await sleep(15);
  }
}

export const untilStatus = (graph: TestGraph, orderId: string, status: string) =>
  untilOrder(graph, orderId, (order) => order.status === status);
