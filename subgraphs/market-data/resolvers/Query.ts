import { within } from '../../../platform/filters.ts';
import { normaliseSymbol } from '../../../platform/symbols.ts';
import { assetConditions, assetList, assets } from '../assets.ts';
import { candleConditions, candleList, candles, latestCandle } from '../candles.ts';
import { symbolsOf } from '../filters.ts';
import type { QueryResolvers } from '../generated/resolvers.ts';
import { BY_SYMBOL, instrumentConditions, instrumentList, instruments, isActive } from '../instruments.ts';
import { latestOrderBook, orderBookHistory } from '../order-books.ts';
import { priceFeedConditions, priceFeedList, priceFeeds } from '../prices.ts';
import { marketSnapshotConditions, marketSnapshotList, marketSnapshots, tickers, tickersOf } from '../tickers.ts';

const symbolOf = (symbol: string) => normaliseSymbol(symbol, ['symbol']);

export const Query: QueryResolvers = {
  marketDataFeed: (_, __, context) => context.feed.status(),
  marketDataHealth: (_, __, context) => context.health.read(),
  priceIngestion: (_, __, context) => context.service.prices.state(),

  instrument: (_, { symbol }, context) => context.load(instruments, symbolOf(symbol)),
  instruments: (_, { filter, ...page }, context) => context.connect(instrumentList, page, instrumentConditions(filter)),
  activeInstruments: (_, page, context) => context.connect(instrumentList, { ...page, ...BY_SYMBOL }, [isActive]),

  asset: (_, { code }, context) => context.load(assets, code.toUpperCase()),
  assets: (_, { filter, ...page }, context) => context.connect(assetList, page, assetConditions(filter)),

  ticker: (_, { symbol }, context) => context.load(tickers, symbolOf(symbol)),
  tickers: (_, { symbols }, context) => tickersOf(context, symbolsOf(symbols, ['symbols'])),
  marketSnapshot: (_, { snapshotId }, context) => context.load(marketSnapshots, snapshotId),
  tickerHistory: (_, { filter, ...page }, context) =>
    context.connect(marketSnapshotList, page, marketSnapshotConditions(filter)),

  latestPrice: (_, { symbol }, context) => context.load(tickers, symbolOf(symbol)),
  priceHistory: (_, { symbol, from, to, ...page }, context) =>
    context.connectChildren(priceFeedList, 'symbol', symbolOf(symbol), page, within('timestamp', { from, to })),
  priceFeed: (_, { feedId }, context) => context.load(priceFeeds, feedId),
  priceFeeds: (_, { filter, ...page }, context) => context.connect(priceFeedList, page, priceFeedConditions(filter)),

  candle: (_, { candleId }, context) => context.load(candles, candleId),
  candles: (_, { filter, ...page }, context) => context.connect(candleList, page, candleConditions(filter)),
  latestCandle: (_, { symbol, interval }, context) => latestCandle(context, symbolOf(symbol), interval),

  orderBookSnapshot: (_, { symbol, venueId, depth }, context) =>
    latestOrderBook(context, symbolOf(symbol), venueId, depth),
  orderBookHistory: (_, { filter, depth, ...page }, context) => orderBookHistory(context, filter, depth, page),
};
