/** Exports, handed through from the subgraph whose data it is: the gateway opens no database. */

import { unavailable } from '../platform/errors.ts';
import type { ExportAnswer } from '../platform/transfer/exports.ts';
import type { GatewaySubgraph } from './gateway.ts';

/** Opens the file of a kind; the signal ends it. */
export type OpenExport = (kind: string, parameters: URLSearchParams, signal: AbortSignal) => Promise<ExportAnswer>;

/** Finds the subgraph of each kind. */
export function exportsOf(subgraphs: readonly GatewaySubgraph[]): OpenExport {
  const openers = new Map<string, OpenExport>();
  for (const subgraph of subgraphs) {
    const [kinds, open] = openerOf(subgraph);
    for (const kind of kinds) openers.set(kind, open);
  }
  const known = [...openers.keys()].toSorted().join(', ');
  return async (kind, parameters, signal) => {
    const open = openers.get(kind);
    return (
      open?.(kind, parameters, signal) ?? { status: 404, problem: `There is no export of "${kind}", only of ${known}.` }
    );
  };
}

function openerOf(subgraph: GatewaySubgraph): [kinds: readonly string[], open: OpenExport] {
  if ('url' in subgraph) {
    const { name, url, exportKinds = [] } = subgraph;
    return [exportKinds, (kind, parameters, signal) => fetchExport(name, url, kind, parameters, signal)];
  }
  const { exports } = subgraph;
  return exports ? [exports.kinds, (kind, parameters) => exports.open(kind, parameters)] : [[], noExport];
}

const noExport: OpenExport = async () => ({ status: 404, problem: 'There is no such export.' });

async function fetchExport(
  domain: string,
  url: string,
  kind: string,
  parameters: URLSearchParams,
  signal: AbortSignal,
): Promise<ExportAnswer> {
  const target = new URL(`/export/${encodeURIComponent(kind)}?${parameters}`, url);
  try {
    const response = await fetch(target, { signal });
    if (response.status === 200 && response.body) {
      const [, fileName = kind] = /filename="([^"]+)"/.exec(response.headers.get('content-disposition') ?? '') ?? [];
      return { status: 200, mediaType: response.headers.get('content-type') ?? '', fileName, body: response.body };
    }
    const { error } = (await response.json()) as { error?: unknown };
    const status = response.status === 400 || response.status === 429 ? response.status : 503;
    return { status, problem: String(error) };
  } catch (error) {
    if (signal.aborted) throw error;
    return { status: 503, problem: unavailable(domain).message };
  }
}
