/**
 * Imports: rows of an exported file put back as they were. What is there already with the same content is left alone,
 * what is there with other content is refused by its place in the file, as is what the table does not take.
 */
import pg from 'pg';
import { databaseFault } from '../database/database-error.ts';
import { type Column, type ColumnType, readColumns } from './columns.ts';
import type { ReadRow } from './encoding.ts';
import type { TransferKind } from './kind.ts';
import { type Schema, type TextRow, textClient } from './snapshot.ts';

export interface ImportTally {
  stored: number;
  /** There before, with the same content. */
  known: number;
  refused: number;
}

export interface ImportOptions {
  schema: Schema;
  kind: TransferKind;
  /** The file's rows; it is told the types of the table's columns. */
  read(typeOf: (column: string) => ColumnType | undefined): AsyncIterable<ReadRow>;
  /** Told of each row that is refused. */
  onRefused(place: string, reason: string): void;
}

/** Rows in one transaction. */
const BATCH_ROWS = 1_000;

/**
 * Imports the file in one pass; every batch is a transaction, so an interrupted import is simply run again.
 * @throws Error when the file cannot be read, or has other columns than the table
 */
export async function importRows({ schema, kind, read, onRefused }: ImportOptions): Promise<ImportTally> {
  const client = textClient(schema);
  await client.connect();
  try {
    const importer = new Importer(client, kind, await readColumns(asker(client), kind.table), onRefused);
    let batch: ReadRow[] = [];
    for await (const row of read(importer.typeOf)) {
      batch.push(row);
      if (batch.length === BATCH_ROWS) {
        await importer.take(batch);
        batch = [];
      }
    }
    if (batch.length > 0) await importer.take(batch);
    return importer.tally;
  } finally {
    await client.end();
  }
}

function asker(client: pg.Client) {
  return async (text: string, values: readonly unknown[] = []): Promise<TextRow[]> =>
    (await client.query<TextRow>({ text, values: [...values], rowMode: 'array' })).rows;
}

class Importer {
  readonly tally: ImportTally = { stored: 0, known: 0, refused: 0 };
  private readonly client: pg.Client;
  private readonly kind: TransferKind;
  private readonly columns: Map<string, Column>;
  private readonly onRefused: ImportOptions['onRefused'];
  /** Those of the file. */
  private names: readonly string[] | undefined;

  constructor(client: pg.Client, kind: TransferKind, columns: Column[], onRefused: ImportOptions['onRefused']) {
    this.client = client;
    this.kind = kind;
    this.columns = new Map(columns.map((column) => [column.name, column]));
    this.onRefused = onRefused;
  }

  readonly typeOf = (name: string): ColumnType | undefined => this.columns.get(name)?.type;

  async take(rows: readonly ReadRow[]): Promise<void> {
    this.names ??= this.checkedNames(rows[0]?.values ?? {});
    const usable = rows.filter((row) => this.isWhole(row));
    await this.ensurePartitions(usable);
    await this.client.query('begin');
    try {
      await this.store(usable);
      await this.client.query('commit');
    } catch (error) {
      await this.client.query('rollback').catch(() => undefined);
      throw error;
    }
  }

  private checkedNames(values: ReadRow['values']): string[] {
    const names = Object.keys(values);
    const foreign = names.filter((name) => !this.columns.has(name));
    if (foreign.length > 0)
      throw new Error(`It has columns that ${this.kind.name} do not have: ${foreign.join(', ')}.`);
    const required = [...this.columns.values()].filter(
      ({ isRequired, name }) => isRequired || this.kind.key.includes(name),
    );
    const missing = required.map(({ name }) => name).filter((name) => !names.includes(name));
    if (missing.length > 0) throw new Error(`It lacks columns that ${this.kind.name} need: ${missing.join(', ')}.`);
    return names;
  }

  private isWhole({ place, values }: ReadRow): boolean {
    const names = Object.keys(values);
    if (names.length === this.names?.length && names.every((name) => this.names?.includes(name))) return true;
    this.refuse(place, 'it has other fields than the first row');
    return false;
  }

