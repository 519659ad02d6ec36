/** Simulated prices that go on from stored bars. Nothing is written: the seed and the bars give the same again. */
import type { CommandPayload } from '../../../platform/command.ts';
import { dec } from '../../../platform/decimal.ts';
import { refuse } from '../../../platform/errors.ts';
import { normaliseSymbol } from '../../../platform/symbols.ts';
import type { Context } from '../context.ts';
import { storedInterval } from '../enums.ts';
import type { CandleInterval, GenerateSimulationInput } from '../generated/resolvers.ts';
import { instruments } from '../instruments.ts';
import { refusable } from '../refusable.ts';
import { durationMs } from '../rules/candle-intervals.ts';
import { readCloses } from './closes.ts';
import { type Similarity, type SimulationType, similarityOf, simulate } from './rules/simulation.ts';

export interface SeriesPoint {
  startTime: string;
  price: string;
}

export interface SimulatedSeries {
  symbol: string;
  type: SimulationType;
  interval: CandleInterval;
  seed: number;
  historical: SeriesPoint[];
  simulated: SeriesPoint[];
  similarity: Similarity;
}

export type SimulationPayload = CommandPayload<{ simulation: SimulatedSeries }>;

const LEAST_BARS = 10;
const MOST_POINTS = 1_000;

/** Draws as many points as asked, from as many bars. */
export function generateSimulation(context: Context, input: GenerateSimulationInput): Promise<SimulationPayload> {
  return refusable(context, async () => {
    const symbol = normaliseSymbol(input.symbol);
    if (!(await context.load(instruments, symbol))) throw refuse.notFound('Instrument', symbol, ['input', 'symbol']);
    const { type } = input;
    const interval = input.interval ?? 'H1';
    const count = input.dataPoints ?? 100;
    if (count < LEAST_BARS || count > MOST_POINTS) {
      throw invalid('dataPoints', `dataPoints must be ${LEAST_BARS} to ${MOST_POINTS}, but got ${count}.`);
    }
    const plan = {
      type,
      count,
      volatilityFactor: factor('volatilityFactor', input.volatilityFactor ?? '1', '0', '5'),
      trendFactor: factor('trendFactor', input.trendFactor ?? '1', '-5', '5'),
      noiseLevel: (input.hasNoise ?? false) ? factor('noiseLevel', input.noiseLevel ?? '0.1', '0', '1') : 0,
      seed: input.seed ?? 0,
    };
    const to = input.to ?? context.now().toISOString();
    const closes = (await readCloses(context, [symbol], interval, to, count)).get(symbol) ?? [];
    const last = closes.at(-1);
    if (!last || closes.length < LEAST_BARS) {
      const message = `At least ${LEAST_BARS} bars of ${interval} are needed before ${to}, but ${closes.length} are stored.`;
      throw invalid('interval', message);
    }
    const prices = closes.map(({ price }) => price);
    const simulated = simulate(prices, plan);
    const stepMs = durationMs(storedInterval(interval));
    const simulation: SimulatedSeries = {
      symbol,
      type,
      interval,
      seed: plan.seed,
      historical: closes.map(({ startMs, price }) => pointOf(startMs, price)),
      simulated: simulated.map((price, i) => pointOf(last.startMs + (i + 1) * stepMs, price)),
      similarity: similarityOf(prices, simulated),
    };
    return { simulation, errors: [], readToken: null };
  });
}

/** Lowest price that storage knows. */
const LEAST_PRICE = 1e-8;

function pointOf(startMs: number, price: number): SeriesPoint {
  return { startTime: new Date(startMs).toISOString(), price: Math.max(price, LEAST_PRICE).toFixed(8) };
}

function factor(field: string, text: string, least: string, most: string): number {
  const value = dec(text);
  if (value.lessThan(least) || value.greaterThan(most)) {
    throw invalid(field, `${field} must be ${least} to ${most}, but got ${text}.`);
  }
  return value.toNumber();
}

function invalid(field: string, message: string) {
  return refuse.validation(message, ['input', field]);
}
