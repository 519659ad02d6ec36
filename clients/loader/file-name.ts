/** What the name of a recorded file says: `bars-1m-coinbase-btcusd-2018-04-04.csv`. */
import { basename } from 'node:path';
import { normaliseSymbol } from '../../platform/symbols.ts';
import { INTERVALS, type Interval } from '../../subgraphs/market-data/rules/candle-intervals.ts';

export interface NameFacts {
  /** Canonical symbol. */
  symbol: string | null;
  venue: string | null;
  interval: Interval | null;
}

/** Words before the venue that speak of the kind: `orderbook-top10-1s-…`. */
const KIND_WORDS = /^(bars|candles|trades|quotes|orderbook|book|books|raw|top\d+)$/;
const DURATION = /^\d+(ms|s|m|h|d)$/;
/** Where the date begins; it ends the part that matters. */
const YEAR = /^\d{4}$/;
const MARKETS = new Map([
  ['spot', ''],
  ['perp', '-PERP'],
  ['perpetual', '-PERP'],
]);

/** The facts of a name of the form `kind-duration-venue[-spot|-perp]-pair[-date]`; null for each that it does not tell. */
export function readFileName(path: string): NameFacts {
  const [stem = ''] = basename(path).toLowerCase().split('.');
  const words = stem.split('-');
  const interval = INTERVALS.find((known) => words.includes(known)) ?? null;
  const year = words.findIndex((word) => YEAR.test(word));
  const told = (year === -1 ? words : words.slice(0, year)).filter(
    (word) => !KIND_WORDS.test(word) && !DURATION.test(word),
  );
  return { ...readMarket(told), interval };
}

/** The pair is the last word, or the last two (`btc-usd`); what lies before it, less the market, is the venue. */
function readMarket(words: readonly string[]): { symbol: string | null; venue: string | null } {
  for (const length of [1, 2]) {
    const pair = symbolOrNull(words.slice(-length).join('-'));
    if (pair === null) continue;
    const before = words.slice(0, -length);
    const market = MARKETS.get(before.at(-1) ?? '');
    const venue = (market === undefined ? before : before.slice(0, -1)).join('-');
    return { symbol: `${pair}${market ?? ''}`, venue: venue || null };
  }
  return { symbol: null, venue: null };
}

/** The canonical symbol of a text, or null when it is none. */
export function symbolOrNull(text: string): string | null {
  try {
    return normaliseSymbol(text);
  } catch {
    return null;
  }
}
