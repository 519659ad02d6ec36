/** Conditions that filters are made of. A filter left out adds none. */
import { identifier, raw, type Sql, sql } from '../../platform/database/sql.ts';
import { isUuid } from '../../platform/loaders.ts';
import { normaliseSymbol } from '../../platform/symbols.ts';
import { assetCode, isStorable } from './rules/texts.ts';

type Optional = string | null | undefined;

/** The column equals the text. */
export function equals(column: string, value: Optional): Sql[] {
  if (value === null || value === undefined) return [];
  return [isStorable(value) ? sql`${identifier(column)} = ${value}` : raw('false')];
}

/** The uuid column equals the id; a text that is no UUID equals none. */
export function equalsUuid(column: string, id: Optional): Sql[] {
  if (id === null || id === undefined) return [];
  return [isUuid(id) ? sql`${identifier(column)} = ${id}::uuid` : raw('false')];
}

/**
 * The column holds the symbol, in whatever spelling it was asked for.
 * @throws Refusal (validation) when it is not a symbol
 */
export function equalsSymbol(column: string, symbol: Optional): Sql[] {
  return equals(column, symbol && normaliseSymbol(symbol, ['filter', 'symbol']));
}

/**
 * The column holds the asset, by its code.
 * @throws Refusal (validation) when it is no asset code
 */
export function equalsAsset(column: string, asset: Optional): Sql[] {
  return equals(column, asset && assetCode(asset, ['filter', 'asset']));
}

/** The row's account is one of the client's. */
export function ofClient(clientId: Optional): Sql[] {
  return equals('user_id', clientId).map(
    (isTheirs) => sql`account_id in (select account_id from accounts where ${isTheirs})`,
  );
}

/** The instant in the column lies in the half-open window. */
export function within(column: string, window: { from?: Optional; to?: Optional }): Sql[] {
  const { from, to } = window;
  const name = identifier(column);
  return [...(from ? [sql`${name} >= ${from}::timestamptz`] : []), ...(to ? [sql`${name} < ${to}::timestamptz`] : [])];
}

/** The amount in the column is that much, or more. */
export function atLeast(column: string, least: Optional): Sql[] {
  return least ? [sql`${identifier(column)} >= ${least}::numeric`] : [];
}
