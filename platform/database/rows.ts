/**
 * How a PostgreSQL row becomes a JSON-safe object: snake_case columns turn into camelCase keys, numerics and bigints
 * stay text, instants become RFC 3339 in UTC with the microseconds they were stored with. Cached values, change
 * events and rows all have this one shape.
 */
import pg from 'pg';

const { builtins } = pg.types;

const parsers = new Map<number, (text: string) => unknown>([
  [builtins.TIMESTAMPTZ, instant],
  [builtins.DATE, asText],
  [builtins.INT8, asText],
  [builtins.NUMERIC, asText],
]);

/** Type parsers for a pool's connections; they must run with `TimeZone=UTC`. */
export const rowTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') =>
    (format !== 'binary' && parsers.get(oid)) ||
    pg.types.getTypeParser(oid, format as 'text')) as pg.CustomTypesConfig['getTypeParser'],
};

function asText(text: string): string {
  return text;
}

/** "2026-11-21 02:24:37.02+00" → "2026-11-21T02:24:37.02Z" */
export function instant(text: string): string {
  return `${text.slice(0, 10)}T${text.slice(11).replace(/\+00(:00)?$/, '')}Z`;
}

const camelNames = new Map<string, string>();

/** The key of a row that a column becomes ("account_id" → "accountId"). */
export function camelCase(column: string): string {
  const known = camelNames.get(column);
  if (known !== undefined) return known;
  const name = column.replace(/(?<=[a-z0-9])_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  camelNames.set(column, name);
  return name;
}

/** The rows of a result read with `rowMode: 'array'`, as objects with camelCase keys. */
export function toObjects<Row>(result: pg.QueryArrayResult<unknown[]>): Row[] {
  return objectsOf(
    result.fields.map((field) => camelCase(field.name)),
    result.rows,
  );
}

/** Rows of values as objects with these keys. */
export function objectsOf<Row>(names: readonly string[], rows: readonly unknown[][]): Row[] {
  return rows.map((values) => {
    const row: Record<string, unknown> = {};
    for (let i = 0; i < names.length; i++) row[names[i] as string] = values[i];
    return row as Row;
  });
}
