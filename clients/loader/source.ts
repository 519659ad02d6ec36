/** The lines of a recorded file, gunzipped where need be, in constant memory. */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { PassThrough, pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { parse } from 'csv-parse';

/** A line of the file, split at its commas; a blank line has one empty cell. */
export interface Line {
  /** From 1. */
  number: number;
  cells: string[];
}

export interface LinesOptions {
  path: string;
  /** Whether commas split a line into cells; else it stays whole, as its only cell. */
  csv: boolean;
  /** Told how many bytes of the file each read brought. */
  onBytes?: (bytes: number) => void;
}

/** The file could not be read to its end; the message says where and why. */
export class UnreadableFile extends Error {}

/**
 * Bytes of a line at most; what is beyond is cut off, and the row refused for what it lacks. A
 * snapshot of 50,000 levels a side fits.
 */
const LINE_LIMIT_BYTES = 4 * 1024 * 1024;
const CHUNK_BYTES = 256 * 1024;
const NEWLINE = 10;
/** A character that no text file holds. */
const NO_DELIMITER = '\0';

/** Every line of the file in turn. Throws UnreadableFile. */
export async function* readLines({ path, csv, onBytes }: LinesOptions): AsyncGenerator<Line> {
  let number = 0;
  try {
    for await (const cells of await openLines(path, csv, onBytes)) yield { number: ++number, cells };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const where = number === 0 ? '' : ` beyond line ${number}`;
    throw new UnreadableFile(`${path} could not be read${where}: ${reason}.`, { cause: error });
  }
}

async function openLines(path: string, csv: boolean, onBytes: LinesOptions['onBytes']) {
  const unpack = (await isGzip(path)) ? createGunzip() : new PassThrough();
  const file = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  const parser = parse({
    bom: true,
    delimiter: csv ? ',' : NO_DELIMITER,
    quote: null, // an unclosed quote must not swallow the lines after it
    record_delimiter: ['\r\n', '\n'],
    relax_column_count: true,
  });
  pipeline(file, counting(onBytes), unpack, cutLongLines, parser, () => {}); // a failure reaches the reader
  return parser as AsyncIterable<string[]>;
}

/** The first line that is not blank, or null when there is none. */
export async function readFirstLine(path: string): Promise<string | null> {
  for await (const { cells } of readLines({ path, csv: false })) {
    const text = cells[0] ?? '';
    if (text.trim() !== '') return text;
  }
  return null;
}

async function isGzip(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
    return buffer[0] === 0x1f && buffer[1] === 0x8b;
  } finally {
    await file.close();
  }
}

function counting(onBytes: LinesOptions['onBytes']) {
  return async function* count(chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      onBytes?.(chunk.length);
      yield chunk;
    }
  };
}

async function* cutLongLines(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let lineBytes = 0;
  for await (const chunk of chunks) {
    let passedOn = 0;
    for (let from = 0; from < chunk.length; ) {
      const newline = chunk.indexOf(NEWLINE, from);
      const end = newline === -1 ? chunk.length : newline;
      lineBytes += end - from;
      if (lineBytes > LINE_LIMIT_BYTES) {
        yield chunk.subarray(passedOn, Math.max(from, end - (lineBytes - LINE_LIMIT_BYTES)));
        passedOn = end;
      }
      if (newline !== -1) lineBytes = 0;
      from = end + 1;
    }
    yield chunk.subarray(passedOn);
  }
}
