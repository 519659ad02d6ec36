/** What the commands of backups are asked, and where they find a domain. */
import { parseArgs } from 'node:util';
import { readConfig } from '../../platform/config.ts';
import { DOMAINS, type Domain } from '../../platform/domains.ts';
import { createLogger } from '../../platform/log.ts';
import type { Process } from '../../platform/process.ts';
import type { Schema } from '../../platform/transfer/snapshot.ts';
import { schemaIn } from '../open.ts';

export interface BackupArguments {
  domain: Domain;
  /** The second argument. */
  path: string | undefined;
  out: string | undefined;
}

/** Throws the usage when they cannot be understood. */
export function readArguments(argv: string[], usage: string): BackupArguments | 'help' {
  try {
    const options = { out: { type: 'string' }, help: { type: 'boolean' } } as const;
    const { values, positionals } = parseArgs({ args: argv, allowPositionals: true, options });
    if (values.help) return 'help';
    const domain = DOMAINS.find((name) => name === positionals[0]);
    if (!domain) throw new Error(`Name a domain: ${DOMAINS.join(', ')}.`);
    return { domain, path: positionals[1], out: values.out };
  } catch (error) {
    throw new Error(`${(error as Error).message}\n\n${usage}`);
  }
}

/** The domain's schema, migrated, in the database of the settings or the embedded one. */
export function placeOf(domain: Domain, life: Process): Promise<Schema> {
  const config = readConfig();
  const log = createLogger({ level: config.environment.LOG_LEVEL ? config.logLevel : 'error', service: 'backup' });
  return schemaIn(domain, config, log, life);
}
