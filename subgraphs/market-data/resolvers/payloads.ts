/** What commands give back: the things they name as they are after the commit, and counts that are 0 when refused. */
import { assets } from '../assets.ts';
import type { RowRefusal } from '../bulk.ts';
import type { Context } from '../context.ts';
import type { Resolvers } from '../generated/resolvers.ts';
import { instruments } from '../instruments.ts';
import { tickers as tickerOf, tickersOf } from '../tickers.ts';

const instrument = ({ symbol }: { symbol?: string }, _: object, context: Context) =>
  symbol === undefined ? null : context.load(instruments, symbol);

const tickers = ({ symbols = [] }: { symbols?: string[] }, _: object, context: Context) => tickersOf(context, symbols);

const refused = (payload: { refused?: RowRefusal[] }) => payload.refused ?? [];

export const payloads: Resolvers = {
  CreateInstrumentPayload: { instrument },
  UpdateInstrumentPayload: { instrument },
  SetInstrumentActivePayload: { instrument },
  SetInstrumentVenuePayload: { instrument },
  DeleteInstrumentPayload: { instrument },
  DefineAssetPayload: {
    asset: ({ code }, _, context) => (code === undefined ? null : context.load(assets, code)),
  },
  IngestPricePayload: {
    isDuplicate: ({ isDuplicate }) => isDuplicate ?? false,
    ticker: ({ symbol }, _, context) => (symbol === undefined ? null : context.load(tickerOf, symbol)),
  },
  IngestPricesPayload: {
    accepted: ({ accepted }) => accepted ?? 0,
    duplicates: ({ duplicates }) => duplicates ?? 0,
    refused,
    tickers,
  },
  IngestCandlesPayload: {
    inserted: ({ inserted }) => inserted ?? 0,
    updated: ({ updated }) => updated ?? 0,
    ignored: ({ ignored }) => ignored ?? 0,
    rolledUp: ({ rolledUp }) => rolledUp ?? 0,
    refused,
  },
  RollUpCandlesPayload: { rolledUp: ({ rolledUp }) => rolledUp ?? 0 },
  RecordOrderBooksPayload: {
    recorded: ({ recorded }) => recorded ?? 0,
    duplicates: ({ duplicates }) => duplicates ?? 0,
    refused,
  },
  RecordTickersPayload: {
    recorded: ({ recorded }) => recorded ?? 0,
    duplicates: ({ duplicates }) => duplicates ?? 0,
    refused,
    tickers,
  },
};
