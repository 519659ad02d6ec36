/** Execution of an incoming order's fills: its trades, the postings behind them, and what becomes of the makers. */
import type { Decimal } from '../../../platform/decimal.ts';
import type { Fill, Resting } from './matching.ts';
import { averagePrice, ZERO } from './money.ts';
import type { OrderSide } from './order-entry.ts';
import { moveOrder, type OrderStatus } from './order-lifecycle.ts';
import type { Purses } from './purses.ts';
import { type FeeRates, reserveFor } from './reserve.ts';
import { type Movement, type Party, type Settled, settle } from './settlement.ts';

export interface Market {
  symbol: string;
  base: string;
  quote: string;
}

/** What an order has been executed for. */
export interface Filled {
  filledQuantity: Decimal;
  /** Σ quantity × price of its trades, exact. */
  filledNotional: Decimal;
}

/** An order that rests in the book, with all that execution changes of it. */
export interface Maker extends Resting, Filled {
  orderId: string;
  status: OrderStatus;
  reserved: Decimal;
  rates: FeeRates;
  version: number;
}

export interface Taker {
  orderId: string;
  accountId: string;
  side: OrderSide;
  rates: FeeRates;
}

/** One side of a match. */
export interface TradeRecord {
  tradeId: string;
  matchId: string;
  orderId: string;
  accountId: string;
  side: OrderSide;
  liquidity: 'MAKER' | 'TAKER';
  quantity: Decimal;
  price: Decimal;
  fee: Decimal;
}

/** Entries that belong together and sum to zero in each asset. */
export interface Posting {
  postingId: string;
  movements: readonly Movement[];
}

/** What a resting order has become. */
export interface MakerAfter extends Filled {
  orderId: string;
  /** The version it had before, which it must still have when this is written. */
  version: number;
  status: OrderStatus;
  averagePrice: Decimal | null;
  reserved: Decimal;
}

export interface Executed {
  /** Two a fill, in the order of the fills. */
  trades: TradeRecord[];
  postings: Posting[];
  makers: MakerAfter[];
  taker: Filled;
}

/**
 * Executes the fills in their order.
 * @param purses both parties' balances of both assets; they are changed
 * @param newId makes the ids of trades and postings
 */
export function execute(
  market: Market,
  taker: Taker,
  fills: readonly Fill<Maker>[],
  purses: Purses,
  newId: () => string,
): Executed {
  const trades: TradeRecord[] = [];
  const postings: Posting[] = [];
  const makers: MakerAfter[] = [];
  let taken: Filled = { filledQuantity: ZERO, filledNotional: ZERO };
  for (const { maker, quantity } of fills) {
    const matchId = newId();
    const parties = {
      taker: { ...taker, tradeId: newId(), feeRate: taker.rates.taker, bucket: 'AVAILABLE' as const },
      maker: { ...maker, tradeId: newId(), feeRate: maker.rates.maker, bucket: 'LOCKED' as const },
    };
    const settled = settleFill(market, taker.side, parties, quantity, purses);
    purses.apply(settled.movements);
    postings.push({ postingId: matchId, movements: settled.movements });
    trades.push(...tradesOf(matchId, taker.side, parties, { quantity, price: maker.price }, settled));
    makers.push(makerAfter(maker, taker.side, quantity, settled));
    taken = addFill(taken, quantity, maker.price);
  }
  return { trades, postings, makers, taker: taken };
}

interface Parties {
  taker: Party & Taker;
  maker: Party & Maker;
}

function settleFill(market: Market, side: OrderSide, parties: Parties, quantity: Decimal, purses: Purses): Settled {
  const { taker, maker } = parties;
  const [buyer, seller] = side === 'BUY' ? [taker, maker] : [maker, taker];
  const remaining = maker.remaining.minus(quantity);
  const reserves =
    side === 'BUY'
      ? { reserved: ZERO, reserveAfter: ZERO }
      : { reserved: maker.reserved, reserveAfter: reserveOf(maker, 'BUY', remaining) };
  const { available } = purses.of(buyer.accountId, market.quote);
  const { base, quote } = market;
  return settle({ base, quote, quantity, price: maker.price, buyer: { ...buyer, ...reserves, available }, seller });
}

function reserveOf(maker: Maker, side: OrderSide, quantity: Decimal): Decimal {
  return reserveFor({ type: 'LIMIT', side, quantity, price: maker.price, stopPrice: null }, maker.rates);
}

function tradesOf(
  matchId: string,
  side: OrderSide,
  { taker, maker }: Parties,
  fill: { quantity: Decimal; price: Decimal },
  { buyerFee, sellerFee }: Settled,
): [TradeRecord, TradeRecord] {
  const trade = (party: Party, of: OrderSide, liquidity: 'MAKER' | 'TAKER'): TradeRecord => ({
    tradeId: party.tradeId,
    matchId,
    orderId: party.orderId,
    accountId: party.accountId,
    side: of,
    liquidity,
    ...fill,
    fee: of === 'BUY' ? buyerFee : sellerFee,
  });
  return [trade(taker, side, 'TAKER'), trade(maker, side === 'BUY' ? 'SELL' : 'BUY', 'MAKER')];
}

function makerAfter(maker: Maker, takerSide: OrderSide, quantity: Decimal, settled: Settled): MakerAfter {
  const remaining = maker.remaining.minus(quantity);
  const filled = addFill(maker, quantity, maker.price);
  return {
    ...filled,
    orderId: maker.orderId,
    version: maker.version,
    status: moveOrder(maker.status, remaining.isZero() ? 'FILLED' : 'PARTIAL'),
    averagePrice: averagePrice(filled.filledNotional, filled.filledQuantity),
    reserved: takerSide === 'BUY' ? remaining : settled.buyerReserved,
  };
}

/** The order executed for some more: its average stays exact since the sum is kept, not the mean. */
export function addFill({ filledQuantity, filledNotional }: Filled, quantity: Decimal, price: Decimal): Filled {
  return {
    filledQuantity: filledQuantity.plus(quantity),
    filledNotional: filledNotional.plus(quantity.times(price)),
  };
}
