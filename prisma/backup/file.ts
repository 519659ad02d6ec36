/**
 * A backup as a file: gzipped lines of JSON. The first says what it is of; then each table's name and columns, followed by
 * its rows, a list of texts each; then the sequences; the last says how many rows there were, with a hash of all before.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { createGunzip } from 'node:zlib';
import type { TextRow } from '../../platform/transfer/snapshot.ts';

export const FORMAT = 'trading-data-graph backup 1';

export interface Header {
  format: typeof FORMAT;
  domain: string;
  /** RFC 3339. */
  takenAt: string;
  /** Names of the migrations that made the tables. */
  migrations: string[];
}

export interface TableStart {
  table: string;
  columns: string[];
  partitions: Partition[];
}

export interface Partition {
  name: string;
  /** "FOR VALUES FROM (…) TO (…)" */
  bound: string;
}

export interface SequenceState {
  sequence: string;
  value: string;
  isCalled: boolean;
}

export interface Footer {
  rows: number;
  sha256: string;
}

export type Line = Header | TableStart | TextRow | SequenceState | Footer;

export const isHeader = (line: unknown): line is Header => (line as Header).format === FORMAT;
export const isTableStart = (line: Line): line is TableStart => 'table' in line;
export const isSequence = (line: Line): line is SequenceState => 'sequence' in line;
export const isFooter = (line: Line): line is Footer => 'sha256' in line;

/** The lines as text, with the footer that they need. */
export async function* written(
  lines: AsyncIterable<Header | TableStart | TextRow | SequenceState>,
): AsyncGenerator<string> {
  const hash = createHash('sha256');
  let rows = 0;
  for await (const line of lines) {
    if (Array.isArray(line)) rows++;
    const text = `${JSON.stringify(line)}\n`;
    hash.update(text);
    yield text;
  }
  const footer: Footer = { rows, sha256: hash.digest('hex') };
  yield `${JSON.stringify(footer)}\n`;
}

/** The lines of a file. Throws an Error that names the file when it is no backup, or not a whole one. */
export async function* readLines(path: string): AsyncGenerator<Line> {
  const hash = createHash('sha256');
  let rows = 0;
  let isBegun = false;
  let footer: Footer | undefined;
  for await (const text of texts(path)) {
    if (footer) throw new Error(`${path} goes on after its end.`);
    const line = lineOf(text);
    if (line === null || isHeader(line) === isBegun)
      throw new Error(`${path} is ${isBegun ? 'damaged' : 'no backup'}.`);
    isBegun = true;
    if (Array.isArray(line)) rows++;
    else if (isFooter(line)) {
      footer = line;
      continue;
    }
    hash.update(`${text}\n`);
    yield line;
  }
  if (!footer) throw new Error(`${path} ends too early: it was not written to its end.`);
  if (footer.rows !== rows || footer.sha256 !== hash.digest('hex')) throw new Error(`${path} is damaged.`);
}

function lineOf(text: string): Line | null {
  try {
    return JSON.parse(text) as Line | null;
  } catch {
    return null;
  }
}

async function* texts(path: string): AsyncGenerator<string> {
  const file = createReadStream(path);
  const lines = createGunzip();
  file.on('error', (error) => lines.destroy(error)).pipe(lines);
  try {
    yield* createInterface({ input: lines, crlfDelay: Number.POSITIVE_INFINITY });
  } catch (error) {
    throw new Error(`${path} cannot be read: ${(error as Error).message}.`, { cause: error });
  }
}
