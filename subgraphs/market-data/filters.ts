/** Filters by lists of values. */
import { badInput } from '../../platform/errors.ts';
import { normaliseSymbol } from '../../platform/symbols.ts';

/** Values that a list filter takes at most. */
const LIST_LIMIT = 500;

/** Symbols in their one spelling. Throws BAD_USER_INPUT on more than 500, a Refusal on one that is none. */
export function symbolsOf(symbols: readonly string[], path: readonly string[]): string[] {
  limited(symbols, path);
  return symbols.map((symbol, index) => normaliseSymbol(symbol, [...path, String(index)]));
}

/** The list itself. Throws BAD_USER_INPUT on more than 500 values. */
export function limited<Value>(values: readonly Value[], path: readonly string[]): readonly Value[] {
  if (values.length <= LIST_LIMIT) return values;
  throw badInput(`${path.at(-1)} takes at most ${LIST_LIMIT} values, but got ${values.length}.`, path);
}
