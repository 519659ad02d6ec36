/**
 * Quotes recorded as bars of bid and ask. What stood at the end of a bar becomes a tick of its last microsecond: at the
 * bar's start nobody could know it, and at the next bar's start it would count as that one's. The rest of the bar is
 * kept beside the tick.
 */
import { dec } from '../../platform/decimal.ts';
import type { PriceInput } from '../../subgraphs/market-data/generated/resolvers.ts';
import { barStart, durationMs, type Interval } from '../../subgraphs/market-data/rules/candle-intervals.ts';
import { BadRow, decimalOf, type Fields, instantOf, sizeOf } from './fields.ts';
import type { Market } from './items.ts';

/** A row of quotes: time (start of the bar), then open, high, low, close and size at the close of bid and of ask. */
export function readQuote(fields: Fields, file: Market & { interval: Interval }, onRounded: () => void): PriceInput {
  const start = instantOf(fields, 'time');
  const bid = readSide(fields, 'bid');
  const ask = readSide(fields, 'ask');
  return {
    symbol: file.symbol,
    source: file.venue,
    timestamp: lastMicrosecond(start, file.interval),
    bid: bid.close,
    ask: ask.close,
    bidSize: sizeOf(fields, 'bid_size', onRounded),
    askSize: sizeOf(fields, 'ask_size', onRounded),
    metadata: { interval: file.interval, start, bid, ask },
  };
}

function readSide(fields: Fields, side: 'bid' | 'ask') {
  const [open, high, low, close] = ['open', 'high', 'low', 'close'].map((name) =>
    decimalOf(fields, `${side}_${name}`),
  ) as [string, string, string, string];
  for (const [name, value] of Object.entries({ open, close })) {
    if (dec(value).lessThan(low) || dec(value).greaterThan(high)) {
      throw new BadRow(
        `${side}_${name} must lie between ${side}_low ${low} and ${side}_high ${high}, but got ${value}`,
      );
    }
  }
  return { open, high, low, close };
}

function lastMicrosecond(start: string, interval: Interval): string {
  const startMs = Date.parse(start);
  if (start.includes('.') || barStart(startMs, interval) !== startMs) {
    throw new BadRow(`time must be a multiple of ${interval} in UTC, but got ${start}`);
  }
  const last = new Date(startMs + durationMs(interval) - 1).toISOString();
  return last.replace('.999Z', '.999999Z');
}
