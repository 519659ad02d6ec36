/** Where a command finds the data of a domain: its database, reached with its own role. No graph need be running. */
import type { Config } from '../../platform/config.ts';
import { type Domain, schemaOf } from '../../platform/domains.ts';
import type { Logger } from '../../platform/log.ts';
import type { Process } from '../../platform/process.ts';
import type { TransferKind } from '../../platform/transfer/kind.ts';
import type { Schema } from '../../platform/transfer/snapshot.ts';
import { openDomain } from '../../prisma/open.ts';
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

/** The domain's migrated schema, in the database of the settings or the embedded one. */
export async function schemaIn(domain: Domain, config: Config, log: Logger, process: Process): Promise<Schema> {
  const url = await openDomain(domain, config, log, process);
  return { url, schema: schemaOf(domain, config.instances[domain]) };
}
