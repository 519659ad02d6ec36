/**
 * A session of one book, as long as its lock is held: orders come in one after the other, each meets what those before it
 * have left, and what has become of all of them is written together.
 */
import type { Decimal } from '../../../platform/decimal.ts';
import { refuse } from '../../../platform/errors.ts';
import { microsecondsLater } from '../../../platform/instant.ts';
import { execute, type Filled, type Maker, type MakerAfter, type Market, type TradeRecord } from './execution.ts';
import { conclude, type ExpiryReason, type Fill, match } from './matching.ts';
import { smaller, ZERO } from './money.ts';
import type { OrderSide, OrderTerms } from './order-entry.ts';
import type { OrderStatus } from './order-lifecycle.ts';
import type { Purses } from './purses.ts';
import { type FeeRates, reserveFor } from './reserve.ts';
import { costOf, type Movement, release } from './settlement.ts';
import { isTriggered } from './stops.ts';

/** Resting orders that one order may meet: about a second, for which its book and the balances it moves are locked. */
export const MATCH_LIMIT = 2_000;

/** An order that is to be placed. */
export interface IncomingOrder extends OrderTerms {
  orderId: string;
  accountId: string;
  clientOrderId: string | null;
  metadata: Record<string, unknown>;
  rates: FeeRates;
}

/** An order that was placed, as the session leaves it. */
export interface Placed extends Filled {
  order: IncomingOrder;
  /** Of the request that has placed it. */
  traceId: string;
  sequence: bigint;
  createdAt: string;
  status: OrderStatus;
  /** The asset that the order gives. */
  reservedAsset: string;
  reserved: Decimal;
  expiryReason: ExpiryReason | null;
  filledAt: string | null;
  triggeredAt: string | null;
}

/** What is written for one of the requests. */
interface Traced {
  traceId: string;
}

export interface SessionOptions {
  market: Market;
  /** When the book was locked. */
  at: string;
  lastPrice: Decimal | null;
  /** What may be met of each side, best first, and one more than MATCH_LIMIT where there is more of it. */
  asks: readonly Maker[];
  bids: readonly Maker[];
  /** Makes the ids of trades and postings. */
  newId(): string;
}

/** Some of them rest here since this session, and are changed where they will be inserted. */
type Resting = Maker & { placed?: Placed };

export class BookSession {
  readonly placed: Placed[] = [];
  readonly changes = new Map<string, MakerAfter & Traced & { at: string }>();
  readonly trades: (TradeRecord & Traced & { executedAt: string })[] = [];
  readonly postings: ({ postingId: string; movements: readonly Movement[] } & Traced)[] = [];
  /** Whether a STOP order that was placed here is to be executed. */
  hasTriggered = false;
  readonly #options: SessionOptions;
  readonly #purses: Purses;
  readonly #asks: Resting[];
  readonly #bids: Resting[];
  readonly #isCut: { asks: boolean; bids: boolean };
  #lastPrice: Decimal | null;
  /** Microseconds since the lock: each order comes, and each match is made, in one of its own. */
  #clock = 0;

  /** @param purses of whoever places an order here, and of whoever it may meet; they are changed */
  constructor(options: SessionOptions, purses: Purses) {
    this.#options = options;
    this.#purses = purses;
    this.#lastPrice = options.lastPrice;
    const { asks, bids } = options;
    this.#asks = asks.slice(0, MATCH_LIMIT);
    this.#bids = bids.slice(0, MATCH_LIMIT);
    this.#isCut = { asks: asks.length > MATCH_LIMIT, bids: bids.length > MATCH_LIMIT };
  }

