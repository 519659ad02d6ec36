/**
 * Rows as JSON, an object a line (NDJSON), so that neither side need hold more than a line. Decimals and 64-bit integers
 * are texts: JSON readers would round them.
 */
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { Column } from './columns.ts';
import type { Encoder, ReadRow } from './encoding.ts';
import type { TextRow } from './snapshot.ts';

/** Types whose canonical text is JSON as it stands. */
const LITERAL = new Set(['whole', 'boolean', 'json', 'texts']);

export function ndjsonEncoder(columns: readonly Column[]): Encoder {
  const keys = columns.map(({ name }) => JSON.stringify(name));
  const isLiteral = columns.map(({ type }) => LITERAL.has(type));
  const cellOf = (value: string | null, i: number) =>
    value === null ? 'null' : isLiteral[i] ? value : JSON.stringify(value);
  const line = (row: TextRow) => `{${row.map((value, i) => `${keys[i]}:${cellOf(value, i)}`).join(',')}}\n`;
  return {
    batchRows: 2_000,
    begin: () => null,
    rows: (rows) => Buffer.from(rows.map(line).join('')),
    end: () => null,
  };
}

/** The rows of a file. Throws an Error naming the line that is no object. */
export async function* readNdjson(file: AsyncIterable<Uint8Array>): AsyncGenerator<ReadRow> {
  let number = 0;
  for await (const text of createInterface({ input: Readable.from(file), crlfDelay: Number.POSITIVE_INFINITY })) {
    number++;
    if (text.trim() === '') continue;
    yield { place: `line ${number}`, values: Object.fromEntries(Object.entries(readObject(text, number)).map(toCell)) };
  }
}

function readObject(text: string, line: number): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw new Error(`line ${line} is no JSON object`);
}

function toCell([name, value]: [string, unknown]): [string, string | null] {
  if (value === null || value === undefined) return [name, null];
  return [name, typeof value === 'string' ? value : JSON.stringify(value)];
}
