/** How a reported tick is read (domain.md §2.2, §2.4). */
import { type Decimal, dec } from '../../../platform/decimal.ts';
import { compareInstants } from '../../../platform/instant.ts';
import {
  type Fault,
  instantFault,
  metadataFault,
  positiveFault,
  priceFault,
  quantityFault,
  quoteFault,
  sequenceFault,
  sourceFault,
} from './limits.ts';
import { midOf } from './market-figures.ts';

/** A tick as a source reports it; decimals and instants are canonical text. */
export interface TickReport {
  symbol: string;
  source: string;
  timestamp: string;
  sequence: string;
  price: string | null;
  bid: string | null;
  ask: string | null;
  bidSize: string | null;
  askSize: string | null;
  quantity: string | null;
  takerSide: 'BUY' | 'SELL' | null;
  volume24h: string | null;
  confidence: string | null;
  metadata: object | null;
}

/** A tick that keeps every rule; a missing price has become the middle of bid and ask. */
export interface Tick extends TickReport {
  price: string;
}

/** The tick, or its first fault. `nowMs` is the clock. */
export function readTick(report: TickReport, nowMs: number): Tick | Fault {
  const bid = optional(report.bid);
  const ask = optional(report.ask);
  const price = optional(report.price) ?? midOf(bid, ask);
  if (price === null) return { field: 'price', message: 'price must be given, or both bid and ask.' };
  return (
    sourceFault(report.source) ??
    instantFault('timestamp', report.timestamp, nowMs) ??
    sequenceFault(report.sequence) ??
    priceFault('bid', bid) ??
    priceFault('ask', ask) ??
    quoteFault(bid, ask) ??
    priceFault('price', price) ??
    sizeFault(report) ??
    metadataFault(report.metadata) ?? { ...report, price: price.toFixed() }
  );
}

function sizeFault(report: TickReport): Fault | null {
  return (
    quantityFault('bidSize', optional(report.bidSize)) ??
    quantityFault('askSize', optional(report.askSize)) ??
    positiveFault('quantity', optional(report.quantity)) ??
    quantityFault('volume24h', optional(report.volume24h)) ??
    takerSideFault(report) ??
    confidenceFault(optional(report.confidence))
  );
}

function takerSideFault({ takerSide, quantity }: TickReport): Fault | null {
  if (takerSide === null || quantity !== null) return null;
  return { field: 'takerSide', message: 'takerSide belongs to a trade: give its quantity too.' };
}

function confidenceFault(confidence: Decimal | null): Fault | null {
  if (confidence === null) return null;
  if (confidence.isNegative() || confidence.greaterThan(1) || confidence.decimalPlaces() > 4) {
    return {
      field: 'confidence',
      message: `confidence must be 0 to 1 with at most 4 decimals, but got ${confidence}.`,
    };
  }
  return null;
}

function optional(text: string | null): Decimal | null {
  return text === null ? null : dec(text);
}

/** Whether the first observation is newer: by instant, then by the source's sequence. Instants are canonical text. */
export function isNewer(
  a: { timestamp: string; sequence: string },
  b: { timestamp: string; sequence: string },
): boolean {
  const order = compareInstants(a.timestamp, b.timestamp);
  return order === 0 ? BigInt(a.sequence) > BigInt(b.sequence) : order > 0;
}
