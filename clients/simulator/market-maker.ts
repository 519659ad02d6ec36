/** The market maker: keeps orders around the price in the exchange's books, within what its account holds. */
import { type Decimal, dec, toWire } from '../../platform/decimal.ts';
import type { GraphClient } from '../../platform/graph-client.ts';
import { command, Refused } from './commands.ts';
import type { Market, Markets } from './markets.ts';
import { isOurs, orderNames } from './order-names.ts';
import { fairPriceOf } from './prices.ts';
import { planQuotes, type Quote, type Resting, reserveOf, type Side } from './quoting.ts';
import { type Random, randomOf } from './random.ts';
import type { Routine } from './routine.ts';
import { createSightings } from './sightings.ts';
import type { Troubles } from './troubles.ts';

export interface MarketMakerSettings {
  graph: GraphClient;
  markets: Markets;
  troubles: Troubles;
  accountId: string;
  seed: number;
  /** What tells this run apart from others, in the names of its orders. */
  run: string;
}

const QUOTES_EVERY_MS = 3_000; // 3 seconds
/** Orders of the account that are looked at, the oldest first: what is left over from a disorder goes in turns. */
const ORDERS_LIMIT = 200;
/** The demo's own orders of the account; they give way to the simulator's. */
const DEMO_ORDER = /^demo-book-/;

const QUERY = `query MarketMaker($accountId: ID!) {
  exchangeAccount(id: $accountId) {
    status
    balances { asset { code } available }
    orders(filter: { isLive: true }, first: ${ORDERS_LIMIT}, sortOrder: ASC) {
      nodes { orderId clientOrderId side price instrument { symbol } }
    }
  }
}`;

interface Account {
  status: string;
  balances: { asset: { code: string } | null; available: string }[];
  orders: { nodes: LiveOrder[] };
}

interface LiveOrder {
  orderId: string;
  clientOrderId: string | null;
  side: Side;
  price: string | null;
  instrument: { symbol: string } | null;
}

interface Actor extends MarketMakerSettings {
  random: Random;
  nextName: () => string;
}

export function marketMakerRoutine(settings: MarketMakerSettings): Routine {
  const { graph, markets, troubles, accountId, seed, run } = settings;
  const actor = { ...settings, random: randomOf(seed, 'market maker'), nextName: orderNames(run, 'maker') };
  const sightings = createSightings();
  return {
    name: 'market maker',
    everyMs: QUOTES_EVERY_MS,
    async run(nowMs) {
      const quoted = [...markets.values()].filter(({ course }) => course.quoteQuantity > 0);
      if (quoted.length === 0) return;
      const { exchangeAccount: account } = await graph.request<{ exchangeAccount: Account | null }>(QUERY, {
        accountId,
      });
      if (account?.status !== 'ACTIVE') {
        troubles.note('market maker absent', `market maker: there is no ACTIVE account ${accountId}`);
        return;
      }
      const funds = new Map(account.balances.map(({ asset, available }) => [asset?.code ?? '', dec(available)]));
      const orders = account.orders.nodes;
      const seenSince = sightings.look(
        orders.map(({ orderId }) => orderId),
        nowMs,
      );
      for (const market of quoted) {
        const here = orders.filter(({ instrument }) => instrument?.symbol === market.course.symbol);
        const resting = here.flatMap((order) => restingOf(order, seenSince(order.orderId)));
        await quote(actor, market, { resting, funds, nowMs });
      }
    },
  };
}

/** The order as the plan sees it; STOP orders rest in no book. */
function restingOf({ orderId, clientOrderId, side, price }: LiveOrder, sinceMs: number): Resting[] {
  if (price === null) return [];
  const isOwn = isOurs(clientOrderId) || DEMO_ORDER.test(clientOrderId ?? '');
  return [{ orderId, side, price: dec(price), sinceMs, isOwn }];
}

async function quote(
  actor: Actor,
  market: Market,
  { resting, funds, nowMs }: { resting: Resting[]; funds: Map<string, Decimal>; nowMs: number },
): Promise<void> {
  const { course, terms } = market;
  const book = { fairPrice: fairPriceOf(market), terms, quantity: course.quoteQuantity, resting };
  const { cancel, place } = planQuotes(book, nowMs, actor.random);
  for (const orderId of cancel) await cancelQuote(actor.graph, orderId);
  for (const quote of place) {
    const { asset, amount } = reserveOf(quote, course.symbol);
    const available = funds.get(asset) ?? dec(0);
    if (available.lt(amount)) {
      actor.troubles.note(`market maker short of ${asset}`, `market maker: too little ${asset} for an order; it waits`);
      continue;
    }
    funds.set(asset, available.minus(amount));
    await placeQuote(actor, course.symbol, quote);
  }
}

async function placeQuote(actor: Actor, symbol: string, { side, price, quantity }: Quote): Promise<void> {
  await command(actor.graph, 'placeExchangeOrder', {
    accountId: actor.accountId,
    clientOrderId: actor.nextName(),
    symbol,
    side,
    type: 'LIMIT',
    price: toWire(price),
    quantity: toWire(quantity),
  });
}

/** Takes the order out of the book, unless it was executed meanwhile. */
export async function cancelQuote(graph: GraphClient, orderId: string): Promise<void> {
  try {
    await command(graph, 'cancelExchangeOrder', { orderId });
  } catch (error) {
    if (!(error instanceof Refused && error.code === 'INVALID_TRANSITION')) throw error;
  }
}
