/** A bar, how a reported one is read, and how a report changes the bar that is stored (domain.md §2.2, §2.4). */
import { toWire } from '../../../platform/decimal.ts';
import { barStart, durationMs, type Interval, minutesOf } from './candle-intervals.ts';
import { type Fault, instantFault, MAX_PRICE, metadataFault, sourceFault } from './limits.ts';
import { higher, lower, unitsOf, unitsText } from './units.ts';

/** Prices of the quote asset and volume of the base asset, in hundred-millionths (see units.ts). */
export interface Bar {
  symbol: string;
  interval: Interval;
  startMs: number;
  open: bigint;
  high: bigint;
  low: bigint;
  close: bigint;
  volume: bigint;
  /** Average price weighted by volume; null when unknown. */
  vwap: bigint | null;
  /** Σ price × volume, exact; null when unknown. Longer bars add it up and round only their vwap. */
  turnover: bigint | null;
  numTrades: number | null;
  isClosed: boolean;
  origin: 'REPORTED' | 'ROLLED_UP';
  /** Minutes that reported bars cover. */
  coveredMinutes: number;
  source: string | null;
  metadata: object | null;
  /** Version of the stored row that this one replaces; 0 when there is none. */
  version: number;
}

/** A bar as a source reports it; decimals and instants are canonical text. */
export interface BarReport {
  symbol: string;
  interval: Interval;
  startTime: string;
  open: string;
  high: string;
  low: string;
  close: string;
  volume: string;
  vwap: string | null;
  numTrades: number | null;
  isClosed: boolean | null;
  source: string | null;
  metadata: object | null;
}

/** Volume a minute at most, so that a day's sum fits numeric(24,8). */
const MAX_VOLUME_A_MINUTE = unitsOf('5000000000000');
/** Trades a minute at most, so that a day's sum fits an integer. */
const MAX_TRADES_A_MINUTE = 1_000_000;
const MAX_PRICE_UNITS = unitsOf(MAX_PRICE.toFixed());

/** The reported bar, or its first fault. A bar whose period is over is closed unless the source says otherwise. */
export function readBar(report: BarReport, nowMs: number): Bar | Fault {
  const { interval, startTime } = report;
  const timing = startFault(startTime, interval, nowMs);
  if (timing) return timing;
  const startMs = Date.parse(startTime);
  const isOver = startMs + durationMs(interval) <= nowMs;
  if (report.isClosed && !isOver) {
    return {
      field: 'isClosed',
      message: `A ${interval} bar of ${startTime} cannot be closed before its period is over.`,
    };
  }
  const volume = unitsOf(report.volume);
  const vwap = report.vwap === null ? null : unitsOf(report.vwap);
  const bar: Bar = {
    symbol: report.symbol,
    interval,
    startMs,
    open: unitsOf(report.open),
    high: unitsOf(report.high),
    low: unitsOf(report.low),
    close: unitsOf(report.close),
    volume,
    vwap,
    turnover: vwap === null ? null : vwap * volume,
    numTrades: report.numTrades,
    isClosed: report.isClosed ?? isOver,
    origin: 'REPORTED',
    coveredMinutes: minutesOf(interval),
    source: report.source,
    metadata: report.metadata,
    version: 0,
  };
  return valueFault(bar) ?? bar;
}

function startFault(startTime: string, interval: Interval, nowMs: number): Fault | null {
  const fault = instantFault('startTime', startTime, nowMs);
  if (fault) return fault;
  const ms = Date.parse(startTime);
  if (barStart(ms, interval) === ms && !startTime.includes('.')) return null;
  return { field: 'startTime', message: `startTime must be a multiple of ${interval} in UTC, but got ${startTime}.` };
}

function valueFault(bar: Bar): Fault | null {
  const { open, high, low, close, volume, vwap, numTrades, interval } = bar;
  if (low <= 0n) return { field: 'low', message: `low must be above 0, but got ${describe(bar)}.` };
  if (high > MAX_PRICE_UNITS) {
    return { field: 'high', message: `high must be at most ${MAX_PRICE}, but got ${describe(bar)}.` };
  }
  if (low > open || low > close) {
    return { field: 'low', message: `low must be at most open and close, but got ${describe(bar)}.` };
  }
  if (high < open || high < close) {
    return { field: 'high', message: `high must be at least open and close, but got ${describe(bar)}.` };
  }
  const maxVolume = MAX_VOLUME_A_MINUTE * BigInt(minutesOf(interval));
  if (volume < 0n || volume > maxVolume) {
    const got = `at most ${shown(maxVolume)}, but got ${shown(volume)}`;
    return { field: 'volume', message: `volume must be 0 or more and ${got}.` };
  }
  if (vwap !== null && (vwap < low || vwap > high)) {
    return {
      field: 'vwap',
      message: `vwap must lie between low and high, but got ${shown(vwap)} with ${describe(bar)}.`,
    };
  }
  const maxTrades = MAX_TRADES_A_MINUTE * minutesOf(interval);
  if (numTrades !== null && (numTrades < 0 || numTrades > maxTrades)) {
    return { field: 'numTrades', message: `numTrades must be 0 to ${maxTrades}, but got ${numTrades}.` };
  }
  return (bar.source === null ? null : sourceFault(bar.source)) ?? metadataFault(bar.metadata);
}

function shown(units: bigint): string {
  return toWire(unitsText(units));
}

function describe({ open, high, low, close }: Bar): string {
  return `open ${shown(open)}, high ${shown(high)}, low ${shown(low)}, close ${shown(close)}`;
}

/**
 * What a report makes of the bar that is stored. A rolled-up bar gives way. An open one keeps its open, widens high and
 * low, and takes the rest as given. A closed one never changes.
 * @returns the bar to store, 'same' when nothing changes, 'closed' when a closed bar is told to change
 */
export function mergeBar(stored: Bar, report: Bar): Bar | 'same' | 'closed' {
  if (stored.origin === 'ROLLED_UP') return { ...report, version: stored.version };
  if (stored.isClosed) return saysTheSame(stored, report) ? 'same' : 'closed';
  const merged: Bar = {
    ...report,
    open: stored.open,
    high: higher(stored.high, report.high),
    low: lower(stored.low, report.low),
    source: report.source ?? stored.source,
    metadata: report.metadata ?? stored.metadata,
    version: stored.version,
  };
  return isSameBar(stored, merged) ? 'same' : merged;
}

/** Whether the report repeats the stored bar; what it leaves out it does not contradict. */
function saysTheSame(stored: Bar, report: Bar): boolean {
  return (
    samePrices(stored, report) &&
    (report.vwap === null || stored.vwap === report.vwap) &&
    (report.numTrades === null || stored.numTrades === report.numTrades)
  );
}

/** Whether two bars agree in everything that is stored of them. */
export function isSameBar(a: Bar, b: Bar): boolean {
  return (
    samePrices(a, b) &&
    a.vwap === b.vwap &&
    a.turnover === b.turnover &&
    a.numTrades === b.numTrades &&
    a.isClosed === b.isClosed &&
    a.origin === b.origin &&
    a.coveredMinutes === b.coveredMinutes &&
    a.source === b.source &&
    JSON.stringify(a.metadata) === JSON.stringify(b.metadata)
  );
}

function samePrices(a: Bar, b: Bar): boolean {
  return a.open === b.open && a.high === b.high && a.low === b.low && a.close === b.close && a.volume === b.volume;
}
