/** Fields of recorded rows that are not columns: references, and figures derived from a quote. */
import { ageMs, isStale } from '../../../platform/instant.ts';
import type { Context } from '../context.ts';
import { shownInterval } from '../enums.ts';
import type { Resolvers } from '../generated/resolvers.ts';
import { levelOf } from '../order-books.ts';
import { instrumentOf } from '../references.ts';
import { midOf, spreadBpsOf, spreadOf } from '../rules/market-figures.ts';
import { cumulate } from '../rules/order-book.ts';
import { shownQuote } from '../scenarios/shown-prices.ts';
import type { TickerRow } from '../tickers.ts';

const venue = ({ venueId }: { venueId: string }) => ({ venueId });

export const rows: Resolvers = {
  InstrumentVenue: { venue },

  PriceFeed: {
    instrument: instrumentOf,
    price: async (tick, _, context) => (await shownQuote(context, tick)).price,
    bid: async (tick, _, context) => (await shownQuote(context, tick)).bid,
    ask: async (tick, _, context) => (await shownQuote(context, tick)).ask,
    spread: async (tick, _, context) => {
      const { bid, ask } = await shownQuote(context, tick);
      return spreadOf(bid, ask)?.toFixed();
    },
  },

  LatestPrice: {
    instrument: instrumentOf,
    price: ({ lastPrice }) => lastPrice,
    ageMs: (row: TickerRow, _: object, context: Context) => ageMs(row.timestamp, context.now()),
    isStale: (row: TickerRow, _: object, context: Context) => isStale(row.timestamp, context.now()),
  },

  Ticker: {
    instrument: instrumentOf,
    mid: ({ bid, ask }) => midOf(bid, ask)?.toFixed(),
    spreadBps: ({ bid, ask }) => spreadBpsOf(bid, ask)?.toFixed(),
  },

  MarketSnapshot: { instrument: instrumentOf },

  PriceIngestion: { calls: ({ calls }) => String(calls), transactions: ({ transactions }) => String(transactions) },

  Candle: {
    instrument: instrumentOf,
    interval: ({ interval }) => shownInterval(interval),
  },

  OrderBookSnapshot: {
    instrument: instrumentOf,
    venue,
    bids: ({ bids, shownDepth }) => cumulate(bids.map(levelOf), shownDepth),
    asks: ({ asks, shownDepth }) => cumulate(asks.map(levelOf), shownDepth),
    spread: ({ bids, asks }) => spreadOf(bids[0]?.[0] ?? null, asks[0]?.[0] ?? null)?.toFixed(),
    mid: ({ bids, asks }) => midOf(bids[0]?.[0] ?? null, asks[0]?.[0] ?? null)?.toFixed(),
  },
};
