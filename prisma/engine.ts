/** Prisma's schema engine as WebAssembly, bound to one domain's schema. */
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { PrismaPg } from '@prisma/adapter-pg';
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils';
import type { SchemaEngine } from '@prisma/schema-engine-wasm';
import * as glue from '@prisma/schema-engine-wasm/schema_engine_bg';

interface Connection {
  url: string;
  schema: string;
}

/** Runs `work` with an engine connected to the schema, and frees it. Failures carry PostgreSQL's own words. */
export async function withEngine<Result>(
  connection: Connection,
  work: (engine: SchemaEngine) => Promise<Result>,
): Promise<Result> {
  await loadOnce();
  const scripts = new WholeScripts(connection);
  const factory = bindMigrationAwareSqlAdapterFactory(scripts);
  const engine = await glue.SchemaEngine.new({ datamodels: undefined }, () => {}, factory);
  try {
    return await work(engine);
  } finally {
    engine.free();
    await scripts.close();
  }
}

/**
 * Prisma's adapter cuts scripts at each semicolon, also within a function's body. Sent whole they are also one
 * transaction: a migration that fails leaves nothing behind.
 */
class WholeScripts extends PrismaPg {
  private readonly opened: Awaited<ReturnType<PrismaPg['connect']>>[] = [];

  constructor({ url, schema }: Connection) {
    super({ connectionString: url, options: `-c search_path=${schema}` }, { schema });
  }

  override async connect() {
    const adapter = await super.connect();
    adapter.executeScript = async (script) => {
      await adapter.underlyingDriver().query(script);
    };
    this.opened.push(adapter);
    return adapter;
  }

  /** The engine leaves its connection open, and with it the advisory lock that the next engine waits for. */
  async close(): Promise<void> {
    await Promise.all(this.opened.map((adapter) => adapter.dispose()));
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
