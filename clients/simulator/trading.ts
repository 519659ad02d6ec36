/**
 * A strategy at work: places an order now and then, which the graph carries out, and gives up those that rest too long.
 */
import { type Decimal, dec, toWire } from '../../platform/decimal.ts';
import type { GraphClient } from '../../platform/graph-client.ts';
import { codeOf, command, isRefusal, messageOf, Refused } from './commands.ts';
import type { Market, Markets } from './markets.ts';
import { isOurs, orderNames } from './order-names.ts';
import { fairPriceOf } from './prices.ts';
import { reserveOf, type Side } from './quoting.ts';
import { type Random, randomOf } from './random.ts';
import type { Routine } from './routine.ts';
import { createSightings } from './sightings.ts';
import { type Habits, type Intention, intend } from './strategies.ts';
import type { Troubles } from './troubles.ts';

export interface TradingSettings {
  graph: GraphClient;
  markets: Markets;
  troubles: Troubles;
  habits: Habits;
  seed: number;
  /** What tells this run apart from others, in the names of its orders. */
  run: string;
}

const LOOK_EVERY_MS = 3_000; // 3 seconds
/** A strategy trades this often, on average. */
const MEAN_PAUSE_MS = 12_000; // 12 seconds
/** Live orders of the simulator a strategy has at most. */
const LIVE_LIMIT = 3;
/** Orders that rest longer are given up. */
const LONGEST_REST_MS = 60_000; // 1 minute
/** Active orders that are looked at, the newest first. */
const ORDERS_LIMIT = 100;

const QUERY = `query Desk($strategyId: ID!, $symbol: String!) {
  strategy(id: $strategyId) { status account { accountId } }
  position(strategyId: $strategyId, symbol: $symbol) { quantity }
  tradingOrders(filter: { strategyId: $strategyId, isActive: true }, first: ${ORDERS_LIMIT}) {
    nodes { orderId side remainingQuantity }
  }
}`;

const FUNDS = `query Funds($accountId: ID!, $asset: String!) {
  exchangeBalanceOf(accountId: $accountId, asset: $asset) { available }
}`;

/** An active order of a strategy. */
interface StrategyOrder {
  orderId: string;
  side: Side;
  remainingQuantity: string;
}

interface Desk {
  strategy: { status: string; account: { accountId: string } | null } | null;
  position: { quantity: string } | null;
  tradingOrders: { nodes: StrategyOrder[] };
}

export function tradingRoutine(settings: TradingSettings): Routine {
  const { graph, markets, troubles, habits, seed, run } = settings;
  const { strategyId, symbol } = habits;
  const random = randomOf(seed, `strategy ${strategyId}`);
  const nextName = orderNames(run, strategyId);
  const sightings = createSightings();
  let nextTradeMs: number | null = null;
  return {
    name: strategyId,
    everyMs: LOOK_EVERY_MS,
    async run(nowMs) {
      const desk = await graph.request<Desk>(QUERY, { strategyId, symbol });
      const accountId = desk.strategy?.account?.accountId;
      if (accountId === undefined) {
        troubles.note(`${strategyId} absent`, `${strategyId}: there is no such strategy yet`);
        return;
      }
      const orders = desk.tradingOrders.nodes.filter(({ orderId }) => isOurs(orderId)).toReversed();
      const seenSince = sightings.look(
        orders.map(({ orderId }) => orderId),
        nowMs,
      );
      for (const { orderId } of orders) {
        if (nowMs - seenSince(orderId) > LONGEST_REST_MS) await giveUp(settings, orderId);
      }

      nextTradeMs ??= nowMs + pause(random);
      const market = markets.get(symbol);
      if (nowMs < nextTradeMs || !market || desk.strategy?.status !== 'ACTIVE') return;
      nextTradeMs = nowMs + pause(random);
      if (orders.length >= LIVE_LIMIT) return;
      const intention = intend(habits, { ...standingOf(desk), ...priceOf(market) }, random);
      if (!intention || !(await isFunded(settings, accountId, intention))) return;
      await trade(settings, { orderId: nextName(), intention });
    },
  };
}

/** Trades come at random, like rain: the pauses between them are distributed exponentially. */
function pause(random: Random): number {
  return -Math.log(1 - random.next()) * MEAN_PAUSE_MS;
}

function priceOf(market: Market) {
  return { fairPrice: fairPriceOf(market), terms: market.terms };
}

function standingOf({ position, tradingOrders }: Desk): { position: Decimal; toBuy: Decimal; toSell: Decimal } {
  const remaining = (wanted: string) =>
    tradingOrders.nodes
      .filter(({ side, orderId }) => side === wanted && isOurs(orderId))
      .reduce((sum, { remainingQuantity }) => sum.plus(remainingQuantity), dec(0));
  return { position: dec(position?.quantity ?? '0'), toBuy: remaining('BUY'), toSell: remaining('SELL') };
}

/** Cancels an order, unless it has ended meanwhile. */
async function giveUp({ graph, troubles, habits }: TradingSettings, orderId: string): Promise<void> {
  try {
    await command(graph, 'cancelOrder', { orderId });
  } catch (error) {
    if (!isRefusal(error)) throw error;
    if (error instanceof Refused && error.code === 'INVALID_TRANSITION') return;
    const { strategyId } = habits;
    troubles.note(`${strategyId} order ${codeOf(error)}`, `${strategyId}: order ${orderId}: ${messageOf(error)}`);
  }
}

/** Whether the account has what the order may cost. */
async function isFunded(
  { graph, troubles, habits }: TradingSettings,
  accountId: string,
  intention: Intention,
): Promise<boolean> {
  const { asset, amount } = reserveOf(intention, habits.symbol);
  const { exchangeBalanceOf: balance } = await graph.request<{ exchangeBalanceOf: { available: string } | null }>(
    FUNDS,
    {
      accountId,
      asset,
    },
  );
  if (dec(balance?.available ?? '0').gte(amount)) return true;
  const { strategyId } = habits;
  troubles.note(`${strategyId} short of ${asset}`, `${strategyId}: too little ${asset} for an order; it waits`);
  return false;
}

async function trade(
  { graph, habits }: TradingSettings,
  { orderId, intention }: { orderId: string; intention: Intention },
): Promise<void> {
  const { side, quantity, price, timeInForce } = intention;
  const { strategyId, symbol } = habits;
  await command(graph, 'placeOrder', {
    orderId,
    strategyId,
    symbol,
    side,
    type: 'LIMIT',
    quantity: toWire(quantity),
    price: toWire(price),
    timeInForce,
  });
}
