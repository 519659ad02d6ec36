/** A bar, how a reported one is read, and how a report changes the bar that is stored (domain.md §2.2, §2.4). */
import { Decimal, dec } from '../../../platform/decimal.ts';
import { barStart, durationMs, type Interval, minutesOf } from './candle-intervals.ts';
import { type Fault, instantFault, metadataFault, priceFault, sourceFault } from './limits.ts';

/** Prices in units of the quote asset, volume in units of the base asset. */
export interface Bar {
  symbol: string;
  interval: Interval;
  startMs: number;
  open: Decimal;
  high: Decimal;
  low: Decimal;
  close: Decimal;
  volume: Decimal;
  /** Average price weighted by volume, 8 places; null when unknown. */
  vwap: Decimal | null;
  /** Σ price × quantity, exact (16 places); null when unknown. Longer bars add it up and round only their vwap. */
  turnover: Decimal | null;
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
const MAX_VOLUME_A_MINUTE = 5_000_000_000_000;
/** Trades a minute at most, so that a day's sum fits an integer. */
const MAX_TRADES_A_MINUTE = 1_000_000;

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
  const volume = dec(report.volume);
  const vwap = report.vwap === null ? null : dec(report.vwap);
  const bar: Bar = {
    symbol: report.symbol,
    interval,
    startMs,
    open: dec(report.open),
    high: dec(report.high),
    low: dec(report.low),
    close: dec(report.close),
    volume,
    vwap,
    turnover: vwap === null ? null : vwap.times(volume),
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
  const extreme = priceFault('low', low) ?? priceFault('high', high);
  if (extreme) return extreme;
  if (low.greaterThan(open) || low.greaterThan(close)) {
    return { field: 'low', message: `low must be at most open and close, but got ${describe(bar)}.` };
  }
  if (high.lessThan(open) || high.lessThan(close)) {
    return { field: 'high', message: `high must be at least open and close, but got ${describe(bar)}.` };
  }
  const maxVolume = MAX_VOLUME_A_MINUTE * minutesOf(interval);
  if (volume.isNegative() || volume.greaterThan(maxVolume)) {
    return { field: 'volume', message: `volume must be 0 or more and at most ${maxVolume}, but got ${volume}.` };
  }
  if (vwap && (vwap.lessThan(low) || vwap.greaterThan(high))) {
    return { field: 'vwap', message: `vwap must lie between low and high, but got ${vwap} with ${describe(bar)}.` };
  }
  const maxTrades = MAX_TRADES_A_MINUTE * minutesOf(interval);
  if (numTrades !== null && (numTrades < 0 || numTrades > maxTrades)) {
    return { field: 'numTrades', message: `numTrades must be 0 to ${maxTrades}, but got ${numTrades}.` };
  }
  return (bar.source === null ? null : sourceFault(bar.source)) ?? metadataFault(bar.metadata);
}

function describe({ open, high, low, close }: Bar): string {
  return `open ${open}, high ${high}, low ${low}, close ${close}`;
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
    high: Decimal.max(stored.high, report.high),
    low: Decimal.min(stored.low, report.low),
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
    (report.vwap === null || isEqual(stored.vwap, report.vwap)) &&
    (report.numTrades === null || stored.numTrades === report.numTrades)
  );
}

/** Whether two bars agree in everything that is stored of them. */
export function isSameBar(a: Bar, b: Bar): boolean {
  return (
    samePrices(a, b) &&
    isEqual(a.vwap, b.vwap) &&
    isEqual(a.turnover, b.turnover) &&
    a.numTrades === b.numTrades &&
    a.isClosed === b.isClosed &&
    a.origin === b.origin &&
    a.coveredMinutes === b.coveredMinutes &&
    a.source === b.source &&
    JSON.stringify(a.metadata) === JSON.stringify(b.metadata)
  );
}

function samePrices(a: Bar, b: Bar): boolean {
  return (
    a.open.equals(b.open) &&
    a.high.equals(b.high) &&
    a.low.equals(b.low) &&
    a.close.equals(b.close) &&
    a.volume.equals(b.volume)
  );
}

function isEqual(a: Decimal | null, b: Decimal | null): boolean {
  return a === null || b === null ? a === b : a.equals(b);
}
