import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Domain } from '../platform/domains.ts';
import { type Connection, withEngine } from './engine.ts';
import { PRISMA_FOLDER } from './migrations.ts';

/**
 * The statements that would make the connected schema what prisma/<domain>/schema.prisma says; empty when it is that
 * already. Checks, triggers, functions and partitions are unknown to Prisma and never appear.
 */
export async function differenceOf(domain: Domain, connection: Connection, folder = PRISMA_FOLDER): Promise<string> {
  const path = join(folder, domain, 'schema.prisma');
  const files = [{ path, content: await readFile(path, 'utf8') }];
  const { exitCode, stdout } = await withEngine(connection, [], (engine) =>
    engine.diff({
      from: { tag: 'schemaDatasource', files, configDir: folder },
      to: { tag: 'schemaDatamodel', files },
      script: true,
      exitCode: true,
      filters: { externalTables: COMMON_TABLES.map((table) => `${connection.schema}.${table}`), externalEnums: [] },
    }),
  );
  return exitCode === DIFFERENT ? (stdout ?? '') : '';
}

const DIFFERENT = 2;

/** Tables of prisma/common: the same in every domain, and no business of Prisma's clients. */
const COMMON_TABLES = ['captured_tables', 'change_log', 'feed_segment', 'feed_state', 'feed_ticks', 'injected_faults'];
