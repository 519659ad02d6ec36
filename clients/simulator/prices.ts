/** Prices: each market walks on, and a tick says where it is: the quote, and a print at its bid or its ask. */
import { type Decimal, toWire } from '../../platform/decimal.ts';
import type { GraphClient } from '../../platform/graph-client.ts';
import type { PriceInput } from '../../subgraphs/market-data/generated/resolvers.ts';
import { command } from './commands.ts';
import { SOURCE } from './courses.ts';
import { type Market, type Markets, surveyMarkets } from './markets.ts';
import type { MinuteBars } from './minute-bars.ts';
import type { Routine } from './routine.ts';
import type { Troubles } from './troubles.ts';
import { onStep, walk } from './walk.ts';

/** Bid and ask lie this far from the middle, as a fraction. */
const HALF_SPREAD = 0.0001;
/** How often the graph is asked which markets there are. */
const SURVEY_EVERY_MS = 30_000; // 30 seconds

export interface PriceSettings {
  graph: GraphClient;
  markets: Markets;
  bars: MinuteBars;
  troubles: Troubles;
  seed: number;
  /** Ticks a second of each market. */
  rate: number;
}

export function priceRoutine(settings: PriceSettings): Routine {
  const { graph, markets, bars, troubles, rate } = settings;
  let surveyedAtMs = Number.NEGATIVE_INFINITY;
  return {
    name: 'prices',
    everyMs: 1_000 / rate,
    async run(nowMs) {
      if (nowMs - surveyedAtMs >= SURVEY_EVERY_MS) {
        await surveyMarkets(graph, markets, { ...settings, nowMs });
        surveyedAtMs = nowMs;
        if (markets.size === 0) troubles.note('no markets', 'prices: the graph has no market to simulate yet');
      }
      const prices = [...markets.values()].map((market) => advance(market, markets, nowMs));
      if (prices.length === 0) return;
      const { refused } = await command<{ refused: { index: number; error: { message: string } }[] }>(
        graph,
        'ingestPrices',
        { prices },
        'refused { index error { message } }',
      );
      const refusedAt = new Set(refused.map(({ index }) => index));
      for (const [index, { symbol, price, quantity }] of prices.entries()) {
        if (!refusedAt.has(index)) bars.add(symbol, { atMs: nowMs, price, quantity });
      }
      for (const { index, error } of refused) {
        troubles.note(`tick of ${prices[index]?.symbol} refused`, `prices: ${error.message}`);
      }
    },
  };
}

type Tick = PriceInput & { price: string; quantity: string };

function advance(market: Market, markets: Markets, nowMs: number): Tick {
  const { course, random } = market;
  const seconds = Math.max(nowMs - market.walkedAtMs, 0) / 1_000;
  market.price = walk(course, {
    price: market.price,
    anchor: anchorOf(market, markets),
    seconds,
    deviate: random.normal(),
  });
  market.walkedAtMs = nowMs;
  market.sequence++;
  return tickOf(market, nowMs);
}

function anchorOf({ course, anchor }: Market, markets: Markets): number {
  const [base, quote] = (course.legs ?? []).map((symbol) => markets.get(symbol)?.price);
  return base === undefined || quote === undefined ? anchor : base / quote;
}

function tickOf({ course, random, terms, price, sequence }: Market, nowMs: number): Tick {
  const { priceStep } = terms;
  const bid = onStep(price * (1 - HALF_SPREAD), priceStep, 'down');
  const ask = onStep(price * (1 + HALF_SPREAD), priceStep, 'up');
  const isBuy = random.chance(0.5);
  const sizeOf = (mean: number): Decimal => onStep(mean * Math.exp(random.normal() / 2), terms.quantityStep);
  return {
    symbol: course.symbol,
    source: SOURCE,
    timestamp: new Date(nowMs).toISOString(),
    sequence: String(sequence),
    price: toWire(isBuy ? ask : bid),
    bid: toWire(bid),
    ask: toWire(ask),
    bidSize: toWire(sizeOf(course.printQuantity * 10)),
    askSize: toWire(sizeOf(course.printQuantity * 10)),
    quantity: toWire(sizeOf(course.printQuantity)),
    takerSide: isBuy ? 'BUY' : 'SELL',
  };
}

/** The price of a market on its price step: the middle of what its ticks quote. */
export function fairPriceOf({ price, terms }: Market): Decimal {
  return onStep(price, terms.priceStep);
}
