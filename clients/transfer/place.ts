/** What can be exported and imported, by its name. */
import type { Domain } from '../../platform/domains.ts';
import type { TransferKind } from '../../platform/transfer/kind.ts';
import { subgraphs } from '../../subgraphs/all.ts';

/** Names of everything that can be exported and imported. */
export const KINDS = subgraphs.flatMap(({ exports = [] }) => exports.map(({ name }) => name));

/** The kind of that name, with its domain. Throws naming those that are. */
export function kindNamed(name: string | undefined): { domain: Domain; kind: TransferKind } {
  for (const { name: domain, exports = [] } of subgraphs) {
    const kind = exports.find((known) => known.name === name);
    if (kind) return { domain, kind };
  }
  throw new Error(`Name what is meant: ${KINDS.join(', ')}.`);
}
