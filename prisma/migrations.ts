/**
 * The migrations as they lie in prisma/<domain>/migrations/<time>_<name>/migration.sql. Those of prisma/common are every
 * domain's: they take their place among its own by time.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { MigrationList } from '@prisma/schema-engine-wasm';
import type { Domain } from '../platform/domains.ts';

/** The folder with one folder a domain. */
export const PRISMA_FOLDER = fileURLToPath(new URL('.', import.meta.url));

export interface Migration {
  /** "20260101000000_init" */
  name: string;
  file: string;
  script: string;
}

/** The domain's migrations and the common ones, oldest first. */
export async function readMigrations(domain: Domain, folder: string = PRISMA_FOLDER): Promise<Migration[]> {
  const [own, common] = await Promise.all([readFolder(join(folder, domain)), readFolder(join(folder, 'common'))]);
  return [...own, ...common].sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function readFolder(folder: string): Promise<Migration[]> {
  const base = join(folder, 'migrations');
  const entries = await readdir(base, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  return Promise.all(
    names.map(async (name) => {
      const file = join(base, name, 'migration.sql');
      return { name, file, script: await readFile(file, 'utf8') };
    }),
  );
}

/** The migrations as Prisma's engine takes them. */
export function toMigrationList(migrations: readonly Migration[]): MigrationList {
  return {
    baseDir: PRISMA_FOLDER,
    lockfile: { path: 'migration_lock.toml', content: 'provider = "postgresql"\n' },
    shadowDbInitScript: '',
    migrationDirectories: migrations.map(({ name, script }) => ({
      path: name,
      migrationFile: { path: 'migration.sql', content: { tag: 'ok', value: script } },
    })),
  };
}