  /**
   * The order comes in.
   * @throws Refusal (insufficient funds); (validation) when it would meet too many; then nothing is done for it
   */
  place(order: IncomingOrder, sequence: bigint, traceId: string): void {
    const { market, at } = this.#options;
    const createdAt = microsecondsLater(at, this.#clock);
    const unfilled = { filledQuantity: ZERO, filledNotional: ZERO };
    const reservedAsset = order.side === 'BUY' ? market.quote : market.base;
    const state = { reserved: ZERO, expiryReason: null, filledAt: null, triggeredAt: null };
    const coming = { order, traceId, sequence, createdAt, reservedAsset, ...unfilled, ...state };
    if (order.type === 'STOP') this.#hold({ ...coming, status: 'PENDING' });
    else this.#match({ ...coming, status: 'OPEN' });
  }

  #hold(placed: Placed): void {
    const { order } = placed;
    this.#checkFunds(order, []);
    this.#purses.writeFor(placed.traceId);
    this.#lock(placed);
    this.placed.push(placed);
    this.#clock++;
    if (this.#lastPrice) this.#trigger(placed, this.#lastPrice, placed.createdAt);
  }

  #match(placed: Placed): void {
    const { order, traceId, createdAt } = placed;
    const { market, newId } = this.#options;
    const matched = match({ ...order, limit: order.price }, this.#sideAgainst(order.side));
    if (matched.end === 'BOOK_EMPTY' && this.#isCut[order.side === 'BUY' ? 'asks' : 'bids']) throw tooManyMatches();
    const { status, fills, expiryReason } = conclude(order, matched);
    this.#checkFunds(order, fills);
    this.#purses.writeFor(traceId);
    const executed = execute(market, order, fills, this.#purses, newId);
    for (const [i, trade] of executed.trades.entries())
      this.trades.push({ ...trade, traceId, executedAt: microsecondsLater(createdAt, i >> 1) });
    for (const posting of executed.postings) this.postings.push({ ...posting, traceId });
    for (const [i, { maker }] of fills.entries()) this.#leave(maker, executed.makers[i] as MakerAfter, placed);
    this.#dropFilled(order.side);
    Object.assign(placed, executed.taker, { status, expiryReason, filledAt: status === 'FILLED' ? createdAt : null });
    if (status === 'OPEN' || status === 'PARTIAL') this.#rest(placed);
    this.placed.push(placed);
    this.#clock += Math.max(1, fills.length);
    for (const { maker } of fills) this.#reach(maker.price, createdAt);
  }

  #sideAgainst(side: OrderSide): Resting[] {
    return side === 'BUY' ? this.#asks : this.#bids;
  }

  /** A maker as a fill leaves it. */
  #leave(maker: Resting, after: MakerAfter, { traceId, createdAt: at }: Placed): void {
    const { status, filledQuantity, filledNotional, reserved } = after;
    const remaining = maker.remaining.minus(filledQuantity.minus(maker.filledQuantity));
    Object.assign(maker, { status, filledQuantity, filledNotional, reserved, remaining });
    if (!maker.placed) this.changes.set(maker.orderId, { ...after, traceId, at });
    else {
      const filledAt = status === 'FILLED' ? at : null;
      Object.assign(maker.placed, { status, filledQuantity, filledNotional, reserved, filledAt });
    }
  }

  /** Those that are filled were the best of their side. */
  #dropFilled(by: OrderSide): void {
    const side = this.#sideAgainst(by);
    const left = side.findIndex(({ remaining }) => !remaining.isZero());
    side.splice(0, left === -1 ? side.length : left);
  }

  /** What is left of it rests in the book, behind all of its price. */
  #rest(placed: Placed): void {
    const { order, filledQuantity, filledNotional, status } = placed;
    this.#lock(placed);
    const price = order.price as Decimal;
    const remaining = order.quantity.minus(filledQuantity);
    const { orderId, accountId, rates } = order;
    const { reserved } = placed;
    const maker = { orderId, accountId, price, remaining, rates, status, filledQuantity, filledNotional, reserved };
    const isBuy = order.side === 'BUY';
    const side = isBuy ? this.#bids : this.#asks;
    const behind = side.findIndex((other) => (isBuy ? other.price.lt(price) : other.price.gt(price)));
    side.splice(behind === -1 ? side.length : behind, 0, { ...maker, version: 1, placed });
  }

  /** Sets aside what the rest of the order needs; the account has it, but for what roundings of its fills took. */
  #lock(placed: Placed): void {
    const { order, traceId, reservedAsset, filledQuantity } = placed;
    const needed = reserveFor({ ...order, quantity: order.quantity.minus(filledQuantity) }, order.rates);
    placed.reserved = smaller(needed, this.#purses.of(order.accountId, reservedAsset).available);
    const movements = release(order, reservedAsset, placed.reserved.neg());
    this.#purses.apply(movements);
    if (movements.length > 0) this.postings.push({ postingId: this.#options.newId(), movements, traceId });
  }

  /** Passes when the account has available what the order may cost. */
  #checkFunds(order: IncomingOrder, fills: readonly Fill<Maker>[]): void {
    const { base, quote } = this.#options.market;
    const required = order.type === 'MARKET' ? costOfMarket(order, fills) : reserveFor(order, order.rates);
    const asset = order.side === 'BUY' ? quote : base;
    const { available } = this.#purses.of(order.accountId, asset);
    if (available.lt(required)) throw refuse.insufficientFunds(asset, available, required, ['input', 'quantity']);
  }

  /** The last price gets there. STOP orders that were there before this session are triggered where it is written. */
  #reach(price: Decimal, at: string): void {
    this.#lastPrice = price;
    for (const placed of this.placed) this.#trigger(placed, price, at);
  }

  #trigger(placed: Placed, price: Decimal, at: string): void {
    const { order, status, triggeredAt } = placed;
    if (status !== 'PENDING' || triggeredAt !== null || order.stopPrice === null) return;
    if (!isTriggered({ side: order.side, stopPrice: order.stopPrice }, price)) return;
    placed.triggeredAt = at;
    this.hasTriggered = true;
  }
}

function tooManyMatches() {
  const message = `The order would meet more than ${MATCH_LIMIT} resting orders. Place it in parts.`;
  return refuse.validation(message, ['input', 'quantity']);
}

function costOfMarket(order: IncomingOrder, fills: readonly Fill<Maker>[]): Decimal {
  if (order.side === 'SELL') return order.quantity;
  const priced = fills.map(({ maker, quantity }) => ({ quantity, price: maker.price }));
  return costOf(priced, order.rates.taker);
}
