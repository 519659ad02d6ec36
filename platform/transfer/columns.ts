/** The columns of a table, from the catalogue, so that an export follows the migrations by itself. */
import pg from 'pg';
import type { TextRow } from './snapshot.ts';

/** How a column is written: `texts` is a list of texts, `whole` an integer of at most 32 bits, `large` one of 64. */
export type ColumnType = 'text' | 'decimal' | 'whole' | 'large' | 'boolean' | 'instant' | 'json' | 'texts';

export interface Column {
  name: string;
  type: ColumnType;
  /** Digits of a decimal in all, and after the point; null where they are not bounded. */
  precision: number | null;
  scale: number | null;
  /** Follows from others; PostgreSQL computes it. */
  isGenerated: boolean;
  /** Has neither a default nor a null to fall back to. */
  isRequired: boolean;
}

type Ask = (text: string, values?: readonly unknown[]) => Promise<TextRow[]>;

const COLUMNS = `
  select attname, typname, (attgenerated <> '')::int,
         (attnotnull and not atthasdef and attidentity = '' and attgenerated = '')::int,
         ((atttypmod - 4) >> 16) & 65535, (atttypmod - 4) & 2047, atttypmod
    from pg_attribute join pg_type on pg_type.oid = atttypid
   where attrelid = to_regclass($1) and attnum > 0 and not attisdropped order by attnum`;

/** The columns in their order. Throws where there is no such table. */
export async function readColumns(ask: Ask, table: string): Promise<Column[]> {
  const rows = await ask(COLUMNS, [table]);
  if (rows.length === 0) throw new Error(`There is no table ${table}: is the schema migrated?`);
  return rows.map(([name, typeName, generated, required, precision, scale, modifier]) => {
    const isBounded = typeName === 'numeric' && modifier !== '-1';
    return {
      name: String(name),
      type: TYPES[String(typeName)] ?? 'text',
      precision: isBounded ? Number(precision) : null,
      scale: isBounded ? Number(scale) : null,
      isGenerated: generated === '1',
      isRequired: required === '1',
    };
  });
}

const TYPES: Record<string, ColumnType> = {
  numeric: 'decimal',
  int2: 'whole',
  int4: 'whole',
  int8: 'large',
  bool: 'boolean',
  timestamptz: 'instant',
  jsonb: 'json',
  _text: 'texts',
  _varchar: 'texts',
};

/** SQL that gives the column as canonical text: "0.5", "2026-01-01T08:30:00.25Z", "true", JSON. */
export function canonical({ name, type }: Column): string {
  const column = pg.escapeIdentifier(name);
  switch (type) {
    case 'decimal':
      return `trim_scale(${column})::text`;
    case 'instant':
      return `replace((${column} at time zone 'UTC')::text, ' ', 'T') || 'Z'`;
    case 'texts':
      return `to_json(${column})::text`;
    default:
      return `${column}::text`;
  }
}
