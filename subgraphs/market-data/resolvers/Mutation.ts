import { invalidateCache } from '../../../platform/cache/invalidation.ts';
import { defineAsset } from '../asset-commands.ts';
import { ingestCandles, rollUpCandles } from '../candle-ingestion.ts';
import type { MutationResolvers } from '../generated/resolvers.ts';
import {
  createInstrument,
  deleteInstrument,
  setInstrumentActive,
  setInstrumentVenue,
  updateInstrument,
} from '../instrument-commands.ts';
import { recordOrderBooks } from '../order-book-recording.ts';
import { ingestPrice, ingestPrices } from '../price-ingestion.ts';
import { recordTickers } from '../ticker-recording.ts';

export const Mutation: MutationResolvers = {
  invalidateMarketDataCache: invalidateCache,
  createInstrument: (_, { input }, context) => createInstrument(context, input),
  updateInstrument: (_, { input }, context) => updateInstrument(context, input),
  setInstrumentActive: (_, { input }, context) => setInstrumentActive(context, input),
  setInstrumentVenue: (_, { input }, context) => setInstrumentVenue(context, input),
  defineAsset: (_, { input }, context) => defineAsset(context, input),
  deleteInstrument: (_, { input }, context) => deleteInstrument(context, input),
  ingestPrice: (_, { input }, context) => ingestPrice(context, input),
  ingestPrices: (_, { input }, context) => ingestPrices(context, input),
  ingestCandles: (_, { input }, context) => ingestCandles(context, input),
  rollUpCandles: (_, { input }, context) => rollUpCandles(context, input),
  recordOrderBooks: (_, { input }, context) => recordOrderBooks(context, input),
  recordTickers: (_, { input }, context) => recordTickers(context, input),
};
