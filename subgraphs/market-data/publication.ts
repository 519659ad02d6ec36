/**
 * From what sources say to what is published: registered sources are judged by their consensus, a tripped breaker holds
 * the price back, a scenario bends it, and the ticker moves on.
 */
import { sql } from '../../platform/database/sql.ts';
import { type Decimal, dec } from '../../platform/decimal.ts';
import type { Spreads } from './chaos/quotes.ts';
import type { Tx } from './context.ts';
import { lockTickers } from './locks.ts';
import { rowSet } from './row-set.ts';
import type { Tick } from './rules/price-tick.ts';
import { wideQuote } from './rules/wide-quote.ts';
import {
  type ActiveManipulation,
  activeManipulations,
  bend,
  keepOriginals,
  quoteOf,
} from './scenarios/manipulations.ts';
import { bentPrice } from './scenarios/rules/price-effect.ts';
import { advanceConsensus, keepSourcePrices, type Verdict } from './sources/consensus-prices.ts';
import { type Heard, hearSources } from './sources/source-health.ts';
import { advanceTickers, newestBySymbol, type Observation } from './ticker-advance.ts';

export type PublishedTick = Tick & { traceId: string };

/** When something is published, and on whose behalf. */
export interface Occasion {
  nowMs: number;
  traceId: string;
  spreads: Spreads;
}

/** What stands between ticks and tickers: of most nothing. */
export interface Guards {
  /** Whether any of the sources is registered. */
  isRegistered: boolean;
  /** Whether a scenario bends any of the prices. */
  isBent: boolean;
  /** The symbols of which registered sources have spoken. */
  guarded: string[];
}

/**
 * Advances what is published with ticks that something stands in the way of. The tickers of their symbols must be locked.
 * `heard` is what their sources said, refused prices too.
 */
export async function publishGuarded(
  tx: Tx,
  ticks: readonly PublishedTick[],
  heard: Heard,
  { isRegistered, isBent, guarded }: Guards,
  occasion: Occasion,
): Promise<void> {
  const symbols = [...new Set(ticks.map(({ symbol }) => symbol))];
  if (isRegistered) await hearSources(tx, heard, occasion.nowMs, occasion.traceId);
  if (ticks.length === 0) return;
  const manipulations = isBent ? await activeManipulations(tx, symbols) : new Map<string, ActiveManipulation>();
  if (isRegistered) await keepSourcePrices(tx, ticks);
  const judged = isRegistered ? symbols : guarded;
  const verdicts =
    judged.length === 0
      ? new Map<string, Verdict>()
      : await advanceConsensus(tx, judged, occasion.nowMs, bender(manipulations, occasion.nowMs), occasion.traceId);
  const publishable = ticks.filter((tick) => isPublishable(tick, verdicts.get(tick.symbol)));
  await publishSeen(tx, observationsOf(publishable), manipulations, occasion);
}

/** What is published of ticks that nothing stands in the way of. */
export function plainObservations(ticks: readonly PublishedTick[], spreads: Spreads): Observation[] {
  return observationsOf(ticks).map((observation) => wideObservation(observation, spreads));
}

/** Advances the tickers with what venues computed: one observation a symbol. */
export async function publishObservations(
  tx: Tx,
  observations: readonly Observation[],
  occasion: Occasion,
): Promise<void> {
  const symbols = observations.map(({ symbol }) => symbol);
  await lockTickers(tx, symbols);
  await publishSeen(tx, observations, await activeManipulations(tx, symbols), occasion);
}

/** What the scenarios make of a symbol's price. */
export function bender(manipulations: ReadonlyMap<string, ActiveManipulation>, nowMs: number) {
  return (symbol: string, price: Decimal): Decimal => {
    const manipulation = manipulations.get(symbol);
    return manipulation ? bentPrice(manipulation, price, nowMs) : price;
  };
}

function isPublishable({ source }: PublishedTick, verdict: Verdict | undefined): boolean {
  return !verdict || !(verdict.isTripped || verdict.outliers.includes(source));
}

