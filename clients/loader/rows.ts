/** The rows of a csv file, each under the names of its header. */
import { parse } from 'csv-parse/sync';
import { BadRow, type Fields } from './fields.ts';
import type { Item, Remarks } from './items.ts';
import { readHeader } from './kinds.ts';
import type { Line } from './source.ts';

/** A row, or why it is none. */
export type Row = { line: number; fields: Fields } | { line: number; reason: string };

/** The rows below the header; blank lines are passed over. Counts them in `remarks.rows`. */
export async function* readRows(lines: AsyncIterable<Line>, remarks: Remarks): AsyncGenerator<Row> {
  let header: string[] | null = null;
  for await (const { number, cells } of lines) {
    if (cells.length === 1 && cells[0]?.trim() === '') continue;
    if (header === null) {
      header = readHeader(cells.join(',')) ?? [];
      continue;
    }
    remarks.rows++;
    yield readRow(number, cells, header);
  }
}

function readRow(line: number, plainCells: readonly string[], header: readonly string[]): Row {
  const cells = plainCells.some((cell) => cell.includes('"')) ? unquote(plainCells.join(',')) : plainCells;
  if (cells === null) return { line, reason: 'the row has a quote that is not closed, or in the middle of a value' };
  if (cells.length !== header.length) {
    return { line, reason: `the row must have ${header.length} columns, but has ${cells.length}` };
  }
  const fields: Record<string, string> = {};
  for (const [index, name] of header.entries()) fields[name] = cells[index] ?? '';
  return { line, fields };
}

/** A line with quoted values, split again by the rules of csv; null when it breaks them. */
function unquote(line: string): string[] | null {
  try {
    return (parse(line) as string[][])[0] ?? [];
  } catch {
    return null;
  }
}

/** The items of a kind of which each row is one. */
export async function* eachRow<Input>(
  rows: AsyncIterable<Row>,
  read: (fields: Fields) => Input,
): AsyncGenerator<Item<Input>> {
  for await (const row of rows) yield 'reason' in row ? row : tryRow(row, read);
}

function tryRow<Input>({ line, fields }: { line: number; fields: Fields }, read: (fields: Fields) => Input) {
  try {
    return { line, input: read(fields) };
  } catch (error) {
    return { line, reason: reasonOf(error) };
  }
}

/** The reason a reader gave; anything but a BadRow is a bug and thrown on. */
export function reasonOf(error: unknown): string {
  if (error instanceof BadRow) return error.message;
  throw error;
}
