import type { OrderSide, PriceInput } from '../../subgraphs/market-data/generated/resolvers.ts';
import { decimalOf, type Fields, instantOf, oneOf, wholeNumberOf } from './fields.ts';
import type { Market } from './items.ts';

/** A trade print: time, trade_id, price in the quote asset, quantity in the base asset, taker_side. */
export function readTrade(fields: Fields, file: Market): PriceInput {
  return {
    symbol: file.symbol,
    source: file.venue,
    timestamp: instantOf(fields, 'time'),
    sequence: wholeNumberOf(fields, 'trade_id'),
    price: decimalOf(fields, 'price'),
    quantity: decimalOf(fields, 'quantity'),
    takerSide: oneOf<OrderSide>(fields, 'taker_side', ['BUY', 'SELL']),
  };
}
