/** One-minute bars of a seeded random walk: the same seed gives the same prices, whenever it is run. */

export interface Bar {
  startTime: string;
  open: string;
  high: string;
  low: string;
  close: string;
  volume: string;
  numTrades: number;
}

export interface Walk {
  seed: number;
  /** The close of the last bar, in hundredths of the quote asset. */
  lastCents: number;
  /** The largest move of a minute, in hundredths. */
  stepCents: number;
  bars: number;
  /** When the last bar ends; a whole minute. */
  end: Date;
}

const MINUTE_MS = 60_000;

/** The bars, oldest first. Walked backwards, so that the last close is the one asked for. */
export function walkBars({ seed, lastCents, stepCents, bars, end }: Walk): Bar[] {
  const random = seededRandom(seed);
  const upTo = (limit: number) => Math.floor(random() * (limit + 1));
  const walked: Bar[] = [];
  let close = lastCents;
  for (let i = 1; i <= bars; i++) {
    const open = close - stepCents + upTo(2 * stepCents);
    walked.push({
      startTime: new Date(end.getTime() - i * MINUTE_MS).toISOString(),
      open: inUnits(open, 2),
      high: inUnits(Math.max(open, close) + upTo(stepCents), 2),
      low: inUnits(Math.min(open, close) - upTo(stepCents), 2),
      close: inUnits(close, 2),
      volume: inUnits(1_000 + upTo(49_000), 4),
      numTrades: 1 + upTo(40),
    });
    close = open;
  }
  return walked.reverse();
}

/** 5_100_025 with 2 digits → "51000.25" */
function inUnits(whole: number, digits: number): string {
  const text = String(whole).padStart(digits + 1, '0');
  return `${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

/** mulberry32: small, fast, and the same on every machine. Numbers from 0 up to, not including, 1. */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
