import type { Operation } from './operation.ts';

const PRICES = 'test/graph/market-data/prices.test.ts';
const SHARED = 'test/graph/market-data/shared-prices.test.ts';
const TICKERS = 'test/graph/market-data/tickers.test.ts';
const CANDLES = 'test/graph/market-data/candles.test.ts';
const PURGES = 'test/graph/market-data/purges.test.ts';
const INSTRUMENTS = 'test/graph/market-data/instruments.test.ts';
const LISTS = 'test/graph/market-data/instrument-lists.test.ts';
const CONTRACT = 'test/graph/market-data/contract.test.ts';
const BOOKS = 'test/graph/market-data/order-books.test.ts';
const BOOKS_LIVE = 'test/graph/market-data/order-book-changes.test.ts';
const SCENARIOS = 'test/graph/market-data/scenarios.test.ts';
const SOURCES = 'test/graph/market-data/sources.test.ts';
const ANALYTICS = 'test/graph/market-data/analytics.test.ts';
const RATES = 'test/graph/live/rates.test.ts';

/** domain.md §2.2 */
export const operations: Operation[] = [
  {
    repository: 'PriceFeed',
    operation: 'create',
    fields: ['Mutation.ingestPrice', 'Mutation.ingestPrices'],
    test: [PRICES, 'stores prints, quotes and plain prices, and advances the ticker'],
  },
  {
    repository: 'PriceFeed',
    operation: 'getById',
    fields: ['Query.priceFeed'],
    test: [PRICES, 'lead to single ticks'],
  },
  {
    repository: 'PriceFeed',
    operation: 'getLatestBySymbol',
    fields: ['Query.latestPrice', 'Instrument.latestPrice'],
    test: [TICKERS, 'knows its age, and is stale after 30 seconds'],
  },
  {
    repository: 'PriceFeed',
    operation: 'getBySymbol',
    fields: ['Query.priceHistory', 'Instrument.priceHistory'],
    test: [PRICES, 'run by instant and sequence, page by page, either way'],
  },
  {
    repository: 'PriceFeed',
    operation: 'query',
    fields: ['Query.priceFeeds'],
    test: [PRICES, 'filtered by { %s }'],
  },
  {
    repository: 'PriceFeed',
    operation: 'deleteOlderThan',
    fields: ['Mutation.purgePriceFeeds'],
    test: [PURGES, 'removes ticks strictly before the instant, of one instrument or of all'],
  },
  {
    repository: 'Candle',
    operation: 'upsert',
    fields: ['Mutation.ingestCandles'],
    test: [CANDLES, 'updates an open bar: open stays, high and low widen, the rest as given'],
  },
  {
    repository: 'Candle',
    operation: 'getById',
    fields: ['Query.candle'],
    test: [CANDLES, 'lead to single bars, and to the newest'],
  },
  {
    repository: 'Candle',
    operation: 'getBySymbolAndInterval',
    fields: ['Query.candles', 'Instrument.candles'],
    test: [CANDLES, 'are paged through, newest first unless asked otherwise'],
  },
  {
    repository: 'Candle',
    operation: 'getLatest',
    fields: ['Query.latestCandle', 'Instrument.latestCandle'],
    test: [CANDLES, 'lead to single bars, and to the newest'],
  },
  {
    repository: 'Candle',
    operation: 'query',
    fields: ['Query.candles'],
    test: [CANDLES, 'filtered by { %s }'],
  },
  {
    repository: 'Candle',
    operation: 'deleteOlderThan',
    fields: ['Mutation.purgeCandles'],
    test: [PURGES, 'removes bars, and what was rolled up from them stays when a late one comes'],
  },
  {
    repository: 'MarketSnapshot',
    operation: 'create',
    fields: ['Mutation.recordTickers', 'Mutation.ingestPrices'],
    test: [TICKERS, 'is recorded as a venue computed it'],
  },
  {
    repository: 'MarketSnapshot',
    operation: 'getById',
    fields: ['Query.marketSnapshot'],
    test: [CONTRACT, 'every field of every type is answered'],
  },
  {
    repository: 'MarketSnapshot',
    operation: 'getLatestBySymbol',
    fields: ['Query.ticker', 'Query.tickers', 'Instrument.ticker'],
    test: [TICKERS, 'is answered for several symbols in the order asked'],
  },
  {
    repository: 'MarketSnapshot',
    operation: 'getBySymbol',
    fields: ['Query.tickerHistory'],
    test: [TICKERS, 'keeps every state it was in, in order'],
  },
  {
    repository: 'MarketSnapshot',
    operation: 'query',
    fields: ['Query.tickerHistory'],
    test: [TICKERS, 'keeps every state it was in, in order'],
  },
  {
    repository: 'MarketSnapshot',
    operation: 'deleteOlderThan',
    fields: ['Mutation.purgeSnapshots'],
    test: [PURGES, 'removes ticks strictly before the instant, of one instrument or of all'],
  },
  {
    repository: 'Symbol',
    operation: 'create',
    fields: ['Mutation.createInstrument'],
    test: [INSTRUMENTS, 'keeps its terms, and creates its assets with it'],
  },
  {
    repository: 'Symbol',
    operation: 'getById',
    fields: ['Query.instrument'],
    test: [LISTS, 'are resolved as entities in one statement a type'],
  },
  {
    repository: 'Symbol',
    operation: 'getBySymbol',
    fields: ['Query.instrument'],
    test: [INSTRUMENTS, 'keeps its terms, and creates its assets with it'],
  },
  {
    repository: 'Symbol',
    operation: 'query',
    fields: ['Query.instruments'],
    test: [LISTS, 'filtered by %s'],
  },
  {
    repository: 'Symbol',
    operation: 'getActive',
    fields: ['Query.activeInstruments'],
    test: [LISTS, 'of the active ones'],
  },
  {
    repository: 'Symbol',
    operation: 'update',
    fields: ['Mutation.updateInstrument'],
    test: [INSTRUMENTS, 'sets what is named, clears what is null, keeps the rest, and counts the version'],
  },
  {
    repository: 'Symbol',
    operation: 'updateActiveStatus',
    fields: ['Mutation.setInstrumentActive'],
    test: [INSTRUMENTS, 'opens and closes it; what is so already is no change'],
  },
  {
    repository: 'Symbol',
    operation: 'delete',
    fields: ['Mutation.deleteInstrument'],
    test: [SHARED, 'deactivates one that nothing speaks of'],
  },
  {
    repository: 'OrderBook',
    operation: 'putSnapshot',
    fields: ['Mutation.recordOrderBooks'],
    test: [BOOKS, 'keeps the levels, with running totals'],
  },
  {
    repository: 'OrderBook',
    operation: 'getLatest',
    fields: ['Query.orderBookSnapshot'],
    test: [BOOKS, 'gives the newest of any venue, or of one'],
  },
  {
    repository: 'OrderBook',
    operation: 'getHistory',
    fields: ['Query.orderBookHistory'],
    test: [BOOKS, 'history filtered by { symbol%s }'],
  },
  {
    repository: 'OrderBook',
    operation: 'orderBookUpdated',
    fields: ['Subscription.orderBookSnapshotChanges'],
    test: [BOOKS_LIVE, 'begins with the newest of each venue, and tells each newer one'],
  },
  {
    repository: 'Scenario',
    operation: 'create',
    fields: ['Mutation.createMarketScenario', 'Mutation.scheduleMarketScenario'],
    test: [SCENARIOS, 'starts when its time has come'],
  },
  {
    repository: 'Scenario',
    operation: 'start',
    fields: ['Mutation.startMarketScenario'],
    test: [SCENARIOS, 'bends the price gradually, recovers, and leaves the true price behind'],
  },
  {
    repository: 'Scenario',
    operation: 'stop',
    fields: ['Mutation.stopMarketScenario'],
    test: [SCENARIOS, 'is stopped at once, with the true price and quote'],
  },
  {
    repository: 'Scenario',
    operation: 'getActive',
    fields: ['Query.activeMarketScenarios'],
    test: [SCENARIOS, 'starts when its time has come'],
  },
  {
    repository: 'Scenario',
    operation: 'list',
    fields: ['Query.marketScenarios', 'Query.marketScenario', 'Subscription.marketScenarioChanges'],
    test: [CONTRACT, 'every field of every type is answered'],
  },
  {
    repository: 'Scenario',
    operation: 'truth',
    fields: ['Query.priceManipulations'],
    test: [SCENARIOS, 'about ticks and sources is told to auditors and testers, and to nobody else'],
  },
  {
    repository: 'Sources',
    operation: 'consensus',
    fields: ['Query.consensusPrice', 'Subscription.consensusChanges'],
    test: [SOURCES, 'leaves an outlier out, and the ticker does not follow it'],
  },
  {
    repository: 'Sources',
    operation: 'health',
    fields: [
      'Query.dataSources',
      'Mutation.registerDataSource',
      'Mutation.reportSourceError',
      'Subscription.dataSourceChanges',
    ],
    test: [SOURCES, 'is healthy after three good prices, degraded by three bad ones, stale and down by silence'],
  },
  {
    repository: 'Sources',
    operation: 'circuitBreaker',
    fields: ['ConsensusPrice.breaker', 'Mutation.resetPriceBreaker'],
    test: [SOURCES, 'trips beyond the threshold, holds the price back, and closes after a minute inside the band'],
  },
  {
    repository: 'Sources',
    operation: 'staleFeeds',
    fields: ['Query.staleFeeds', 'Query.feedState', 'Subscription.feedStateChanges'],
    test: [SOURCES, 'is told once when it falls silent, and once when it speaks again'],
  },
  {
    repository: 'Service',
    operation: 'GetPrice',
    fields: ['Query.latestPrice'],
    test: [TICKERS, 'knows its age, and is stale after 30 seconds'],
  },
  {
    repository: 'Service',
    operation: 'StreamPrices',
    fields: ['Subscription.priceChanges'],
    test: [RATES, 'are told of each instrument at most as often as the client wishes, and the last one always'],
  },
  {
    repository: 'Service',
    operation: 'GenerateSimulation',
    fields: ['Mutation.generateSimulation'],
    test: [ANALYTICS, 'of %s goes on from the bars, the same for the same seed'],
  },
  {
    repository: 'Service',
    operation: 'StreamScenario',
    fields: ['Subscription.scenarioPrices'],
    test: [SCENARIOS, 'moves prices though none comes, and its followers see what is true'],
  },
  {
    repository: 'Service',
    operation: 'HealthCheck',
    fields: ['Query.marketDataHealth'],
    test: [CONTRACT, 'every field of every type is answered'],
  },
  {
    repository: 'Service',
    operation: 'history',
    fields: ['Query.priceHistory'],
    test: [PRICES, 'run by instant and sequence, page by page, either way'],
  },
  {
    repository: 'Service',
    operation: 'dayStatistics',
    fields: ['Query.dayStatistics'],
    test: [ANALYTICS, 'the day is told from its bars'],
  },
  {
    repository: 'Service',
    operation: 'correlations',
    fields: ['Query.correlationMatrix'],
    test: [ANALYTICS, 'are 1, -1 or something between, and unknown where there is too little'],
  },
  {
    repository: 'Service',
    operation: 'volumeProfile',
    fields: ['Query.volumeProfile'],
    test: [ANALYTICS, 'tells at which prices the volume was'],
  },
];
