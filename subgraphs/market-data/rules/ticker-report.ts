/** How a ticker that a venue computed is read (domain.md §2.2). */
import { dec, round8 } from '../../../platform/decimal.ts';
import {
  type Fault,
  instantFault,
  metadataFault,
  priceFault,
  quantityFault,
  quoteFault,
  sequenceFault,
  sourceFault,
} from './limits.ts';

/** A ticker as a source reports it; decimals and instants are canonical text. */
export interface TickerReport {
  symbol: string;
  source: string;
  timestamp: string;
  sequence: string;
  lastPrice: string;
  bid: string | null;
  ask: string | null;
  volume24h: string | null;
  priceChange24h: string | null;
  metadata: object | null;
}

/** The report's first fault, or null. `nowMs` is the clock. */
export function tickerFault(report: TickerReport, nowMs: number): Fault | null {
  const bid = report.bid === null ? null : dec(report.bid);
  const ask = report.ask === null ? null : dec(report.ask);
  return (
    sourceFault(report.source) ??
    instantFault('timestamp', report.timestamp, nowMs) ??
    sequenceFault(report.sequence) ??
    priceFault('lastPrice', dec(report.lastPrice)) ??
    priceFault('bid', bid) ??
    priceFault('ask', ask) ??
    quoteFault(bid, ask) ??
    quantityFault('volume24h', report.volume24h === null ? null : dec(report.volume24h)) ??
    changeFault(report) ??
    metadataFault(report.metadata)
  );
}

/** The price 24 hours before must have been a price. */
function changeFault({ lastPrice, priceChange24h }: TickerReport): Fault | null {
  if (priceChange24h === null) return null;
  const fault = priceFault('priceChange24h', round8(dec(lastPrice).minus(priceChange24h)));
  if (!fault) return null;
  return {
    field: 'priceChange24h',
    message: `priceChange24h must leave a price above 0, but got ${priceChange24h} of ${lastPrice}.`,
  };
}
