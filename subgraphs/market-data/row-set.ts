/**
 * Many rows in one statement: one parameter a column, however many rows there are. Each column travels as one text, a
 * PostgreSQL array literal: an array parameter would be walked, copied and escaped element by element on its way
 * through Prisma and pg, which costs more than the insert.
 */
import { identifier, join, raw, type Sql, sql } from '../../platform/database/sql.ts';

/** Types whose text needs no quotes in an array literal. */
type PlainType = 'integer' | 'bigint' | 'numeric' | 'boolean' | 'double precision' | 'uuid';
type QuotedType = 'text' | 'timestamptz' | 'jsonb';

/** A column's type, and its value in a row; objects of jsonb columns are written as JSON. */
export type Columns<Row> = Record<string, readonly [type: PlainType | QuotedType, value: (row: Row) => unknown]>;

/** The rows as a set named `name`, for use after FROM: `unnest($1::text[], …) as name(symbol, …)`. */
export function rowSet<Row>(name: string, columns: Columns<Row>, rows: readonly Row[]): Sql {
  return sql`unnest(${columnArrays(columns, rows)}) as ${identifier(name)}(${columnNames(columns)})`;
}

/** The rows as arrays separated by commas, a column each: `$1::text[], …`. For functions that take them so. */
export function columnArrays<Row>(columns: Columns<Row>, rows: readonly Row[]): Sql {
  const arrays = Object.values(columns).map(([type, value]) => {
    const literal = `{${rows.map((row) => element(type, value(row))).join(',')}}`;
    return sql`${literal}::${raw(type)}[]`;
  });
  return join(arrays);
}

/** The names of the columns, separated by commas. */
export function columnNames<Row>(columns: Columns<Row>): Sql {
  return join(Object.keys(columns).map((name) => raw(`"${identifier(name).sql}"`)));
}

function element(type: PlainType | QuotedType, value: unknown): string {
  if (value === null || value === undefined) return 'NULL';
  if (type === 'jsonb') return quoted(JSON.stringify(value));
  const text = String(value);
  return type === 'text' || type === 'timestamptz' ? quoted(text) : text;
}

function quoted(text: string): string {
  return /["\\]/.test(text) ? `"${text.replaceAll(/["\\]/g, '\\$&')}"` : `"${text}"`;
}
