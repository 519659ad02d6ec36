/** Prisma's schema engine as WebAssembly, bound to one domain's schema. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import type { SchemaEngine } from '@prisma/schema-engine-wasm';
import * as glue from '@prisma/schema-engine-wasm/schema_engine_bg';
import { EngineAdapter } from './engine-adapter.ts';
import type { Migration } from './migrations.ts';

export interface Connection {
  url: string;
  schema: string;
}

/** What no filter leaves out. */
export const WHOLE_SCHEMA = { externalTables: [], externalEnums: [] };

/**
 * Runs `work` with an engine connected to the schema, and frees it. The engine's failures carry PostgreSQL's own words,
 * and the file and line of the migration, when it is one of `migrations`.
 */
export async function withEngine<Result>(
  connection: Connection,
  migrations: readonly Migration[],
  work: (engine: SchemaEngine) => Promise<Result>,
): Promise<Result> {
  await loadOnce();
  const adapter = new EngineAdapter(connection, migrations);
  try {
    const factory = bindMigrationAwareSqlAdapterFactory(adapter);
    const engine = await glue.SchemaEngine.new({ datamodels: undefined }, () => {}, factory);
    try {
      return await work(engine);
    } catch (error) {
      throw adapter.failure ?? error;
    } finally {
      engine.free();
    }
  } finally {
    await adapter.close();
  }
}

let loaded: Promise<void> | undefined;

/** The module itself imports its binary in a way that Node still calls experimental; this is the stable one. */
function loadOnce(): Promise<void> {
  loaded ??= (async () => {
    const module = createRequire(import.meta.url).resolve('@prisma/schema-engine-wasm/schema_engine_bg');
    const binary = await readFile(join(dirname(module), 'schema_engine_bg.wasm'));
    const { instance } = await WebAssembly.instantiate(binary, { './schema_engine_bg.js': glue as never });
    glue.__wbg_set_wasm(instance.exports);
    (instance.exports.__wbindgen_start as () => void)();
  })();
  return loaded;
}
