/** How the returns of several instruments move together. */
import { badInput } from '../../../platform/errors.ts';
import { normaliseSymbols } from '../../../platform/symbols.ts';
import type { Context } from '../context.ts';
import { storedInterval } from '../enums.ts';
import type { CandleInterval } from '../generated/resolvers.ts';
import { durationMs } from '../rules/candle-intervals.ts';
import { readCloses } from './closes.ts';
import { correlationOf, logReturns } from './rules/statistics.ts';

export interface PairCorrelation {
  symbols: [string, string];
  correlation: string | null;
  samples: number;
}

export interface CorrelationTable {
  symbols: string[];
  interval: CandleInterval;
  to: string;
  pairs: PairCorrelation[];
}

const MOST_SYMBOLS = 30;
const MOST_BARS = 1_000;

export interface CorrelationArgs {
  symbols: readonly string[];
  interval?: CandleInterval | null | undefined;
  window?: number | null | undefined;
  to?: string | null | undefined;
}

/**
 * The correlation of each pair of the symbols.
 * @throws GraphQLError (bad input) outside 2 to 30 different symbols or 3 to 1,000 bars
 */
export async function correlationMatrix(context: Context, args: CorrelationArgs): Promise<CorrelationTable> {
  const symbols = [...new Set(normaliseSymbols(args.symbols))];
  if (symbols.length < 2 || symbols.length > MOST_SYMBOLS) {
    throw badInput(`symbols takes 2 to ${MOST_SYMBOLS} different symbols, but got ${symbols.length}.`, ['symbols']);
  }
  const window = args.window ?? 168;
  if (window < 3 || window > MOST_BARS) {
    throw badInput(`window must be from 3 to ${MOST_BARS}, but got ${window}.`, ['window']);
  }
  const interval = args.interval ?? 'H1';
  const to = args.to ?? context.now().toISOString();
  const closes = await readCloses(context, symbols, interval, to, window);
  const stepMs = durationMs(storedInterval(interval));
  const returns = new Map(symbols.map((symbol) => [symbol, logReturns(closes.get(symbol) ?? [], stepMs)]));
  const pairs = symbols.flatMap((first, i) =>
    symbols.slice(i + 1).map((second): PairCorrelation => {
      const { correlation, samples } = correlationOf(returns.get(first) ?? new Map(), returns.get(second) ?? new Map());
      return { symbols: [first, second], correlation: correlation?.toFixed(8) ?? null, samples };
    }),
  );
  return { symbols, interval, to, pairs };
}

/** The correlations as a table, in the order of the symbols; 1 with itself. */
export function matrixOf({ symbols, pairs }: CorrelationTable): (string | null)[][] {
  const known = new Map(pairs.map((pair) => [pair.symbols.join(' '), pair.correlation]));
  return symbols.map((row) =>
    symbols.map((column) => {
      if (row === column) return '1';
      return known.get(`${row} ${column}`) ?? known.get(`${column} ${row}`) ?? null;
    }),
  );
}
