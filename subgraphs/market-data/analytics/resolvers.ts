import { normaliseSymbol } from '../../../platform/symbols.ts';
import type { Context } from '../context.ts';
import type { MutationResolvers, QueryResolvers, Resolvers } from '../generated/resolvers.ts';
import { instruments } from '../instruments.ts';
import { instrumentOf } from '../references.ts';
import { correlationMatrix, matrixOf } from './correlations.ts';
import { dayChange, dayStatistics, dayVolatility, dayVwap } from './day-statistics.ts';
import { generateSimulation } from './simulations.ts';
import { pointOfControl, valueArea, volumeProfile } from './volume-profiles.ts';

export const analyticsQueries = {
  correlationMatrix: (_, args, context) => correlationMatrix(context, args),
  volumeProfile: (_, args, context) => volumeProfile(context, args),
  dayStatistics: (_, { symbol }, context) => dayStatistics(context, normaliseSymbol(symbol, ['symbol'])),
} satisfies QueryResolvers;

export const analyticsMutations = {
  generateSimulation: (_, { input }, context) => generateSimulation(context, input),
} satisfies MutationResolvers;

const instrument = ({ symbol }: { symbol: string }, _: object, context: Context) => context.load(instruments, symbol);
const all = ({ symbols }: { symbols: readonly string[] }, _: object, context: Context) =>
  Promise.all(symbols.map((symbol) => context.load(instruments, symbol)));
const places = (value: number) => value.toFixed(8);

export const analyticsTypes: Resolvers = {
  CorrelationMatrix: { instruments: all, matrix: matrixOf },
  CorrelationPair: { instruments: all },
  VolumeProfile: {
    instrument,
    totalVolume: ({ totalVolume }) => totalVolume.toFixed(),
    pointOfControl,
    valueAreaLow: (profile) => valueArea(profile)?.low.toFixed(),
    valueAreaHigh: (profile) => valueArea(profile)?.high.toFixed(),
  },
  VolumeBucket: {
    low: ({ low }) => low.toFixed(),
    high: ({ high }) => high.toFixed(),
    volume: ({ volume }) => volume.toFixed(),
  },
  DayStatistics: {
    instrument: instrumentOf,
    vwap: dayVwap,
    change: (day) => dayChange(day).change.toFixed(),
    changePercent: (day) => dayChange(day).percent.toFixed(),
    volatility: dayVolatility,
  },
  Simulation: { instrument },
  SimulationSimilarity: {
    correlation: ({ correlation }) => (correlation === null ? null : places(correlation)),
    volatility: ({ volatility }) => places(volatility),
    returnDistribution: ({ returnDistribution }) => places(returnDistribution),
    trend: ({ trend }) => places(trend),
    confidence: ({ confidence }) => places(confidence),
  },
};
