/** Conditions that filters are made of. A filter left out adds none. */
import { identifier, raw, type Sql, sql } from './database/sql.ts';
import { badInput } from './errors.ts';
import { normaliseSymbol } from './symbols.ts';
import { isStorable } from './texts.ts';
import { isUuid } from './uuid.ts';

type Optional<Value> = Value | null | undefined;

/** The column equals the text. */
export function equals(column: string, value: Optional<string>): Sql[] {
  if (value === null || value === undefined) return [];
  return [isStorable(value) ? sql`${identifier(column)} = ${value}` : raw('false')];
}

/** The column is as said. */
export function is(column: string, value: Optional<boolean>): Sql[] {
  return value === null || value === undefined ? [] : [sql`${identifier(column)} = ${value}`];
}

/** The uuid column equals the id; a text that is no UUID equals none. */
export function equalsUuid(column: string, id: Optional<string>): Sql[] {
  if (id === null || id === undefined) return [];
  return [isUuid(id) ? sql`${identifier(column)} = ${id}::uuid` : raw('false')];
}

/** Ids that one filter may name. */
const IDS_LIMIT = 500;

/**
 * The uuid column equals one of the ids; a text that is no UUID equals none.
 * @throws GraphQLError (bad input) when there are none or too many
 */
export function isOneOfUuids(column: string, ids: Optional<readonly string[]>): Sql[] {
  if (ids === null || ids === undefined) return [];
  if (ids.length === 0 || ids.length > IDS_LIMIT) {
    throw badInput(`A list of ids in a filter takes 1 to ${IDS_LIMIT} of them, but got ${ids.length}.`, ['filter']);
  }
  return [sql`${identifier(column)} = any(${ids.filter(isUuid)}::uuid[])`];
}

/** The column equals one of the texts. */
export function isOneOf(column: string, values: Optional<readonly string[]>): Sql[] {
  if (values === null || values === undefined) return [];
  return [sql`${identifier(column)} = any(${values.filter(isStorable)}::text[])`];
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

/** The amount in the column lies between the bounds, both included. */
export function between(column: string, least: Optional<string>, most: Optional<string>): Sql[] {
  const name = identifier(column);
  return [...(least ? [sql`${name} >= ${least}::numeric`] : []), ...(most ? [sql`${name} <= ${most}::numeric`] : [])];
}
