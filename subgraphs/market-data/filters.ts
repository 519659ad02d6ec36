/** Conditions that filters are made of. A filter left out adds none. */
import { identifier, raw, type Sql, sql } from '../../platform/database/sql.ts';
import { badInput } from '../../platform/errors.ts';
import { normaliseSymbol } from '../../platform/symbols.ts';
import { isStorable } from './rules/limits.ts';

type Optional<Value> = Value | null | undefined;

/** Values that a list filter takes at most. */
const LIST_LIMIT = 500;

/** The column equals the text. */
export function equals(column: string, value: Optional<string>): Sql[] {
  if (value === null || value === undefined) return [];
  return [isStorable(value) ? sql`${identifier(column)} = ${value}` : raw('false')];
}

/** The column is as said. */
export function is(column: string, value: Optional<boolean>): Sql[] {
  return value === null || value === undefined ? [] : [sql`${identifier(column)} = ${value}`];
}

/** The column equals one of the texts. */
export function isOneOf(column: string, values: Optional<readonly string[]>): Sql[] {
  return values === null || values === undefined ? [] : [sql`${identifier(column)} = any(${[...values]}::text[])`];
}

/**
 * The column holds the symbol, in whatever spelling it was asked for.
 * @throws Refusal (validation) when it is not a symbol
 */
export function equalsSymbol(column: string, symbol: Optional<string>): Sql[] {
  return equals(column, symbol && normaliseSymbol(symbol, ['filter', 'symbol']));
}

/** The instant in the column lies in the half-open window. */
export function within(column: string, window: { from?: Optional<string>; to?: Optional<string> }): Sql[] {
  const { from, to } = window;
  const name = identifier(column);
  return [...(from ? [sql`${name} >= ${from}::timestamptz`] : []), ...(to ? [sql`${name} < ${to}::timestamptz`] : [])];
}

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
