import type { Operation } from './operation.ts';

const PRICES = 'test/graph/market-data/prices.test.ts';
const SHARED = 'test/graph/market-data/shared-prices.test.ts';
const TICKERS = 'test/graph/market-data/tickers.test.ts';
const CANDLES = 'test/graph/market-data/candles.test.ts';
const PURGES = 'test/graph/market-data/purges.test.ts';
const INSTRUMENTS = 'test/graph/market-data/instruments.test.ts';
const LISTS = 'test/graph/market-data/instrument-lists.test.ts';
const CONTRACT = 'test/graph/market-data/contract.test.ts';

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
];
