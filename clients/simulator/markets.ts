/** The markets that the simulator moves: those of its courses that the graph has, as they go on from the graph's tickers. */
import { type Decimal, dec } from '../../platform/decimal.ts';
import type { GraphClient } from '../../platform/graph-client.ts';
import { COURSES, type Course, SOURCE } from './courses.ts';
import type { MinuteBars } from './minute-bars.ts';
import { resumeOpenBar } from './open-bars.ts';
import { type Random, randomOf } from './random.ts';

/** A market on its way. */
export interface Market {
  course: Course;
  random: Random;
  terms: Terms;
  /** Where the price is drawn back to; the price at the start. */
  anchor: number;
  /** In units of the quote asset, with more digits than are shown. */
  price: number;
  walkedAtMs: number;
  /** Of the newest tick. */
  sequence: bigint;
}

/** What an instrument allows. */
export interface Terms {
  priceStep: Decimal;
  /** The smallest order, of which every order is a multiple. */
  quantityStep: Decimal;
}

export type Markets = Map<string, Market>;

interface Instrument {
  symbol: string;
  tickSize: string | null;
  minOrderSize: string | null;
  ticker: { lastPrice: string; source: string; sequence: string } | null;
}

const QUERY = `query SimulatedMarkets($symbols: [String!]!) {
  instruments(filter: { symbols: $symbols, isActive: true }) {
    nodes {
      symbol tickSize minOrderSize
      ticker { lastPrice source sequence }
    }
  }
}`;

/** Steps of instruments that name none. */
const SMALLEST_STEP = '0.00000001';

/** Brings the markets up to date: new ones begin at their tickers, closed ones are left. One without a price waits for it. */
export async function surveyMarkets(
  graph: GraphClient,
  markets: Markets,
  { seed, bars, nowMs }: { seed: number; bars: MinuteBars; nowMs: number },
): Promise<void> {
  const { instruments } = await graph.request<{ instruments: { nodes: Instrument[] } }>(QUERY, {
    symbols: COURSES.map(({ symbol }) => symbol),
  });
  const found = new Map(instruments.nodes.map((instrument) => [instrument.symbol, instrument]));
  for (const course of COURSES) {
    const instrument = found.get(course.symbol);
    const known = markets.get(course.symbol);
    if (!instrument?.ticker) markets.delete(course.symbol);
    else if (known) known.terms = termsOf(instrument);
    else {
      await resumeOpenBar(graph, bars, { symbol: course.symbol, source: SOURCE });
      markets.set(course.symbol, begin(course, instrument, instrument.ticker, { seed, nowMs }));
    }
  }
}

function begin(
  course: Course,
  instrument: Instrument,
  ticker: NonNullable<Instrument['ticker']>,
  { seed, nowMs }: { seed: number; nowMs: number },
): Market {
  const price = Number(ticker.lastPrice);
  return {
    course,
    random: randomOf(seed, `prices of ${course.symbol}`),
    terms: termsOf(instrument),
    anchor: price,
    price,
    walkedAtMs: nowMs,
    sequence: ticker.source === SOURCE ? BigInt(ticker.sequence) : 0n,
  };
}

function termsOf({ tickSize, minOrderSize }: Instrument): Terms {
  return { priceStep: dec(tickSize ?? SMALLEST_STEP), quantityStep: dec(minOrderSize ?? SMALLEST_STEP) };
}
