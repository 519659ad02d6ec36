import { rowOf, toldAsIs } from '../../../platform/feed/events.ts';
import { readMinInterval } from '../../../platform/feed/min-interval.ts';
import { isStale } from '../../../platform/instant.ts';
import { normaliseSymbol, normaliseSymbols } from '../../../platform/symbols.ts';
import type { Context } from '../context.ts';
import type {
  InstrumentResolvers,
  MutationResolvers,
  QueryResolvers,
  Resolvers,
  SubscriptionResolvers,
} from '../generated/resolvers.ts';
import { instruments } from '../instruments.ts';
import { instrumentOf } from '../references.ts';
import { shownSources } from '../scenarios/shown-prices.ts';
import { consensusPrices, consensusTopic, sourcePricesOf } from './consensus-prices.ts';
import { dataSourceConditions, dataSourceList, dataSources, dataSourceTopic, shownState } from './data-sources.ts';
import {
  feedAgeMs,
  feedStateChanges,
  feedStateOf,
  type InstrumentFeed,
  isFeedStale,
  staleFeeds,
} from './feed-states.ts';
import { registerDataSource, reportSourceError, resetPriceBreaker } from './source-commands.ts';

const symbolOf = (symbol: string) => normaliseSymbol(symbol, ['symbol']);

export const sourceQueries = {
  dataSource: (_, { name }, context) => context.load(dataSources, name),
  dataSources: (_, { filter, ...page }, context) =>
    context.connect(dataSourceList, page, dataSourceConditions(filter, context.now())),
  consensusPrice: (_, { symbol }, context) => context.load(consensusPrices, symbolOf(symbol)),
  feedState: async (_, { symbol }, context) => {
    const instrument = await context.load(instruments, symbolOf(symbol));
    return instrument && feedStateOf(context, instrument.symbol);
  },
  staleFeeds: (_, page, context) => staleFeeds(context, page),
} satisfies QueryResolvers;

export const sourceMutations = {
  registerDataSource: (_, { input }, context) => registerDataSource(context, input),
  reportSourceError: (_, { input }, context) => reportSourceError(context, input),
  resetPriceBreaker: (_, { input }, context) => resetPriceBreaker(context, input),
} satisfies MutationResolvers;

export const sourceSubscriptions = {
  dataSourceChanges: {
    subscribe: (_, { names, after }, context) => context.changes(dataSourceTopic, { choice: { name: names }, after }),
    resolve: toldAsIs,
  },
  consensusChanges: {
    subscribe: (_, { symbols, minIntervalMs, after }, context) =>
      context.changes(consensusTopic, {
        choice: { symbol: normaliseSymbols(symbols) },
        minIntervalMs: readMinInterval(minIntervalMs),
        after,
      }),
    resolve: toldAsIs,
  },
  feedStateChanges: {
    subscribe: (_, { symbol, after }, context) => feedStateChanges(context, symbolOf(symbol), after),
    resolve: toldAsIs,
  },
} satisfies SubscriptionResolvers;

/** What sources add to an instrument. */
export const consensusOfInstrument = {
  consensusPrice: ({ symbol }, _, context) => context.load(consensusPrices, symbol),
} satisfies InstrumentResolvers;

const source = ({ name }: { name?: string }, _: object, context: Context) =>
  name === undefined ? null : context.load(dataSources, name);

export const sourceTypes: Resolvers = {
  DataSource: { state: (row, _, context) => shownState(row, context.now()) },
  ConsensusPrice: {
    instrument: instrumentOf,
    isStale: ({ pricedAt }, _, context) => isStale(pricedAt, context.now()),
    breaker: (row) => row,
    sources: async (row, _, context) => shownSources(context, row, await sourcePricesOf(context, row)),
  },
  PriceBreaker: { state: ({ breaker }) => breaker },
  SourcePrice: {
    source: ({ source: name }, _, context) => context.load(dataSources, name),
    isStale: ({ timestamp }, _, context) => isStale(timestamp, context.now()),
  },
  FeedState: {
    instrument: ({ symbol }: InstrumentFeed, _: object, context: Context) => context.load(instruments, symbol),
    isStale: (state, _, context) => isFeedStale(state, context.now()),
    ageMs: (state, _, context) => feedAgeMs(state, context.now()),
    source: ({ ticker }) => ticker?.source ?? null,
    timestamp: ({ ticker }) => ticker?.timestamp ?? null,
  },
  RegisterDataSourcePayload: { source },
  ReportSourceErrorPayload: { source },
  ResetPriceBreakerPayload: {
    consensus: ({ symbol }, _, context) => (symbol === undefined ? null : context.load(consensusPrices, symbol)),
  },
  DataSourceChange: { source: rowOf },
  ConsensusChange: { consensus: rowOf },
  FeedStateChange: { feed: rowOf },
};
