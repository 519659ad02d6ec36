/** One-minute bars from prints. A bar is handed out, again and again while it changes, until it is over and was taken. */
import { type Decimal, dec, round8, toWire } from '../../platform/decimal.ts';
import type { CandleInput } from '../../subgraphs/market-data/generated/resolvers.ts';

export interface Print {
  atMs: number;
  /** In units of the quote asset. */
  price: string;
  /** In units of the base asset. */
  quantity: string;
}

/** A bar as the graph has it, to be continued. */
export interface StoredBar {
  startTime: string;
  open: string;
  high: string;
  low: string;
  close: string;
  volume: string;
  vwap: string | null;
  numTrades: number | null;
}

interface Bar {
  symbol: string;
  startMs: number;
  open: Decimal;
  high: Decimal;
  low: Decimal;
  close: Decimal;
  volume: Decimal;
  /** Σ price × quantity; null when a part of it is not known. */
  turnover: Decimal | null;
  numTrades: number;
  isChanged: boolean;
}

export interface MinuteBars {
  /** Goes on with a bar that an earlier run left open; one that this run made knows better. */
  resume(symbol: string, stored: StoredBar): void;
  add(symbol: string, print: Print): void;
  /** What is to be reported at this instant: bars that are over, oldest first, and open ones that changed. */
  due(nowMs: number): Report[];
  /** Whether a bar is over that is not handed out yet, since the graph's clock may be behind this one. */
  isHoldingBack(nowMs: number): boolean;
  /** The report was taken: bars that were over are forgotten. */
  settle(reports: readonly Report[]): void;
}

export interface Report {
  candle: CandleInput;
  bar: Bar;
}

const MINUTE_MS = 60_000;
/** A bar is over by the graph's clock too: reported earlier it would be taken for an open one. */
export const CLOCK_LEEWAY_MS = 2_000; // 2 seconds
/** Bars that wait for a graph that does not answer: a quarter of a day of four markets. */
const ENDED_LIMIT = 1_500;

export function createMinuteBars(source: string): MinuteBars {
  const open = new Map<string, Bar>();
  const ended: Bar[] = [];
  /** Start of the newest bar of each market that is over. */
  const lastEnded = new Map<string, number>();

  const end = (bar: Bar) => {
    ended.push(bar);
    if (ended.length > ENDED_LIMIT) ended.shift();
    lastEnded.set(bar.symbol, bar.startMs);
  };
  const begin = (bar: Bar) => {
    const before = open.get(bar.symbol);
    if (before) end(before);
    open.set(bar.symbol, bar);
  };
  return {
    resume(symbol, stored) {
      if (!open.has(symbol) && !lastEnded.has(symbol)) begin(barOf(symbol, stored));
    },
    add(symbol, print) {
      const startMs = print.atMs - (print.atMs % MINUTE_MS);
      const current = open.get(symbol);
      if (startMs <= (lastEnded.get(symbol) ?? Number.NEGATIVE_INFINITY)) return; // what is over never changes
      if (current?.startMs === startMs) addTo(current, print);
      else begin(firstOf(symbol, startMs, print));
    },
    due(nowMs) {
      for (const bar of open.values()) {
        if (bar.startMs + MINUTE_MS + CLOCK_LEEWAY_MS > nowMs) continue;
        open.delete(bar.symbol);
        end(bar);
      }
      const over = ended.filter((bar) => bar.startMs + MINUTE_MS + CLOCK_LEEWAY_MS <= nowMs);
      const changed = [...open.values()].filter((bar) => bar.isChanged && bar.startMs + MINUTE_MS > nowMs);
      return [...over, ...changed].map((bar) => ({ candle: candleOf(bar, source), bar: { ...bar } }));
    },
    isHoldingBack(nowMs) {
      return [...open.values(), ...ended].some(({ startMs }) => {
        const sinceEndMs = nowMs - startMs - MINUTE_MS;
        return sinceEndMs >= 0 && sinceEndMs < CLOCK_LEEWAY_MS;
      });
    },
    settle(reports) {
      for (const { bar } of reports) {
        const place = ended.findIndex(({ symbol, startMs }) => symbol === bar.symbol && startMs === bar.startMs);
        if (place >= 0) ended.splice(place, 1);
        const current = open.get(bar.symbol);
        if (current?.startMs === bar.startMs && current.numTrades === bar.numTrades) current.isChanged = false;
      }
    },
  };
}

function firstOf(symbol: string, startMs: number, print: Print): Bar {
  const price = dec(print.price);
  const volume = dec(print.quantity);
  const turnover = price.times(volume);
  const prices = { open: price, high: price, low: price, close: price };
  return { symbol, startMs, ...prices, volume, turnover, numTrades: 1, isChanged: true };
}

function addTo(bar: Bar, print: Print): void {
  const price = dec(print.price);
  const quantity = dec(print.quantity);
  if (price.gt(bar.high)) bar.high = price;
  if (price.lt(bar.low)) bar.low = price;
  bar.close = price;
  bar.volume = bar.volume.plus(quantity);
  bar.turnover = bar.turnover?.plus(price.times(quantity)) ?? null;
  bar.numTrades++;
  bar.isChanged = true;
}

function barOf(symbol: string, stored: StoredBar): Bar {
  const { startTime, vwap, numTrades } = stored;
  const [open, high, low, close, volume] = [stored.open, stored.high, stored.low, stored.close, stored.volume].map(
    (text) => dec(text),
  ) as [Decimal, Decimal, Decimal, Decimal, Decimal];
  const turnover = vwap === null ? null : dec(vwap).times(volume);
  const prices = { open, high, low, close };
  return {
    symbol,
    startMs: Date.parse(startTime),
    ...prices,
    volume,
    turnover,
    numTrades: numTrades ?? 0,
    isChanged: true,
  };
}

function candleOf(bar: Bar, source: string): CandleInput {
  const { symbol, startMs, volume, turnover, low, high } = bar;
  const vwap = turnover === null || volume.isZero() ? null : round8(turnover.div(volume));
  return {
    symbol,
    interval: 'M1',
    startTime: new Date(startMs).toISOString(),
    open: toWire(bar.open),
    high: toWire(high),
    low: toWire(low),
    close: toWire(bar.close),
    volume: toWire(volume),
    // A continued bar's turnover comes from a rounded average, which may lead a hair out of its range.
    vwap: vwap === null || vwap.lt(low) || vwap.gt(high) ? null : toWire(vwap),
    numTrades: bar.numTrades,
    source,
  };
}
