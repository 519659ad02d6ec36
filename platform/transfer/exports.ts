/** The exports of a subgraph, as it serves them: to administrators, a few at a time, each as long as its reader keeps up. */
import { GraphQLError } from 'graphql';
import { type Access, assertAllowed } from '../access.ts';
import { isUnreachable } from '../database/database-error.ts';
import { RequestCode, unavailable } from '../errors.ts';
import { MEDIA_TYPES } from './encoding.ts';
import { exportRows } from './export.ts';
import { BadRequest, readExportRequest, type TransferKind } from './kind.ts';
import type { Schema } from './snapshot.ts';

/** A file that is being made, or why there is none. */
export type ExportAnswer =
  | { status: 200; mediaType: string; fileName: string; body: AsyncIterable<Uint8Array> }
  | { status: ExportRefusal; problem: string };

export const EXPORT_REFUSALS = [400, 401, 403, 404, 429, 503] as const;
export type ExportRefusal = (typeof EXPORT_REFUSALS)[number];

export interface ExportCall {
  /** Name of the kind. */
  kind: string;
  /** format, since, until and the kind's filters. */
  parameters: URLSearchParams;
  /** The header of who asks. */
  authorization?: string | undefined;
}

export interface Exports {
  /** Names of the kinds. */
  readonly kinds: readonly string[];
  /** How many files are being made. */
  running(): number;
  /** The file that is asked for. Whoever has got one reads it, or leaves it at some point. */
  open(call: ExportCall): Promise<ExportAnswer>;
}

export interface ExportsOptions {
  domain: string;
  schema: Schema;
  kinds: readonly TransferKind[];
  access: Access;
}

/** Each holds a connection and a snapshot, which keeps dead rows from being removed. */
const AT_ONCE = 2;

/** One that takes longer is not being read. */
const LONGEST_MS = 3_600_000; // an hour

export function createExports({ domain, schema, kinds, access }: ExportsOptions): Exports {
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

  async function open({ kind: name, parameters, authorization }: ExportCall): Promise<ExportAnswer> {
    const kind = kinds.find((known) => known.name === name);
    if (!kind) return { status: 404, problem: `There is no export of ${name}.` };
    await assertAllowed({ roles: () => access.rolesOf(authorization) }, `The export of ${name}`, ['administrator']);
    if (running >= AT_ONCE) {
      return { status: 429, problem: `${AT_ONCE} exports are running already. Try again when one has ended.` };
    }
    running++;
    return begin(kind, parameters).catch((error: unknown) => {
      running--;
      throw error;
    });
  }

  return {
    kinds: kinds.map(({ name }) => name),
    running: () => running,
    open: (call) => open(call).catch((error: unknown) => refusalOf(error, domain)),
  };
}

/** Throws what is a bug. */
function refusalOf(error: unknown, domain: string): ExportAnswer {
  if (error instanceof BadRequest) return { status: 400, problem: error.message };
  if (isUnreachable(error)) return { status: 503, problem: unavailable(domain).message };
  if (error instanceof GraphQLError) {
    const isKnown = error.extensions.code === RequestCode.FORBIDDEN;
    return { status: isKnown ? 403 : 401, problem: error.message };
  }
  throw error;
}
