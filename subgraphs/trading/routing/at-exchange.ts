/** What the router asks of this graph's exchange, and what it is told. Everything is read freshly. */
import { type Refusal, refuse, type UserError } from '../../../platform/errors.ts';
import type { GraphClient } from '../../../platform/graph-client.ts';
import type { OrderType, Side, TimeInForce } from '../rules/order-entry.ts';

export type ExchangeStatus = 'PENDING' | 'OPEN' | 'PARTIALLY_FILLED' | 'FILLED' | 'CANCELLED' | 'REJECTED' | 'EXPIRED';

/** An order as the exchange has it. */
export interface OrderAtExchange {
  orderId: string;
  status: ExchangeStatus;
  filledQuantity: string;
  expiryReason: string | null;
  rejectReason: string | null;
}

const ORDER = 'orderId status filledQuantity expiryReason rejectReason';

/** What the exchange refused, and where in the input the fault lies. */
export type ExchangeRefusal = Pick<UserError, 'code' | 'message' | 'path'>;

type Answer<Found extends object> = Found | { refusal: ExchangeRefusal };

interface Payload {
  order: OrderAtExchange | null;
  errors: ExchangeRefusal[];
}

/** An order that is to be at the exchange. */
export interface OrderToSend {
  orderId: string;
  accountId: string;
  instrumentId: string;
  side: Side;
  orderType: OrderType;
  timeInForce: TimeInForce;
  quantity: string;
  price: string | null;
  stopPrice: string | null;
  traceId: string | null;
  /** The exchange does not take it later; RFC 3339. */
  notAfter: string;
}

const PLACE = /* GraphQL */ `
  mutation RouteOrder($input: PlaceExchangeOrderInput!) {
    placeExchangeOrder(input: $input) { order { ${ORDER} } errors { code message path } }
  }
`;

/**
 * Places the order, or finds it where an earlier attempt has.
 * @param service name of the service that places it: the id of an order is unique only there
 * @throws when it is not known what the exchange did
 */
export async function placeAtExchange(
  graph: GraphClient,
  order: OrderToSend,
  service: string,
): Promise<Answer<{ order: OrderAtExchange }>> {
  const input = {
    accountId: order.accountId,
    clientOrderId: order.orderId,
    symbol: order.instrumentId,
    side: order.side.toUpperCase(),
    type: order.orderType.toUpperCase(),
    timeInForce: order.timeInForce.toUpperCase(),
    quantity: order.quantity,
    price: order.price,
    stopPrice: order.stopPrice,
    notAfter: order.notAfter,
    metadata: { service },
  };
  const { placeExchangeOrder } = await graph.request<{ placeExchangeOrder: Payload }>(PLACE, { input }, order);
  return answerOf(placeExchangeOrder);
}

/** Whether the exchange refused the order because its time had passed. */
export function isTooLate({ path }: ExchangeRefusal): boolean {
  return path?.at(-1) === 'notAfter';
}

const CANCEL = /* GraphQL */ `
  mutation CancelRoutedOrder($input: CancelExchangeOrderInput!) {
    cancelExchangeOrder(input: $input) { order { ${ORDER} } errors { code message path } }
  }
`;

/**
 * Cancels the order, unless it has ended already.
 * @throws when it is not known what the exchange did
 */
export async function cancelAtExchange(
  graph: GraphClient,
  orderId: string,
  options: { traceId: string | null },
): Promise<Answer<{ order: OrderAtExchange }>> {
  const { cancelExchangeOrder } = await graph.request<{ cancelExchangeOrder: Payload }>(
    CANCEL,
    { input: { orderId } },
    options,
  );
  return answerOf(cancelExchangeOrder);
}

function answerOf({ order, errors: [refusal] }: Payload): Answer<{ order: OrderAtExchange }> {
  if (refusal?.code === 'DOMAIN_UNAVAILABLE') throw unanswered(refusal.message);
  if (refusal) return { refusal };
  if (!order) throw unanswered('The exchange did not say what it did.');
  return { order };
}

function unanswered(message: string): Refusal {
  const refusal = refuse.domainUnavailable('exchange');
  refusal.message = message;
  return refusal;
}

/** Orders in one request at most. */
export const ORDERS_AT_ONCE = 200;

const ORDERS = /* GraphQL */ `
  query RoutedOrders($ids: [ID!]!) {
    exchangeOrders(filter: { orderIds: $ids }, first: ${ORDERS_AT_ONCE}) { nodes { ${ORDER} } }
  }
`;

/** The orders that the exchange has of these, by id. */
export async function ordersAtExchange(
  graph: GraphClient,
  ids: readonly string[],
): Promise<Map<string, OrderAtExchange>> {
  const { exchangeOrders } = await graph.request<{ exchangeOrders: { nodes: OrderAtExchange[] } }>(ORDERS, { ids });
  return new Map(exchangeOrders.nodes.map((order) => [order.orderId, order]));
}

/** One execution as the exchange has it. */
export interface TradeAtExchange {
  tradeId: string;
  order: { orderId: string };
  account: { accountId: string };
  instrument: { symbol: string };
  side: 'BUY' | 'SELL';
  liquidity: 'MAKER' | 'TAKER';
  quantity: string;
  price: string;
  fee: string;
  executedAt: string;
}

const TRADES = /* GraphQL */ `
  query ExecutionsOfRoutedOrders($ids: [ID!]!, $after: String) {
    exchangeTrades(filter: { orderIds: $ids }, first: 500, after: $after, sortBy: EXECUTED_AT, sortOrder: ASC) {
      nodes {
        tradeId side liquidity quantity price fee executedAt
        order { orderId }
        account { accountId }
        instrument { symbol }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
`;

interface Page {
  nodes: TradeAtExchange[];
  pageInfo: { hasNextPage: boolean; endCursor: string | null };
}

/** Pages of the executions of these orders, oldest first. */
export async function* tradesAtExchange(graph: GraphClient, ids: readonly string[]): AsyncGenerator<TradeAtExchange[]> {
  let after: string | null = null;
  do {
    const { nodes, pageInfo }: Page = await pageOfTrades(graph, ids, after);
    yield nodes;
    after = pageInfo.hasNextPage ? pageInfo.endCursor : null;
  } while (after !== null);
}

async function pageOfTrades(graph: GraphClient, ids: readonly string[], after: string | null): Promise<Page> {
  const { exchangeTrades } = await graph.request<{ exchangeTrades: Page }>(TRADES, { ids, after });
  return exchangeTrades;
}
