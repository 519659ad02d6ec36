/** The formats in which rows are written and read. */
import { createReadStream } from 'node:fs';
import type { Column, ColumnType } from './columns.ts';
import { csvEncoder, readCsv } from './csv.ts';
import type { Format } from './kind.ts';
import { ndjsonEncoder, readNdjson } from './ndjson.ts';
import { parquetEncoder, readParquet } from './parquet.ts';
import type { TextRow } from './snapshot.ts';

/** Turns rows, batch by batch, into the bytes of a file. */
export interface Encoder {
  /** Rows to hand over at a time. */
  batchRows: number;
  begin(): Uint8Array | null;
  rows(rows: readonly TextRow[]): Uint8Array;
  end(): Uint8Array | null;
}

/** A row of a file: each column's canonical text. */
export interface ReadRow {
  /** Where it is in the file: "line 17". */
  place: string;
  values: Record<string, string | null>;
}

export const MEDIA_TYPES: Record<Format, string> = {
  csv: 'text/csv; charset=utf-8; header=present',
  json: 'application/x-ndjson; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
};

const ENCODERS: Record<Format, (columns: readonly Column[]) => Encoder> = {
  csv: csvEncoder,
  json: ndjsonEncoder,
  parquet: parquetEncoder,
};

export function encoderOf(format: Format, columns: readonly Column[]): Encoder {
  return ENCODERS[format](columns);
}

/**
 * The rows of a file, in its order and in parts.
 * @param typeOf the type of a column, undefined where the table has none of that name
 * @throws Error naming the place that cannot be read
 */
export function readFileRows(
  path: string,
  format: Format,
  typeOf: (column: string) => ColumnType | undefined,
): AsyncGenerator<ReadRow> {
  switch (format) {
    case 'csv':
      return readCsv(createReadStream(path), typeOf);
    case 'json':
      return readNdjson(createReadStream(path));
    case 'parquet':
      return readParquet(path);
  }
}
