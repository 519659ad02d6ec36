/**
 * Rows as CSV (RFC 4180): a header, commas, CRLF. Nothing between two commas is null, "" is an empty text. A text that a
 * spreadsheet would take for a formula, or that begins with an apostrophe, gets an apostrophe before it, which reading
 * takes away again; numbers are left alone.
 */
import { parse } from 'csv-parse';
import type { Column, ColumnType } from './columns.ts';
import type { Encoder, ReadRow } from './encoding.ts';
import type { TextRow } from './snapshot.ts';

const FORMULA = /^[=+\-@\t\r\n']/;
const NEEDS_QUOTES = /^$|[",\r\n]|^\s|\s$/;

const isFree = (type: ColumnType) => type === 'text';

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

function cellOf(value: string | null, isText: boolean): string {
  if (value === null) return '';
  if (!isText) return NEEDS_QUOTES.test(value) ? quoted(value) : value;
  const shown = FORMULA.test(value) ? `'${value}` : value;
  return NEEDS_QUOTES.test(shown) ? quoted(shown) : shown;
}

export function csvEncoder(columns: readonly Column[]): Encoder {
  const isText = columns.map(({ type }) => isFree(type));
  const line = (cells: readonly string[]) => `${cells.join(',')}\r\n`;
  return {
    batchRows: 2_000,
    begin: () => Buffer.from(line(columns.map(({ name }) => name))),
    rows: (rows: readonly TextRow[]) =>
      Buffer.from(rows.map((row) => line(row.map((value, i) => cellOf(value, isText[i] === true)))).join('')),
    end: () => null,
  };
}

interface Record {
  record: (string | null)[];
  info: { lines: number };
}

/** The rows of a file with the line on which each begins. Throws an Error naming the line that cannot be read. */
export async function* readCsv(
  file: AsyncIterable<Uint8Array>,
  typeOf: (column: string) => ColumnType | undefined,
): AsyncGenerator<ReadRow> {
  let header: string[] | undefined;
  const parser = parse({
    bom: true,
    info: true,
    relax_column_count: false,
    max_record_size: MAX_RECORD_BYTES,
    cast: (value, { quoting, index, records }) => {
      if (records === 0) return value;
      if (value === '' && !quoting) return null;
      return isFree(typeOf(header?.[index] ?? '') ?? 'text') && value.startsWith("'") ? value.slice(1) : value;
    },
  });
  const feeding = feed(file, parser);
  let line = 1;
  for await (const { record, info } of parser as AsyncIterable<Record>) {
    const begins = line;
    line = info.lines + 1;
    if (!header) {
      header = record.map(String);
      continue;
    }
    const names = header;
    yield {
      place: `line ${begins}`,
      values: Object.fromEntries(record.map((value, i) => [names[i] as string, value])),
    };
  }
  await feeding;
}

const MAX_RECORD_BYTES = 1_048_576; // 1 MiB: metadata has at most 64 KiB

async function feed(file: AsyncIterable<Uint8Array>, parser: ReturnType<typeof parse>): Promise<void> {
  try {
    for await (const chunk of file) {
      if (!parser.write(chunk)) await new Promise((resolve) => parser.once('drain', resolve));
    }
    parser.end();
  } catch (error) {
    parser.destroy(error as Error);
  }
}
