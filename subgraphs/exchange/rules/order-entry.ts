/** What an order must be to be taken: the prices of its type, and the instrument's steps and sizes (domain.md §3.4). */
import { type Decimal, toWire } from '../../../platform/decimal.ts';
import { refuse } from '../../../platform/errors.ts';
import { AMOUNT_LIMIT, positiveAmount } from './money.ts';
import { type FeeRates, reserveFor } from './reserve.ts';

export type OrderType = 'MARKET' | 'LIMIT' | 'STOP';
export type OrderSide = 'BUY' | 'SELL';
export type TimeInForce = 'GTC' | 'IOC' | 'FOK';

/** The part of an order that its sender decides. */
export interface OrderTerms {
  type: OrderType;
  side: OrderSide;
  timeInForce: TimeInForce;
  quantity: Decimal;
  /** The limit of a LIMIT order, else null. */
  price: Decimal | null;
  /** The trigger of a STOP order, else null. */
  stopPrice: Decimal | null;
}

/** What market data says of an instrument; a null is a rule that the instrument does not have. */
export interface InstrumentRules {
  isActive: boolean;
  tickSize: Decimal | null;
  minOrderSize: Decimal | null;
  maxOrderSize: Decimal | null;
}

type Optional = string | null | undefined;

interface OrderText {
  type: OrderType;
  side: OrderSide;
  timeInForce?: TimeInForce | null | undefined;
  quantity: string;
  price?: Optional;
  stopPrice?: Optional;
}

/** The prices that each type must have; the other must be absent. */
const PRICE_OF_TYPE: Record<OrderType, 'price' | 'stopPrice' | null> = {
  MARKET: null,
  LIMIT: 'price',
  STOP: 'stopPrice',
};

/**
 * The order's terms from its texts.
 * @throws Refusal (validation) on an amount that is not positive, or a price that the type must or must not have
 */
export function readTerms(order: OrderText): OrderTerms {
  return {
    type: order.type,
    side: order.side,
    timeInForce: order.timeInForce ?? 'GTC',
    quantity: positiveAmount(order.quantity, ['input', 'quantity']),
    price: priceOf(order, 'price'),
    stopPrice: priceOf(order, 'stopPrice'),
  };
}

function priceOf(order: OrderText, field: 'price' | 'stopPrice'): Decimal | null {
  const path = ['input', field];
  const given = order[field] ?? null;
  const isNeeded = PRICE_OF_TYPE[order.type] === field;
  if (given === null && isNeeded) throw refuse.validation(`A ${order.type} order needs a ${field}.`, path);
  if (given !== null && !isNeeded) throw refuse.validation(`A ${order.type} order has no ${field}.`, path);
  return given === null ? null : positiveAmount(given, path);
}

/**
 * Passes when the instrument takes the order.
 * @throws Refusal (validation) naming the rule that it breaks
 */
export function checkInstrument(symbol: string, rules: InstrumentRules, order: OrderTerms): void {
  const { tickSize, minOrderSize, maxOrderSize } = rules;
  if (!rules.isActive) {
    throw refuse.validation(`${symbol} is not active; it takes no new orders.`, ['input', 'symbol']);
  }
  for (const [field, price] of [['price', order.price] as const, ['stopPrice', order.stopPrice] as const]) {
    if (price !== null && tickSize !== null && !price.mod(tickSize).isZero()) {
      throw refuse.validation(
        `${field} must be a multiple of ${symbol}'s price step ${toWire(tickSize)}, but got ${toWire(price)}.`,
        ['input', field],
      );
    }
  }
  if (minOrderSize !== null && order.quantity.lt(minOrderSize)) throw size(symbol, 'smallest', minOrderSize, order);
  if (maxOrderSize !== null && order.quantity.gt(maxOrderSize)) throw size(symbol, 'largest', maxOrderSize, order);
}

function size(symbol: string, which: 'smallest' | 'largest', bound: Decimal, { quantity }: OrderTerms) {
  const bounds = `${symbol}'s ${which} order is ${toWire(bound)}, but quantity is ${toWire(quantity)}.`;
  return refuse.validation(bounds, ['input', 'quantity']);
}

/**
 * Passes when what the order is worth can be stored, and is worth anything: at most 16 digits before the point, and at
 * least 0.00000001 of the quote asset.
 * @throws Refusal (validation) otherwise
 */
export function checkValue(order: OrderTerms, rates: FeeRates): void {
  const price = order.price ?? order.stopPrice;
  if (price === null) return;
  const path = ['input', 'quantity'];
  const cost = reserveFor({ ...order, side: 'BUY' }, rates);
  if (cost.gte(AMOUNT_LIMIT)) {
    throw refuse.validation(`The order is worth ${toWire(cost)}; it must be below ${toWire(AMOUNT_LIMIT)}.`, path);
  }
  if (order.quantity.times(price).lt('0.00000001')) {
    throw refuse.validation('The order is worth less than 0.00000001 of the quote asset.', path);
  }
}
