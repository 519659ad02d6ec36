/** The exports of a subgraph, as it serves them: a few at a time, each as long as its reader keeps up. */

import { isUnreachable } from '../database/database-error.ts';
import { unavailable } from '../errors.ts';
import { MEDIA_TYPES } from './encoding.ts';
import { exportRows } from './export.ts';
import { BadRequest, readExportRequest, type TransferKind } from './kind.ts';
import type { Schema } from './snapshot.ts';

/** A file that is being made, or why there is none. */
export type ExportAnswer =
  | { status: 200; mediaType: string; fileName: string; body: AsyncIterable<Uint8Array> }
  | { status: 400 | 404 | 429 | 503; problem: string };

export interface Exports {
  /** Names of the kinds. */
  readonly kinds: readonly string[];
  /** How many files are being made. */
  running(): number;
  /** A kind's file, as the parameters say: format, since, until and the kind's filters. */
  open(kind: string, parameters: URLSearchParams): Promise<ExportAnswer>;
}

/** Each holds a connection and a snapshot, which keeps dead rows from being removed. */
const AT_ONCE = 2;

/** One that takes longer is not being read. */
const LONGEST_MS = 3_600_000; // an hour

export function createExports(schema: Schema & { domain: string }, kinds: readonly TransferKind[]): Exports {
  let running = 0;

  async function* counted(bytes: AsyncGenerator<Uint8Array>, first: IteratorResult<Uint8Array>) {
    const until = Date.now() + LONGEST_MS;
    try {
      for (let step = first; !step.done; step = await bytes.next()) {
        yield step.value;
        if (Date.now() > until) throw new Error('An export took longer than an hour');
      }
    } finally {
      running--;
      await bytes.return(undefined);
    }
  }

  async function begin(kind: TransferKind, parameters: URLSearchParams): Promise<ExportAnswer> {
    const request = readExportRequest(kind, parameters);
    const bytes = exportRows(schema, kind, request);
    const first = await bytes.next();
    const { format } = request;
    const fileName = `${kind.name}.${format === 'json' ? 'ndjson' : format}`;
    return { status: 200, mediaType: MEDIA_TYPES[format], fileName, body: counted(bytes, first) };
  }

  return {
    kinds: kinds.map(({ name }) => name),
    running: () => running,
    async open(name, parameters) {
      const kind = kinds.find((known) => known.name === name);
      if (!kind) return { status: 404, problem: `There is no export of ${name}.` };
      if (running >= AT_ONCE) {
        return { status: 429, problem: `${AT_ONCE} exports are running already. Try again when one has ended.` };
      }
      running++;
      try {
        return await begin(kind, parameters);
      } catch (error) {
        running--;
        if (error instanceof BadRequest) return { status: 400, problem: error.message };
        if (isUnreachable(error)) return { status: 503, problem: unavailable(schema.domain).message };
        throw error;
      }
    },
  };
}