  private refuse(place: string, reason: string): void {
    this.tally.refused++;
    this.onRefused(place, reason);
  }

  private async ensurePartitions(rows: readonly ReadRow[]): Promise<void> {
    const { ensurePartitions, time } = this.kind;
    if (!ensurePartitions || rows.length === 0) return;
    const instants = rows.map(({ values }) => values[time]).filter((text) => !Number.isNaN(Date.parse(text ?? '')));
    await this.client.query(`select ${pg.escapeIdentifier(ensurePartitions)}($1::timestamptz[])`, [instants]);
  }

  /** Stores the rows; of those that PostgreSQL refuses as a whole, each half by itself. */
  private async store(rows: readonly ReadRow[]): Promise<void> {
    if (rows.length === 0) return;
    await this.client.query('savepoint batch');
    try {
      const { stored, differing } = await this.insert(rows);
      if (differing.size === 0) {
        this.tally.stored += stored;
        this.tally.known += rows.length - stored;
        return;
      }
      await this.client.query('rollback to savepoint batch');
      for (const [place, columns] of differing) {
        this.refuse(rows[place]?.place ?? '', `it is there already, or was computed, with other content in ${columns}`);
      }
      await this.store(rows.filter((_, place) => !differing.has(place)));
    } catch (error) {
      if (!isRefusal(error)) throw error;
      await this.client.query('rollback to savepoint batch');
      if (rows.length === 1) return this.refuse(rows[0]?.place ?? '', reasonOf(error));
      await this.store(rows.slice(0, rows.length >> 1));
      await this.store(rows.slice(rows.length >> 1));
    }
  }

  /** How many were not there before, and of those that differ from what is there then, by their place, the columns. */
  private async insert(rows: readonly ReadRow[]): Promise<{ stored: number; differing: Map<number, string> }> {
    const { kind, client, names = [] } = this;
    const [table, key] = [pg.escapeIdentifier(kind.table), kind.key.map(pg.escapeIdentifier).join(', ')];
    const own = names
      .filter((name) => !this.columns.get(name)?.isGenerated)
      .map(pg.escapeIdentifier)
      .join(', ');
    const given = `json_populate_recordset(null::${table}, $1::json)`;
    const json = JSON.stringify(rows.map(({ values }) => this.toJson(values)));
    const { rowCount } = await client.query(
      `insert into ${table} (${own}) overriding system value select ${own} from ${given} on conflict (${key}) do nothing`,
      [json],
    );
    const differences = names
      .map(
        (name) =>
          `case when there.${pg.escapeIdentifier(name)} is distinct from given.${pg.escapeIdentifier(name)} then ${pg.escapeLiteral(name)} end`,
      )
      .join(', ');
    const found = await asker(client)(
      `select place - 1, columns from (
         select place, concat_ws(', ', ${differences}) as columns
           from rows from (${given}) with ordinality as given(${this.allNames()}, place)
           join ${table} as there using (${key})) as compared
        where columns <> ''`,
      [json],
    );
    return {
      stored: rowCount ?? 0,
      differing: new Map(found.map(([place, columns]) => [Number(place), String(columns)])),
    };
  }

  private allNames(): string {
    return [...this.columns.keys()].map(pg.escapeIdentifier).join(', ');
  }

  private toJson(values: ReadRow['values']): object {
    const entries = Object.entries(values).map(([name, text]) => {
      const type = this.typeOf(name);
      return [name, text !== null && (type === 'json' || type === 'texts') ? parsed(text) : text];
    });
    return Object.fromEntries(entries);
  }
}

/** The JSON, or the text that is none, which PostgreSQL then refuses. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Data that does not fit, or breaks a constraint. */
function isRefusal(error: unknown): boolean {
  return /^2[23]/.test(databaseFault(error)?.code ?? '');
}

function reasonOf(error: unknown): string {
  const { message, detail } = error as { message: string; detail?: string };
  return detail ? `${message}: ${detail}` : message;
}
