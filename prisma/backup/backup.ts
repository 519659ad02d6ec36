/**
 * A backup of one domain: its rows as PostgreSQL writes them, all as they are at one instant, while the domain goes on.
 * It needs no program of PostgreSQL's: the embedded one has no pg_dump, and another version's refuses to read it.
 */
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import pg from 'pg';
import type { Domain } from '../../platform/domains.ts';
import { openSnapshot, type Schema, type SnapshotReader, type TextRow } from '../../platform/transfer/snapshot.ts';
import { FORMAT, type Header, type SequenceState, type TableStart, written } from './file.ts';
import { readApplied, readSequences, readTables } from './tables.ts';

export interface BackupSummary {
  tables: number;
  rows: number;
}

/** Writes the file; it appears under its name when it is whole. */
export async function backUp(domain: Domain, schema: Schema, path: string): Promise<BackupSummary> {
  const snapshot = await openSnapshot(schema);
  const summary: BackupSummary = { tables: 0, rows: 0 };
  const partial = `${path}.partial`;
  try {
    const lines = written(linesOf(domain, snapshot, summary));
    await pipeline(Readable.from(lines), createGzip({ level: 1 }), createWriteStream(partial, { mode: 0o600 }));
    await rename(partial, path);
    return summary;
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  } finally {
    await snapshot.close();
  }
}

async function* linesOf(
  domain: Domain,
  snapshot: SnapshotReader,
  summary: BackupSummary,
): AsyncGenerator<Header | TableStart | TextRow | SequenceState> {
  const { all } = snapshot;
  yield { format: FORMAT, domain, takenAt: new Date().toISOString(), migrations: await readApplied(all) };
  for (const { name, columns, partitions } of await readTables(all)) {
    summary.tables++;
    yield { table: name, columns: columns.map((column) => column.name), partitions };
    const texts = columns.map((column) => `${pg.escapeIdentifier(column.name)}::text`);
    for await (const rows of snapshot.rows(`select ${texts.join(', ')} from ${pg.escapeIdentifier(name)}`)) {
      summary.rows += rows.length;
      yield* rows;
    }
  }
  for (const sequence of await readSequences(all)) {
    const [state] = await all(`select last_value::text, is_called::text from ${pg.escapeIdentifier(sequence)}`);
    yield { sequence, value: String(state?.[0]), isCalled: state?.[1] === 'true' };
  }
}
