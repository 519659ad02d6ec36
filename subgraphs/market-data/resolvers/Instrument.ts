import { within } from '../../../platform/filters.ts';
import { assets } from '../assets.ts';
import { candleList, latestCandle, ofInterval } from '../candles.ts';
import { shownKind } from '../enums.ts';
import type { InstrumentResolvers } from '../generated/resolvers.ts';
import { instruments, instrumentVenues } from '../instruments.ts';
import { latestOrderBook } from '../order-books.ts';
import { priceFeedList } from '../prices.ts';
import { required } from '../references.ts';
import { tickers } from '../tickers.ts';

export const Instrument: InstrumentResolvers = {
  __resolveReference: ({ symbol }, context) => context.load(instruments, symbol),
  baseAsset: ({ baseCurrency }, _, context) => required(context, assets, baseCurrency),
  quoteAsset: ({ quoteCurrency }, _, context) => required(context, assets, quoteCurrency),
  kind: ({ kind }) => shownKind(kind),
  tickSize: ({ minPriceMovement }) => minPriceMovement,
  venues: ({ symbol }, _, context) => context.list(instrumentVenues, symbol),

  ticker: ({ symbol }, _, context) => context.load(tickers, symbol),
  latestPrice: ({ symbol }, _, context) => context.load(tickers, symbol),
  priceHistory: ({ symbol }, { from, to, ...page }, context) =>
    context.connectChildren(priceFeedList, 'symbol', symbol, page, within('timestamp', { from, to })),

  candles: ({ symbol }, { interval, from, to, ...page }, context) =>
    context.connectChildren(candleList, 'symbol', symbol, page, [
      ofInterval(interval),
      ...within('start_time', { from, to }),
    ]),
  latestCandle: ({ symbol }, { interval }, context) => latestCandle(context, symbol, interval),

  orderBookSnapshot: ({ symbol }, { venueId, depth }, context) => latestOrderBook(context, symbol, venueId, depth),
};