async function publishSeen(
  tx: Tx,
  observations: readonly Observation[],
  manipulations: ReadonlyMap<string, ActiveManipulation>,
  { nowMs, traceId, spreads }: Occasion,
): Promise<void> {
  if (observations.length === 0) return;
  const bent = observations.map((observation) => bentObservation(observation, manipulations, nowMs));
  if (manipulations.size > 0) {
    const newer = await newerThanTickers(tx, observations);
    const kept = observations.flatMap((observation, i) => {
      const manipulation = manipulations.get(observation.symbol);
      if (!manipulation || !newer.has(observation.symbol)) return [];
      const { manipulationId } = manipulation;
      return [{ manipulationId, original: quote(observation), published: dec(bent[i]?.lastPrice ?? 0) }];
    });
    await keepOriginals(tx, kept, traceId);
  }
  await advanceTickers(
    tx,
    bent.map((observation) => wideObservation(observation, spreads)),
  );
}

function quote({ lastPrice: price, bid, ask }: Observation) {
  return quoteOf({ price, bid, ask });
}

function bentObservation(
  observation: Observation,
  manipulations: ReadonlyMap<string, ActiveManipulation>,
  nowMs: number,
): Observation {
  const manipulation = manipulations.get(observation.symbol);
  if (!manipulation) return observation;
  const { price, bid, ask } = bend(manipulation, quote(observation), nowMs);
  const { lastPrice, priceChange24h } = observation;
  return {
    ...observation,
    lastPrice: price.toFixed(),
    bid: bid?.toFixed() ?? null,
    ask: ask?.toFixed() ?? null,
    // The price 24 hours before stays what it was.
    priceChange24h: priceChange24h === null ? null : dec(priceChange24h).plus(price).minus(lastPrice).toFixed(),
  };
}

/** What is published while the spread is wide; the truth behind a manipulation stays what it was. */
function wideObservation(observation: Observation, spreads: Spreads): Observation {
  const { symbol, bid, ask } = observation;
  const multiplier = bid === null || ask === null ? null : spreads(symbol);
  if (multiplier === null) return observation;
  const wide = wideQuote(dec(bid ?? 0), dec(ask ?? 0), multiplier);
  return { ...observation, bid: wide.bid.toFixed(), ask: wide.ask.toFixed() };
}

/** The symbols whose tickers the observations will advance. */
async function newerThanTickers(tx: Tx, observations: readonly Observation[]): Promise<Set<string>> {
  const seen = rowSet<Observation>(
    'seen',
    {
      symbol: ['text', ({ symbol }) => symbol],
      at: ['timestamptz', ({ timestamp }) => timestamp],
      seq: ['bigint', ({ sequence }) => sequence],
    },
    observations,
  );
  const rows = await tx.$queryRaw<{ symbol: string }[]>(sql`
    select symbol from ${seen} join tickers using (symbol) where (seen.at, seen.seq) > (timestamp, sequence)`);
  return new Set(rows.map(({ symbol }) => symbol));
}

/** One observation a symbol: its newest tick, with the newest quote and the newest reported volume among its ticks. */
function observationsOf(ticks: readonly PublishedTick[]): Observation[] {
  const quotes = newestBySymbol(ticks.filter(({ bid, ask }) => bid !== null || ask !== null));
  const volumes = newestBySymbol(ticks.filter(({ volume24h }) => volume24h !== null));
  return [...newestBySymbol(ticks).values()].map((tick) => {
    const quote = quotes.get(tick.symbol);
    return {
      symbol: tick.symbol,
      source: tick.source,
      timestamp: tick.timestamp,
      sequence: tick.sequence,
      lastPrice: tick.price,
      bid: quote?.bid ?? null,
      ask: quote?.ask ?? null,
      quotedAt: quote?.timestamp ?? null,
      volume24h: volumes.get(tick.symbol)?.volume24h ?? null,
      priceChange24h: null,
      metadata: tick.metadata,
      traceId: tick.traceId,
    };
  });
}
