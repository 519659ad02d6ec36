/** What the loader is asked to do, read from its command line. */
import { parseArgs } from 'node:util';
import { INTERVALS, type Interval } from '../../subgraphs/market-data/rules/candle-intervals.ts';
import { venueFault } from '../../subgraphs/market-data/rules/limits.ts';
import { MAX_DEPTH } from '../../subgraphs/market-data/rules/order-book.ts';
import { orUsage } from '../usage.ts';
import { symbolOrNull } from './file-name.ts';
import { KINDS, type Kind } from './kinds.ts';

/** What a person may say of the files instead of leaving it to their names and headers; it holds for all of them. */
export interface Overrides {
  kind: Kind | undefined;
  /** Canonical symbol. */
  symbol: string | undefined;
  venue: string | undefined;
  interval: Interval | undefined;
}

export interface LoaderArguments extends Overrides {
  /** Files, folders and patterns, as given. */
  paths: string[];
  /** The graph to send to; undefined leaves the choice to the loader. */
  url: string | undefined;
  /** Levels a side that are kept of each book of order-book-messages. */
  depth: number;
}

/** Levels a side in which venues publish their books once a second, and in which the top-10 recordings are made. */
const DEFAULT_DEPTH = 10;

export const USAGE = `Usage: npm run load -- [options] FILE…

Loads recorded market data into the graph: candles, trade prints, quotes, order books, instruments.
A FILE is a file (.csv or .jsonl, also gzipped), a pattern, or a folder of which every recorded file is loaded.
What is stored already is left alone, so it is safe to run again.

The kind of a file is told by its header; venue, symbol and interval by its name, for example
  bars-1m-coinbase-btcusd-2018-04-04.csv    orderbook-top10-1s-binance-spot-btcusdt-2024-08-08.csv
or by these options, which then hold for all files:
  --kind KIND          ${KINDS.join(', ')}
  --symbol SYMBOL      for example BTC-USD, or BTC-USD-PERP for a perpetual
  --venue VENUE        for example coinbase
  --interval INTERVAL  length of bars or quotes: ${INTERVALS.join(', ')}

  --depth LEVELS       levels a side kept of each book of order-book-messages, 1 to ${MAX_DEPTH} (default ${DEFAULT_DEPTH})
  --url URL            the graph to send to, for example http://localhost:4000/graphql. Without it: the graph that
                       answers at PORT, else the database itself (DATABASE_URL, or the embedded one)
  --help               shows this

Ends with status 1 when a row was refused or a file could not be loaded, with 130 when it was interrupted, else with 0.`;

/** The arguments, or 'help'. Throws an error whose message ends with the usage when they cannot be understood. */
export function readArguments(argv: readonly string[]): LoaderArguments | 'help' {
  return orUsage(USAGE, () => understand(argv));
}

function understand(argv: readonly string[]): LoaderArguments | 'help' {
  const text = { type: 'string' } as const;
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      kind: text,
      symbol: text,
      venue: text,
      interval: text,
      depth: text,
      url: text,
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return 'help';
  if (positionals.length === 0) throw new Error('Name at least one file.');
  return {
    paths: positionals,
    kind: values.kind === undefined ? undefined : oneOf('kind', values.kind, KINDS),
    interval: values.interval === undefined ? undefined : oneOf('interval', values.interval, INTERVALS),
    symbol: values.symbol === undefined ? undefined : symbolOf(values.symbol),
    venue: values.venue === undefined ? undefined : venueOf(values.venue),
    depth: depthOf(values.depth ?? String(DEFAULT_DEPTH)),
    url: values.url === undefined ? undefined : urlOf(values.url),
  };
}

function oneOf<Value extends string>(flag: string, value: string, known: readonly Value[]): Value {
  const found = known.find((one) => one === value);
  if (found === undefined) throw new Error(`--${flag} must be one of ${known.join(', ')}, but got "${value}".`);
  return found;
}

function symbolOf(text: string): string {
  const symbol = symbolOrNull(text);
  if (symbol === null) throw new Error(`--symbol must be like BTC-USD or BTC-USD-PERP, but got "${text}".`);
  return symbol;
}

function venueOf(text: string): string {
  const fault = venueFault(text);
  if (fault) throw new Error(`--venue: ${fault.message}`);
  return text;
}

function depthOf(text: string): number {
  const depth = Number(text);
  if (/^\d+$/.test(text) && depth >= 1 && depth <= MAX_DEPTH) return depth;
  throw new Error(`--depth must be a whole number from 1 to ${MAX_DEPTH}, but got "${text}".`);
}

function urlOf(text: string): string {
  if (URL.canParse(text) && /^https?:$/.test(new URL(text).protocol)) return text;
  throw new Error(`--url must be like http://localhost:4000/graphql, but got "${text}".`);
}
