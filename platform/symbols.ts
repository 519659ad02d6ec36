import { refuse } from './errors.ts';

/** Quote codes by which a symbol without a separator is split, longest first. */
const QUOTES = ['USDT', 'USDC', 'USD', 'EUR', 'GBP', 'BTC', 'ETH'] as const;
const CANONICAL = /^[A-Z0-9]{2,12}-[A-Z0-9]{2,12}(-PERP)?$/;

/**
 * A symbol in its one spelling, BASE-QUOTE in upper case with an optional -PERP ("btc/usd", "BTCUSD" → "BTC-USD").
 * @throws Refusal (validation) when it cannot be read as a pair
 */
export function normaliseSymbol(text: string, path: readonly string[] = ['input', 'symbol']): string {
  const upper = text.trim().toUpperCase().replaceAll('/', '-').replaceAll('_', '-');
  const symbol = upper.includes('-') ? withQuoteSplit(upper) : split(upper);
  if (!CANONICAL.test(symbol) || isSameAsset(symbol)) {
    throw refuse.validation(`"${text}" is not a symbol. Write BASE-QUOTE, for example BTC-USD.`, path);
  }
  return symbol;
}

/** Symbols that one argument takes. */
const SYMBOLS_LIMIT = 500;

/**
 * Each symbol in its one spelling.
 * @throws Refusal (validation) when there are none, more than 500, or one that cannot be read as a pair
 */
export function normaliseSymbols(symbols: readonly string[], path: readonly string[] = ['symbols']): string[] {
  if (symbols.length === 0 || symbols.length > SYMBOLS_LIMIT) {
    throw refuse.validation(`${path.at(-1)} takes 1 to ${SYMBOLS_LIMIT} symbols, but got ${symbols.length}.`, path);
  }
  return symbols.map((symbol, index) => normaliseSymbol(symbol, [...path, String(index)]));
}

/** "BTCUSD-PERP" → "BTC-USD-PERP"; anything else as it is. */
function withQuoteSplit(symbol: string): string {
  const [pair = '', ...rest] = symbol.split('-');
  return rest.length === 1 && rest[0] === 'PERP' ? `${split(pair)}-PERP` : symbol;
}

function split(pair: string): string {
  const quote = QUOTES.find((code) => pair.endsWith(code) && pair.length > code.length + 1);
  return quote ? `${pair.slice(0, -quote.length)}-${quote}` : pair;
}

function isSameAsset(symbol: string): boolean {
  const [base, quote] = symbol.split('-');
  return base === quote;
}
