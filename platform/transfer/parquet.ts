/**
 * Rows as Parquet. Decimals of at most 38 digits are DECIMAL, which every engine that reads Parquet computes with
 * exactly; wider ones are texts. Instants are microseconds in UTC. What is read back is taken from the stored integers,
 * never through a float.
 */
import {
  asyncBufferFromFile,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  type SchemaElement,
} from 'hyparquet';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { Column } from './columns.ts';
import type { Encoder, ReadRow } from './encoding.ts';
import type { TextRow } from './snapshot.ts';

/** Rows that are held at a time, and read together. */
const ROW_GROUP_ROWS = 10_000;

/** Digits of the widest DECIMAL that readers agree on: 16 bytes. */
const MAX_DIGITS = 38;
const DECIMAL_BYTES = 16;

export function parquetEncoder(columns: readonly Column[]): Encoder {
  const bytes = new ByteWriter();
  const schema: SchemaElement[] = [{ name: 'root', num_children: columns.length }, ...columns.map(elementOf)];
  const writer = new ParquetWriter({ writer: bytes, schema, statistics: false });
  const convert = columns.map(converterOf);
  /** What has been written since the last time; offsets in the file go on. */
  const taken = () => {
    const part = Buffer.from(bytes.getBytes());
    bytes.index = 0;
    return part;
  };
  return {
    batchRows: ROW_GROUP_ROWS,
    begin: taken,
    rows(rows: readonly TextRow[]) {
      const columnData = columns.map(({ name }, i) => ({
        name,
        data: rows.map((row) => (row[i] === null || row[i] === undefined ? null : convert[i]?.(row[i]))),
      }));
      writer.write({ columnData, rowGroupSize: ROW_GROUP_ROWS });
      return taken();
    },
    end() {
      writer.finish();
      return taken();
    },
  };
}

function isDecimal({ type, precision }: Column): boolean {
  return type === 'decimal' && precision !== null && precision <= MAX_DIGITS;
}

function elementOf(column: Column): SchemaElement {
  const { name, type } = column;
  const optional = { name, repetition_type: 'OPTIONAL' } as const;
  if (isDecimal(column)) {
    return {
      ...optional,
      type: 'FIXED_LEN_BYTE_ARRAY',
      type_length: DECIMAL_BYTES,
      converted_type: 'DECIMAL',
      precision: column.precision ?? 0,
      scale: column.scale ?? 0,
    };
  }
  switch (type) {
    case 'whole':
      return { ...optional, type: 'INT32' };
    case 'large':
      return { ...optional, type: 'INT64' };
    case 'boolean':
      return { ...optional, type: 'BOOLEAN' };
    case 'instant':
      return { ...optional, type: 'INT64', converted_type: 'TIMESTAMP_MICROS' };
    default:
      return { ...optional, type: 'BYTE_ARRAY', converted_type: 'UTF8' };
  }
}

function converterOf(column: Column): (text: string) => unknown {
  if (isDecimal(column)) return (text) => unscaled(text, column.scale ?? 0);
  switch (column.type) {
    case 'whole':
      return Number;
    case 'large':
      return BigInt;
    case 'boolean':
      return (text) => text === 'true';
    case 'instant':
      return microsOf;
    default:
      return (text) => text;
  }
}

/** "1.5" with two digits after the point → 150n */
function unscaled(text: string, scale: number): bigint {
  const [whole = '', fraction = ''] = text.split('.');
  return BigInt(whole + fraction.padEnd(scale, '0'));
}

/** 150n with two digits after the point → "1.5" */
function scaled(value: bigint, scale: number): string {
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0');
  const fraction = scale > 0 ? digits.slice(-scale).replace(/0+$/, '') : '';
  const whole = scale > 0 ? digits.slice(0, -scale) : digits;
  return `${value < 0n ? '-' : ''}${whole}${fraction && `.${fraction}`}`;
}

/** "2026-01-01T08:30:00.25Z" → microseconds since 1970 */
function microsOf(text: string): bigint {
  const [seconds = '', fraction = ''] = text.slice(0, -1).split('.');
  return BigInt(Date.parse(`${seconds}Z`)) * 1_000n + BigInt(fraction.padEnd(6, '0'));
}

const MILLION = 1_000_000n;

function instantOf(micros: bigint): string {
  const fraction = ((micros % MILLION) + MILLION) % MILLION;
  const seconds = new Date(Number((micros - fraction) / 1_000n)).toISOString().slice(0, 19);
  const digits = String(fraction).padStart(6, '0').replace(/0+$/, '');
  return `${seconds}${digits && `.${digits}`}Z`;
}

/** The rows of a file, a row group at a time. Throws an Error when it is no Parquet file. */
export async function* readParquet(path: string): AsyncGenerator<ReadRow> {
  const file = await asyncBufferFromFile(path);
  const stored = await parquetMetadataAsync(file);
  const decimals = new Map(
    stored.schema.flatMap(({ name, converted_type, scale = 0 }) =>
      converted_type === 'DECIMAL' ? [[name, scale]] : [],
    ),
  );
  const metadata = withoutDecimals(stored);
  const parsers = { timestampFromMicroseconds: instantOf as unknown as (micros: bigint) => Date };
  let rowStart = 0;
  for (const { num_rows } of metadata.row_groups) {
    const rowEnd = rowStart + Number(num_rows);
    const rows = await parquetReadObjects({ file, metadata, rowStart, rowEnd, parsers });
    for (const [index, row] of rows.entries()) {
      const cells = Object.entries(row).map(([name, value]) => [name, textOf(value, decimals.get(name))]);
      yield { place: `row ${rowStart + index + 1}`, values: Object.fromEntries(cells) };
    }
    rowStart = rowEnd;
  }
}

/** The library reads decimals as floats; as plain bytes they stay exact. */
function withoutDecimals(metadata: FileMetaData): FileMetaData {
  const schema = metadata.schema.map((element) => {
    if (element.converted_type !== 'DECIMAL') return element;
    const { converted_type: _, logical_type: __, ...plain } = element;
    return plain;
  });
  return { ...metadata, schema };
}

function textOf(value: unknown, scale: number | undefined): string | null {
  if (value === null || value === undefined) return null;
  if (scale === undefined) return String(value);
  return scaled(value instanceof Uint8Array ? integerOf(value) : BigInt(value as number), scale);
}

/** Two's complement, highest byte first. */
function integerOf(bytes: Uint8Array): bigint {
  return BigInt.asIntN(bytes.length * 8, BigInt(`0x${Buffer.from(bytes).toString('hex') || '0'}`));
}
