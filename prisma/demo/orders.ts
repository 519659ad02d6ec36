/** The demo's strategies, and their orders as they go through the exchange and come back as fills. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { GraphClient } from '../../platform/graph-client.ts';
import { FUND, MARKET_MAKER } from './accounts.ts';
import { mutate } from './mutate.ts';

const VENUE = 'exchange';

const STRATEGIES = [
  {
    strategyId: 'btc-trend',
    name: 'Bitcoin trend',
    type: 'TREND_FOLLOWING',
    symbols: ['BTC-USD'],
    maxPositionSize: '10',
  },
  {
    strategyId: 'eth-reversion',
    name: 'Ether mean reversion',
    type: 'MEAN_REVERSION',
    symbols: ['ETH-USD'],
    maxPositionSize: '100',
  },
];

/** The graph carries an order out in milliseconds, on a busy machine in seconds. */
const PATIENCE_MS = 60_000; // a minute
const LOOK_EVERY_MS = 20;

interface DemoOrder {
  orderId: string;
  strategyId: string;
  symbol: string;
  quantity: string;
  price: string;
}

/** Orders that are filled, each by a sell order of the market maker. */
const FILLED: DemoOrder[] = [
  { orderId: 'demo-order-1', strategyId: 'btc-trend', symbol: 'BTC-USD', quantity: '2', price: '48000' },
  { orderId: 'demo-order-2', strategyId: 'btc-trend', symbol: 'BTC-USD', quantity: '0.5', price: '50000' },
  { orderId: 'demo-order-3', strategyId: 'eth-reversion', symbol: 'ETH-USD', quantity: '20', price: '2700' },
];

/** The order that rests in the book, and the last thing the demo makes. */
const RESTING: DemoOrder = {
  orderId: 'demo-order-4',
  strategyId: 'btc-trend',
  symbol: 'BTC-USD',
  quantity: '0.25',
  price: '49500',
};

const BOOK = [
  {
    symbol: 'BTC-USD',
    side: 'SELL',
    levels: [
      ['51005', '0.4'],
      ['51010', '1.2'],
      ['51025', '2.5'],
    ],
  },
  {
    symbol: 'BTC-USD',
    side: 'BUY',
    levels: [
      ['50995', '0.5'],
      ['50990', '1'],
      ['50975', '2'],
    ],
  },
  {
    symbol: 'ETH-USD',
    side: 'SELL',
    levels: [
      ['2850.5', '8'],
      ['2851', '15'],
      ['2852.5', '40'],
    ],
  },
  {
    symbol: 'ETH-USD',
    side: 'BUY',
    levels: [
      ['2849.5', '6'],
      ['2849', '20'],
      ['2847.5', '35'],
    ],
  },
];

/** Whether the last thing the demo makes is there. */
export async function isLoaded(graph: GraphClient): Promise<boolean> {
  const status = await statusOf(graph, RESTING.orderId);
  return status !== null && status !== 'PENDING' && status !== 'SUBMITTED';
}

export async function loadFilledOrders(graph: GraphClient): Promise<void> {
  for (const strategy of STRATEGIES) await runStrategy(graph, strategy);
  for (const order of FILLED) {
    await placeOnExchange(graph, {
      ...order,
      accountId: MARKET_MAKER,
      clientOrderId: `${order.orderId}-maker`,
      side: 'SELL',
    });
    await trade(graph, order, 'FILLED');
  }
}

export async function loadBook(graph: GraphClient): Promise<void> {
  for (const { symbol, side, levels } of BOOK) {
    for (const [price = '', quantity = ''] of levels) {
      const clientOrderId = `demo-book-${symbol}-${side}-${price}`;
      await placeOnExchange(graph, { accountId: MARKET_MAKER, clientOrderId, symbol, side, quantity, price });
    }
  }
  await trade(graph, RESTING, 'ACCEPTED');
}

async function runStrategy(graph: GraphClient, strategy: (typeof STRATEGIES)[number]): Promise<void> {
  const input = { ...strategy, accountId: FUND, venueIds: [VENUE] };
  await mutate(graph, { name: 'createStrategy', inputType: 'CreateStrategyInput' }, input);
  const { strategy: stored } = await graph.request<{ strategy: { status: string } | null }>(
    'query ($id: ID!) { strategy(id: $id) { status } }',
    { id: strategy.strategyId },
  );
  if (stored?.status !== 'INACTIVE') return;
  await mutate(graph, { name: 'startStrategy', inputType: 'StartStrategyInput' }, { strategyId: strategy.strategyId });
}

/** Places an order of the strategy, which the graph carries out by itself, and waits until it rests or is filled. */
async function trade(graph: GraphClient, order: DemoOrder, until: 'FILLED' | 'ACCEPTED'): Promise<void> {
  const { orderId } = order;
  const placed = { ...order, side: 'BUY', type: 'LIMIT' };
  if ((await statusOf(graph, orderId)) === null)
    await mutate(graph, { name: 'placeOrder', inputType: 'PlaceOrderInput' }, placed);
  const giveUpAt = Date.now() + PATIENCE_MS;
  for (;;) {
    const status = await statusOf(graph, orderId);
    if (status === until || status === 'FILLED') return;
    if (Date.now() > giveUpAt) throw new Error(`The demo's order ${orderId} is ${status} instead of ${until}`);
    await sleep(LOOK_EVERY_MS);
  }
}

async function statusOf(graph: GraphClient, id: string): Promise<string | null> {
  const { tradingOrder } = await graph.request<{ tradingOrder: { status: string } | null }>(
    'query ($id: ID!) { tradingOrder(id: $id) { status } }',
    { id },
  );
  return tradingOrder?.status ?? null;
}

interface ExchangeOrderTerms {
  accountId: string;
  clientOrderId: string;
  symbol: string;
  side: string;
  quantity: string;
  price: string;
}

/** Places the order, unless an earlier run has under the same client order id. */
async function placeOnExchange(graph: GraphClient, terms: ExchangeOrderTerms): Promise<void> {
  const { accountId, clientOrderId, symbol, side, quantity, price } = terms;
  const input = { accountId, clientOrderId, symbol, side, type: 'LIMIT', quantity, price };
  await mutate(graph, { name: 'placeExchangeOrder', inputType: 'PlaceExchangeOrderInput' }, input);
}
