/** Exports, handed through from the subgraph whose data it is: the gateway opens no database. */
import { unavailable } from '../platform/errors.ts';
import { EXPORT_PATH } from '../platform/transfer/export-http.ts';
import { EXPORT_REFUSALS, type ExportAnswer, type ExportCall } from '../platform/transfer/exports.ts';
import type { GatewaySubgraph } from './gateway.ts';

/** Opens the file that is asked for; the signal ends it. */
export type OpenExport = (call: ExportCall, signal: AbortSignal) => Promise<ExportAnswer>;

/** Finds the subgraph of each kind. */
export function exportsOf(subgraphs: readonly GatewaySubgraph[]): OpenExport {
  const openers = new Map(subgraphs.flatMap((subgraph) => openersOf(subgraph)));
  const known = [...openers.keys()].toSorted().join(', ');
  return async (call, signal) => {
    const open = openers.get(call.kind);
    return open?.(call, signal) ?? { status: 404, problem: `There is no export of "${call.kind}", only of ${known}.` };
  };
}

function openersOf(subgraph: GatewaySubgraph): [kind: string, open: OpenExport][] {
  if ('url' in subgraph) {
    const { name, url, exportKinds = [] } = subgraph;
    return exportKinds.map((kind) => [kind, (call, signal) => fetchExport(name, url, call, signal)]);
  }
  const { exports } = subgraph;
  return exports?.kinds.map((kind) => [kind, (call) => exports.open(call)]) ?? [];
}

async function fetchExport(
  domain: string,
  url: string,
  { kind, parameters, authorization }: ExportCall,
  signal: AbortSignal,
): Promise<ExportAnswer> {
  const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
  try {
    const response = await fetch(new URL(`${EXPORT_PATH}${kind}?${parameters}`, url), { headers, signal });
    if (response.status === 200 && response.body) {
      const [, fileName = kind] = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '') ?? [];
      return { status: 200, mediaType: response.headers.get('content-type') ?? '', fileName, body: response.body };
    }
    const { error } = (await response.json()) as { error?: unknown };
    const status = EXPORT_REFUSALS.find((known) => known === response.status) ?? 503;
    return { status, problem: String(error) };
  } catch (error) {
    if (signal.aborted) throw error;
    return { status: 503, problem: unavailable(domain).message };
  }
}
