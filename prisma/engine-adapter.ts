/** Prisma's PostgreSQL adapter with what the schema engine needs beyond what the client needs. */
import { PrismaPg } from '@prisma/adapter-pg';
import { ColumnTypeEnum } from '@prisma/driver-adapter-utils';
import pg from 'pg';
import type { Connection } from './engine.ts';
import type { Migration } from './migrations.ts';

/** A migration may take its time, however short a statement of the domain itself must be. */
const SETTINGS = '-c statement_timeout=0 -c idle_in_transaction_session_timeout=0 -c TimeZone=UTC';

/** Sent with a migration's script, so that the history cannot differ from what was done, whenever the process dies. */
const RECORD = 'update _prisma_migrations set finished_at = now() where finished_at is null and rolled_back_at is null';

export class EngineAdapter extends PrismaPg {
  /** What PostgreSQL said to the script that failed, in full; the engine passes on only a part. */
  failure: Error | undefined;
  private readonly pool: CataloguePool;
  private readonly migrations: readonly Migration[];

  constructor({ url, schema }: Connection, migrations: readonly Migration[]) {
    const pool = new CataloguePool({ connectionString: url, options: `-c search_path=${schema} ${SETTINGS}` });
    super(pool as unknown as pg.Pool, { schema });
    this.pool = pool;
    this.migrations = migrations;
  }

  override async connect() {
    const adapter = await super.connect();
    const read = adapter.queryRaw.bind(adapter);
    adapter.queryRaw = async (query) => {
      const result = await read(query);
      for (const column of this.pool.characterColumns(result.rows)) {
        result.columnTypes[column] = ColumnTypeEnum.Character;
      }
      return result;
    };
    adapter.executeScript = (script) => this.runWhole(script);
    return adapter;
  }

  /** The engine leaves its connections open, and with them the advisory lock that the next engine waits for. */
  async close(): Promise<void> {
    await this.pool.end();
  }

  /**
   * Prisma's adapter cuts scripts at each semicolon, also within a function's body. Sent whole they are also one
   * transaction: a migration that fails leaves nothing behind.
   */
  private async runWhole(script: string): Promise<void> {
    const migration = this.migrations.find((one) => one.script === script);
    try {
      await this.pool.query(migration ? `${script}\n;${RECORD}` : script);
    } catch (error) {
      this.failure = describe(error as pg.DatabaseError, script, migration);
      throw this.failure;
    }
  }
}

function describe(error: pg.DatabaseError, script: string, migration: Migration | undefined): Error {
  const line = error.position ? script.slice(0, Number(error.position)).split('\n').length : undefined;
  const place = migration ? `${migration.file}${line ? `:${line}` : ''}: ` : '';
  const more = [error.detail, error.hint].filter(Boolean).map((text) => ` ${text}`);
  return new Error(`${place}${error.message}${more.join('')}`, { cause: error });
}

const CHAR_OID = 18; // the catalogues' one-byte "char", which Prisma's adapter refuses
const TEXT_OID = 25;

type Row = unknown[];

/** A pool whose "char" columns pass for text, and are remembered by the rows they came with. */
class CataloguePool extends (pg.Pool as unknown as new (config: pg.PoolConfig) => UntypedPool) {
  private readonly characters = new WeakMap<object, number[]>();

  override async query(statement: unknown): Promise<pg.QueryArrayResult<Row>> {
    const result = await super.query(statement);
    if (!result.fields) return result;
    const characters = result.fields.flatMap(({ dataTypeID }, column) => (dataTypeID === CHAR_OID ? [column] : []));
    for (const column of characters) Object.assign(result.fields[column] as object, { dataTypeID: TEXT_OID });
    this.characters.set(result.rows, characters);
    return result;
  }

  characterColumns(rows: object): number[] {
    return this.characters.get(rows) ?? [];
  }
}

/** What we use of pg.Pool, without the overloads that no subclass could write down. */
interface UntypedPool {
  query(statement: unknown): Promise<pg.QueryArrayResult<Row>>;
  end(): Promise<void>;
}
